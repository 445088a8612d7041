"""Weights from one format into another. For child processes: the modules take torch or numpy."""

# The file in the folder of a merged GGUF model.
GGUF_NAME = "model.gguf"
