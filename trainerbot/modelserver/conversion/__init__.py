"""Weights from one format into another. For child processes: it takes torch or numpy."""
