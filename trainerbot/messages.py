"""The chat message, as every package of the project means it."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Who speaks. `developer` is OpenAI's newer word for `system`."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as a model is shown it. `media_type` is what its bytes are, such as image/png."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as a model reads it: plain text by one speaker, and the pictures beside it."""

    role: Role
    content: str
    images: tuple[Image, ...] = ()
