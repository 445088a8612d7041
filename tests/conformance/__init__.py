"""OpenAI's own tests of its SDK, run against this model server. docs/modelserver.md tells how."""
