"""From words to sound, by the first of a chain who can; what was spoken before is kept."""

from __future__ import annotations

import asyncio
import time
from typing import Final
from weakref import WeakValueDictionary

from dashboard.services.hops import hop
from dashboard.services.speech import costs, spoken, ways
from dashboard.services.speech.results import CannotSpeak, NothingToSay, Spoken
from dashboard.services.speech.rules import settings_of, speaking_chain
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech import Pcm
from trainerbot.speech.speakable import speakable

read_settings = hop(settings_of)

NOBODY_SPEAKS: Final = "Nobody who could speak can be reached just now."
NOBODY_HERE: Final = "Nobody speaks here yet: an admin has to set up who does."
NOBODY_KNOWS: Final = "Nobody who could speak here knows this language."
SENTENCES: Final = ways.Sentences(NOBODY_HERE, NOBODY_SPEAKS, NOBODY_KNOWS)
NOTHING: Final = "There is nothing in this that could be spoken."


async def say(
    text: str,
    *,
    language: str,
    guild_id: int | None = None,
    payer_id: int | None = None,
    is_urgent: bool = False,
    asked_at: float | None = None,
) -> Spoken:
    """Return `text` as sound: cleaned of what is for the eye only, and not too long.

    language: a BCP 47 tag. guild_id: Discord's own, whose chain and voice speak.
    payer_id: Discord's id of whoever it is said to: what is made for them is
    counted in their month and their guild's. is_urgent: that is counted, and the
    sound kept for the next time, behind what follows. asked_at: time.time()
    when they asked, now if not said: nothing is kept of who was erased since.
    Raises NothingToSay where nothing is left of it, CannotSpeak when nobody of
    the chain could be asked.
    """
    words = speakable(text)
    if not words:
        raise NothingToSay(NOTHING)
    asked_at = time.time() if asked_at is None else asked_at
    row = await read_settings(guild_id)
    chain = speaking_chain(row)
    failures = ways.Failures("speak", SENTENCES)
    for name in ways.in_order(chain, language):
        # A voice is one of its provider's: those who step in speak with their own.
        voice = row.voice if name == chain[0] else ""
        key = spoken.Key(name, voice, language, words)
        async with _turn(key):
            if (kept := await _find(key)) is not None:
                return Spoken(kept, name, voice, is_cached=True)
            try:
                way = await ways.speaking(name)
                sound = await way.client.speak(
                    words, model=way.model, language=language, voice=voice
                )
            except (ProviderUnavailable, ProviderRefused) as error:
                failures.note(name, language, error)
                continue
            ways.note_answer(name, language)
            made = _fresh[key] = _Made(sound)
            await costs.settle(_keep(key, made, asked_at), later=is_urgent)
            if payer_id is not None:
                counting = costs.note_spoken(name, words, guild_id=guild_id, payer_id=payer_id)
                await costs.settle(counting, later=is_urgent)
            return Spoken(sound, name, voice)
    raise CannotSpeak(failures.problem)


# --- what was spoken before, or is being spoken -------------------------------------------
class _Made:
    """A sound that nobody has kept yet."""

    def __init__(self, sound: Pcm) -> None:
        self.sound = sound


# Held by whoever is about to keep them: a sound that is put off is found all the same.
_fresh: Final[WeakValueDictionary[spoken.Key, _Made]] = WeakValueDictionary()
_turns: Final[WeakValueDictionary[tuple[asyncio.AbstractEventLoop, spoken.Key], asyncio.Lock]] = (
    WeakValueDictionary()
)


def _turn(key: spoken.Key) -> asyncio.Lock:
    """Who wants the same at the same moment waits for it, and does not pay for it again."""
    # A lock is of one loop, and a process may have several.
    return _turns.setdefault((asyncio.get_running_loop(), key), asyncio.Lock())


async def _find(key: spoken.Key) -> Pcm | None:
    made = _fresh.get(key)
    return made.sound if made else await asyncio.to_thread(spoken.find, key)


async def _keep(key: spoken.Key, made: _Made, asked_at: float) -> None:
    await asyncio.to_thread(spoken.keep, key, made.sound, asked_at=asked_at)
