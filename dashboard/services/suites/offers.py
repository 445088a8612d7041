"""Which models an endpoint offers to be asked or to judge."""

from dataclasses import replace

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


def listed(endpoint: str = "", *, within_s: float | None = None) -> list[ModelInfo]:
    """All that an endpoint lists, also what does not chat. Waits and raises as `models`.

    within_s: wait no longer, and try once, for whom nobody waits.
    """
    wanted = providers.named(endpoint)
    if within_s is not None:
        wanted = replace(wanted, timeout_s=within_s, max_retries=0)

    async def ask() -> list[ModelInfo]:
        client = open_chat(wanted)
        try:
            return await client.models()
        finally:
            await client.close()

    return providers.ask_at_once(ask)
