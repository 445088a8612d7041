"""Where records come from: files, folders, archives, and the elements in them."""
