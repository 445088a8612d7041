"""Which models an endpoint offers to be asked or to judge."""

from dashboard.services import chat, providers
from trainerbot.llm import ModelInfo, open_chat


def models(endpoint: str = "") -> list[ModelInfo]:
    """The models at an endpoint of `providers.endpoints()`, the configured one for "".

    Waits for the endpoint. Raises NotFound, ProviderUnavailable and
    ProviderRefused.
    """
    wanted = providers.named(endpoint)
    if wanted == providers.endpoint():
        return providers.ask_at_once(chat.models)

    return listed(endpoint)


def listed(endpoint: str = "") -> list[ModelInfo]:
    """All that an endpoint lists, also what does not chat. Waits and raises as `models`."""
    wanted = providers.named(endpoint)

    async def ask() -> list[ModelInfo]:
        client = open_chat(wanted)
        try:
            return await client.models()
        finally:
            await client.close()

    return providers.ask_at_once(ask)
