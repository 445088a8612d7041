"""One way to a model: the openai SDK at a base URL, whoever answers there."""

from trainerbot.endpoints import Endpoint, ModelInfo
from trainerbot.llm.abilities import Abilities, abilities, by_name
from trainerbot.llm.contracts import CannotSee, ChatModel, Completion, Delta, Usage
from trainerbot.llm.registry import open_chat

__all__ = [
    "Abilities",
    "CannotSee",
    "ChatModel",
    "Completion",
    "Delta",
    "Endpoint",
    "ModelInfo",
    "Usage",
    "abilities",
    "by_name",
    "open_chat",
]
