"""From a record as others write it to a record of ours: one module for each family."""
