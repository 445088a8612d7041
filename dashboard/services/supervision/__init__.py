"""The running system: which programs make it up, and what keeps them running."""
