"""Searches by programs of their own, run by hand."""
