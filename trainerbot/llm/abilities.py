"""What a model can do, as far as its row in GET /models or its name tells."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trainerbot.endpoints import ModelInfo

# Each endpoint has its own word for the longest text that a model reads.
_CONTEXT: Final = (
    "context_tokens",  # our own server
    "loaded_context_length",  # LM Studio: what it was loaded with counts
    "context_length",  # OpenRouter, Together
    "max_model_len",  # vLLM
    "max_context_length",  # Mistral, LM Studio
    "context_window",  # Groq
    "n_ctx",  # llama.cpp
    "n_ctx_train",
)
_LEAST, _MOST = 128, 100_000_000
# OpenAI's endpoint tells of no model how much it reads. By the beginning of a name, the least
# that any model of that name reads which is still served.
_BY_NAME: Final = {
    "gpt-3.5-turbo": 16_385,
    "gpt-4": 8_192,
    "gpt-4-turbo": 128_000,
    "gpt-4o": 128_000,
    "gpt-4.1": 1_000_000,
    "gpt-5": 128_000,
    "o1": 128_000,
    "o3": 200_000,
    "o4": 200_000,
}
_FAMILY: Final = re.compile(r"(?:ft:)?(?:openai/)?([a-z0-9.-]+)")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What is known of a model; None where its endpoint does not tell.

    context_tokens: how much it reads and writes together.
    sees: whether it takes pictures.
    """

    context_tokens: int | None = None
    sees: bool | None = None


def abilities(row: ModelInfo) -> Abilities:
    """Return what a row of GET /models tells of its model."""
    told = _context(row.details) or by_name(row.id).context_tokens
    return Abilities(context_tokens=told, sees=_sees(row.details))


def by_name(model: str) -> Abilities:
    """Return what the name of a model tells, for an endpoint that tells nothing more."""
    named = _FAMILY.match(model)
    family = named[1] if named else ""
    fitting = [each for each in _BY_NAME if family == each or family.startswith(f"{each}-")]
    return Abilities(_BY_NAME[max(fitting, key=len)]) if fitting else Abilities()


def _context(details: Mapping[str, Any]) -> int | None:
    for place in (details, _mapping(details.get("meta")), _mapping(details.get("top_provider"))):
        for name in _CONTEXT:
            value = place.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and _LEAST <= value <= _MOST:
                return value
    return None


def _sees(details: Mapping[str, Any]) -> bool | None:
    inputs = _mapping(details.get("architecture")).get("input_modalities")
    inputs = inputs or details.get("input_modalities")
    if isinstance(inputs, list):
        return "image" in inputs
    able = details.get("capabilities")
    if isinstance(able, dict) and isinstance(able.get("vision"), bool):
        return bool(able["vision"])
    if isinstance(able, list):
        return "multimodal" in able or "vision" in able
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
