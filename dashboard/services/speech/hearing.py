"""From sound to words, by the first of a chain who can."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from dashboard.services.hops import hop
from dashboard.services.speech import costs, ways
from dashboard.services.speech.results import CannotHear, Heard
from dashboard.services.speech.rules import hearing_chain, settings_of
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech import NothingHeard, Pcm, Transcript, UnreadableAudio

log = logging.getLogger(__name__)

read_settings = hop(settings_of)

MOST_S: Final = 600.0
"""A sound that is longer is not listened to."""

# One file after the other: with each more at work the event loop waits longer for its turn.
_DECODING: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decoding")

NOBODY_HEARS: Final = (
    "Nobody who could listen can be reached just now. Write it instead, or try again in a while."
)
NOBODY_HERE: Final = "Nobody listens here yet: an admin has to set up who does. Write it instead."
NOBODY_KNOWS: Final = (
    "Nobody who could listen here understands this language. Write it instead, or choose another "
    "one with the command `language`."
)

SENTENCES: Final = ways.Sentences(NOBODY_HERE, NOBODY_HEARS, NOBODY_KNOWS)


async def hear(
    data: bytes,
    *,
    content_type: str = "",
    language: str,
    guild_id: int | None = None,
    most_s: float = MOST_S,
) -> Heard:
    """Return the words in a sound file: what it is, its bytes tell.

    content_type: what it says it is, for the log. language: a BCP 47 tag.
    guild_id: Discord's own, whose chain hears.
    Raises UnreadableAudio for what holds no sound or more than `most_s`,
    NothingHeard where no words were made out, CannotHear when nobody of the
    chain could be asked. A failure is never given as a text.
    """
    log.debug("A sound of %d bytes came as %r.", len(data), content_type)
    sound = await decoded(data, most_s=most_s)
    return await hear_pcm(sound, language=language, guild_id=guild_id)


async def decoded(data: bytes, *, most_s: float = MOST_S) -> Pcm:
    """Return the sound in a file, whatever it says it is. Raises UnreadableAudio as `hear`."""
    return await asyncio.get_running_loop().run_in_executor(_DECODING, _decoded, data, most_s)


async def hear_pcm(
    sound: Pcm,
    *,
    language: str,
    guild_id: int | None = None,
    payer_id: int | None = None,
    is_urgent: bool = False,
) -> Heard:
    """The same for sound that is decoded, as it comes from a call.

    payer_id: Discord's id of whoever said it: it is counted in their month and their guild's.
    is_urgent: it is counted behind what follows, for whom each millisecond counts.
    """
    row, data = await asyncio.gather(read_settings(guild_id), asyncio.to_thread(_prepared, sound))
    chain = hearing_chain(row)
    failures = ways.Failures("listen", SENTENCES)
    for name in ways.in_order(chain, language):
        transcript: Transcript | NothingHeard
        try:
            way = await ways.hearing(name)
            transcript = await way.client.transcribe(
                data,
                content_type="audio/wav",
                model=way.model,
                language=language,
                duration_s=sound.duration_s,
            )
        except NothingHeard as nothing:
            transcript = nothing  # which they have listened for all the same
        except UnreadableAudio:
            ways.note_answer(name, language)
            raise
        except (ProviderUnavailable, ProviderRefused) as error:
            failures.note(name, language, error)
            continue
        ways.note_answer(name, language)
        if payer_id is not None:
            counting = costs.note_heard(
                name, sound.duration_s, guild_id=guild_id, payer_id=payer_id
            )
            await costs.settle(counting, later=is_urgent)
        if isinstance(transcript, NothingHeard):
            raise transcript
        return Heard(transcript.text, transcript.language or language, name, sound.duration_s)
    raise CannotHear(failures.problem)


def _decoded(data: bytes, most_s: float) -> Pcm:
    # PyAV takes a third of a second to import, which a process that hears nothing is spared.
    from trainerbot.speech import audio

    return audio.decode(data, most_s=most_s)


def _prepared(sound: Pcm) -> bytes:
    """Return a sound as a file, without the silence around it, at an even level."""
    from trainerbot.speech import audio

    if not sound.data.strip(b"\x00"):
        raise NothingHeard  # and nobody needs to listen to nothing
    return audio.encode(audio.levelled(audio.trimmed(sound)), "wav")
