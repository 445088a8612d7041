"""Which models there are, which one answers, and what it can do."""

import asyncio
import logging
import time
import weakref
from collections.abc import Iterable

from django.conf import settings

from dashboard.services import providers
from trainerbot.errors import ProviderUnavailable, TrainerBotError
from trainerbot.llm import Abilities, ChatModel, ModelInfo, abilities, by_name

log = logging.getLogger(__name__)

# Words in the ids of models that do not chat, as OpenAI-shaped endpoints list them.
NOT_FOR_CHAT = (
    "audio", "babbage", "computer-use", "dall-e", "davinci", "deep-research", "embed", "image",
    "moderation", "realtime", "sora", "speech", "transcribe", "tts", "turbo-instruct", "whisper",
)  # fmt: skip
DEFAULT_KEPT_S = 60.0
ABILITIES_KEPT_S = 300.0
ABILITIES_WITHIN_S = 2.0

# By client: the model's name, and the monotonic second until which to believe it.
_defaults: weakref.WeakKeyDictionary[ChatModel, tuple[str, float]] = weakref.WeakKeyDictionary()
_abilities: weakref.WeakKeyDictionary[ChatModel, tuple[dict[str, Abilities], float]] = (
    weakref.WeakKeyDictionary()
)


async def models() -> list[ModelInfo]:
    """The models at the endpoint that can chat, tuned ones first, newest first."""
    return _that_chat(await _listed(await providers.chat_model()))


def own_choice(rows: Iterable[ModelInfo]) -> str:
    """The model that answers when nobody chose one, of all that an endpoint lists; "" for none."""
    return next((row.id for row in _that_chat(rows) if not row.id.startswith("ft:")), "")


def _that_chat(rows: Iterable[ModelInfo]) -> list[ModelInfo]:
    chatting = [row for row in rows if not any(word in row.id.lower() for word in NOT_FOR_CHAT)]
    return sorted(
        chatting, key=lambda row: (not row.id.startswith("ft:"), -(row.created or 0), row.id)
    )


async def default_model() -> str:
    """The model that answers when nobody chose one: CHAT_MODEL, else the endpoint's first untuned.

    Raises ProviderUnavailable when the endpoint offers none.
    """
    if settings.CHAT_MODEL:
        return str(settings.CHAT_MODEL)
    llm = await providers.chat_model()
    name, until = _defaults.get(llm, ("", 0.0))
    if not name or time.monotonic() > until:
        name = own_choice(await _listed(llm))
        if not name:
            raise ProviderUnavailable(
                f"The model endpoint {providers.endpoint().name} offers no model that can chat. "
                "Choose one in Settings, or set CHAT_MODEL."
            )
        _defaults[llm] = (name, time.monotonic() + DEFAULT_KEPT_S)
    return name


async def abilities_of(model: str) -> Abilities:
    """What the endpoint tells of `model`: at most two seconds, then nothing is known of it.

    Only for a question that is about more than every model takes: a long
    talk, or a picture. So most questions wait for no second request.
    """
    llm = await providers.chat_model()
    kept, until = _abilities.get(llm, ({}, 0.0))
    if time.monotonic() > until:
        try:
            async with asyncio.timeout(ABILITIES_WITHIN_S):
                await _listed(llm)
        except (TrainerBotError, TimeoutError) as error:
            log.info("What the models can do is not known: %s", error)
            _abilities[llm] = (kept, time.monotonic() + ABILITIES_KEPT_S)
        kept, _ = _abilities[llm]
    return kept.get(model) or by_name(model)


async def _listed(llm: ChatModel) -> list[ModelInfo]:
    rows = await llm.models()
    known = {row.id: abilities(row) for row in rows}
    _abilities[llm] = (known, time.monotonic() + ABILITIES_KEPT_S)
    return rows
