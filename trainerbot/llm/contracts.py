"""What a chat model is to the rest of the project."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from trainerbot.endpoints import ModelInfo
from trainerbot.errors import ProviderRefused
from trainerbot.messages import ChatMessage


class CannotSee(ProviderRefused):
    """The model takes no pictures. The same messages without them may be asked."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"The model {model} cannot see pictures. Ask in words, or choose a model that sees.",
            code="images_not_supported",
        )


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of an answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them; None where it does not tell."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """The whole of an answer, once it has come.

    `text` is all deltas joined. `model` is what the endpoint says answered.
    `finish_reason` is OpenAI's word (stop, length, content_filter, tool_calls).
    `is_constrained` says that the endpoint took the `choices` it was given.
    """

    text: str
    model: str
    usage: Usage
    finish_reason: str | None
    system_fingerprint: str | None
    is_constrained: bool = False


class ChatModel(Protocol):
    """A way to the models of one endpoint. One is made and shared; it is safe to call at once
    from many tasks of one event loop."""

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        model: str,
        temperature: float | None = None,
        max_tokens: int | None = None,
        choices: Sequence[str] = (),
    ) -> AsyncGenerator[Delta | Completion, None]:
        """Yield the answer to `messages` (oldest first) as it comes, then one Completion.

        `temperature` 0 to 2 and `max_tokens` of the answer are left to the
        endpoint when None. With `choices` it is asked for JSON, `{"label": one
        of them}`, and an endpoint that cannot do that for an answer of its own;
        `choosing.choose` reads both. Closing the iterator stops the endpoint too.

        Raises ProviderUnavailable when the endpoint cannot be reached, is
        silent too long, busy, broken or breaks off; ProviderRefused when it
        says no, and CannotSee, before any piece, for pictures to a model that
        takes none. A failure is never given as an answer's text.
        """
        ...

    async def models(self) -> list[ModelInfo]:
        """Return the models that the endpoint offers, in its order. Raises as `stream`."""
        ...

    async def close(self) -> None:
        """Close the connections. Nothing may be asked afterwards."""
        ...
