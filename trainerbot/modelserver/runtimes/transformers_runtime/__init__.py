"""A ChatRuntime over transformers, for base models that are no GGUF files."""

from trainerbot.modelserver.runtimes.transformers_runtime.runtime import Transformers

__all__ = ["Transformers"]
