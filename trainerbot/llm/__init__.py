"""One way to a model: the openai SDK at a base URL, whoever answers there."""

from trainerbot.endpoints import Endpoint, ModelInfo
from trainerbot.llm.contracts import ChatModel, Completion, Delta, Usage
from trainerbot.llm.registry import open_chat

__all__ = ["ChatModel", "Completion", "Delta", "Endpoint", "ModelInfo", "Usage", "open_chat"]
