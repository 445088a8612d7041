"""The ways to those who hear and speak: our own server, or the configured endpoint."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.conf import settings

from dashboard.services import providers
from dashboard.services.speech.rules import OPENAI
from trainerbot.errors import ProviderRefused, ProviderUnavailable, TrainerBotError
from trainerbot.speech import SpeechAbsent, Standing
from trainerbot.speech.registry import RECOGNIZERS, SYNTHESIZERS

if TYPE_CHECKING:
    from trainerbot.speech.endpoint import SpeechEndpoint

log = logging.getLogger(__name__)

RESTS_S: Final = 30.0
"""Who cannot be reached, is not set up or does not know a language is asked last for so long."""

NO_ENDPOINT: Final = (
    "No other endpoint is configured: set OPENAI_API_KEY or OPENAI_BASE_URL to use this."
)

UNKNOWN_LANGUAGE: Final = "language_not_supported"  # the code of trainerbot.speech.LanguageUnknown
ANY: Final = ""  # language

# By loop, then name and language: the monotonic second until which somebody is asked last.
_resting: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], float]] = (
    weakref.WeakKeyDictionary()
)


@dataclass(frozen=True, slots=True)
class Way:
    """How a provider is reached: by which client, under which name of a model."""

    client: SpeechEndpoint
    model: str


async def hearing(name: str) -> Way:
    """The way to one who hears. Raises SpeechAbsent where there is none."""
    return await _way(name, str(settings.SPEECH_STT_MODEL))


async def speaking(name: str) -> Way:
    """The way to one who speaks. Raises SpeechAbsent where there is none."""
    return await _way(name, str(settings.SPEECH_TTS_MODEL))


async def _way(name: str, model: str) -> Way:
    if name != OPENAI:
        return Way(await providers.speech_at(providers.speech_server()), name)
    elsewhere = providers.speech_elsewhere()
    if elsewhere is None:
        raise SpeechAbsent(NO_ENDPOINT)
    return Way(await providers.speech_at(elsewhere), model)


def in_order(chain: list[str], language: str) -> list[str]:
    """A chain with those behind who failed in this language, or in any, a moment ago."""
    resting = _resting.get(asyncio.get_running_loop(), {})
    moment = time.monotonic()
    return sorted(
        chain,
        key=lambda name: any(resting.get((name, each), 0.0) > moment for each in (ANY, language)),
    )


def note_failure(name: str, language: str = ANY) -> None:
    """Remember that somebody cannot be asked just now, or not in this language."""
    resting = _resting.setdefault(asyncio.get_running_loop(), {})
    resting[name, language] = time.monotonic() + RESTS_S


def note_answer(name: str, language: str) -> None:
    """Remember that somebody answers in this language."""
    resting = _resting.get(asyncio.get_running_loop(), {})
    for each in (ANY, language):
        resting.pop((name, each), None)


@dataclass(frozen=True, slots=True)
class Sentences:
    """What people are told when nobody of a chain could be asked: what was worst of it.

    nowhere: nobody is set up. unreachable: somebody is, but cannot be reached
    just now. unknown: they do not know the language.
    """

    nowhere: str
    unreachable: str
    unknown: str


class Failures:
    """Why each of a chain failed, and what that comes to. doing: in the log, as "listen"."""

    def __init__(self, doing: str, sentences: Sentences) -> None:
        self._doing = doing
        self._sentences = sentences
        self.problem = sentences.nowhere

    def note(self, name: str, language: str, error: ProviderUnavailable | ProviderRefused) -> None:
        """Remember that somebody failed, so that others are asked before them for a while."""
        if isinstance(error, SpeechAbsent):
            note_failure(name)
            log.info("%s does not %s here: %s", name, self._doing, error)
        elif isinstance(error, ProviderUnavailable):
            note_failure(name)
            self.problem = self._sentences.unreachable
            log.warning("%s could not %s: %s", name, self._doing, error)
        else:
            # Mostly of the language or the voice: the next one may know it.
            if error.code == UNKNOWN_LANGUAGE:
                note_failure(name, language)
            if self.problem != self._sentences.unreachable:
                self.problem = self._sentences.unknown
            log.info("%s does not %s: %s", name, self._doing, error)


async def standings() -> list[Standing]:
    """Who can be used now, who cannot, and why, in words. Raises nothing.

    Whoever hears and speaks by different means has a row for each.
    """
    elsewhere = Standing(
        OPENAI,
        hears=True,
        speaks=True,
        problem="" if providers.speech_elsewhere() else NO_ENDPOINT,
        is_offline=False,
    )
    try:
        client = await providers.speech_at(providers.speech_server())
        return [elsewhere, *await client.standings()]
    except TrainerBotError as error:
        absent = Standing("", hears=False, speaks=False, problem=str(error))
        return [
            elsewhere,
            *(replace(absent, name=name, hears=True) for name in RECOGNIZERS),
            *(replace(absent, name=name, speaks=True) for name in SYNTHESIZERS),
        ]
