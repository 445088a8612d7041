"""GGUF weights as llama.cpp loads them."""

from dataclasses import dataclass
from pathlib import Path

from trainerbot.modelserver.bases import BaseModel
from trainerbot.modelserver.runtimes.base import Options


@dataclass(frozen=True, slots=True)
class Weights:
    """A GGUF file, the model id that clients use, and how the model likes to be sampled."""

    path: Path
    model_id: str
    defaults: Options


def weights_of(base: BaseModel) -> Weights | None:
    """Return what llama.cpp loads; None for a model that it cannot read."""
    if base.kind != "gguf":
        return None
    advised = base.sampling
    defaults = Options(temperature=advised.get("temperature"), top_p=advised.get("top_p"))
    return Weights(Path(base.source), base.id, defaults)
