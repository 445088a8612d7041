"""The chat message, as every package of the project means it."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who speaks. `developer` is OpenAI's newer word for `system`."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as a model reads it: plain text by one speaker."""

    role: Role
    content: str
