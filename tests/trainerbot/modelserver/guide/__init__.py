"""The examples of docs/modelserver.md, run as they stand there by the plain SDK."""
