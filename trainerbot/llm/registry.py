"""Chat providers by name; the one asked for is imported when it is opened."""

from importlib import import_module
from typing import Final, cast

from trainerbot.endpoints import Endpoint
from trainerbot.errors import InvalidInput
from trainerbot.llm.contracts import ChatModel

CHAT: Final = {
    "openai_compatible": "trainerbot.llm.providers.openai_compatible.OpenAICompatibleChat",
}


def open_chat(endpoint: Endpoint, provider: str = "openai_compatible") -> ChatModel:
    """Return a way to the models at `endpoint`. Connects to nothing yet.

    The first call imports the provider's client (about a second). Close what
    is returned. Raises InvalidInput for a provider that does not exist.
    """
    if provider not in CHAT:
        raise InvalidInput(f"There is no chat provider {provider}. Use {', '.join(CHAT)}.")
    module, _, name = CHAT[provider].rpartition(".")
    return cast("ChatModel", getattr(import_module(module), name)(endpoint))
