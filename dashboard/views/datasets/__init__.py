"""Datasets in the browser, one module a part: from the dropped file to the frozen version."""
