"""A base model of any kind as a folder that transformers, TRL and PEFT read."""

from pathlib import Path

from trainerbot.modelserver.conversion.from_hub import download
from trainerbot.modelserver.conversion.gguf_to_safetensors import converted


def folder_of(kind: str, source: str, cache: Path) -> Path:
    """Return the folder. See bases.BaseModel.trainable_path, which says what `kind` can be."""
    if kind == "safetensors":
        return Path(source)
    return download(source) if kind == "hub" else converted(Path(source), cache)
