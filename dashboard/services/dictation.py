"""Questions that are spoken into a page: heard by one request, asked by another.

What was heard travels through the page in a sealed letter, so that the log
tells truly who made out which words, though a page could send any.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Final

from django.contrib.auth.models import User
from django.core import signing

from dashboard.services import speech
from dashboard.services.utterances import Sound
from trainerbot.errors import InvalidInput

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_S: Final = 120.0
VALID_S: Final = 3600
SALT: Final = "dashboard.dictation"
TOO_OLD: Final = "What was said is too long ago. Say it again."


def check_size(n_bytes: int) -> None:
    """Raise InvalidInput for a sound that is empty or too large to listen to."""
    if n_bytes == 0:
        raise InvalidInput("The file is empty. Record again, or choose another one.")
    if n_bytes > MOST_BYTES:
        raise InvalidInput(f"The file is too large: {MOST_BYTES // 2**20} MiB is the most.")


async def hear(
    data: bytes, *, content_type: str, language: str, guild_id: int | None = None
) -> Sound:
    """Return what was made out in a recorded or chosen file. Keeps nothing of it.

    Raises what `speech.hear` raises: a failure is never given as words.
    """
    began_at = time.monotonic()
    heard = await speech.hear(
        data,
        content_type=content_type,
        language=language,
        guild_id=guild_id,
        most_s=MOST_S,
    )
    return Sound(
        heard.text,
        heard.language,
        heard.provider,
        duration_s=heard.duration_s,
        stages_ms={"heard": round((time.monotonic() - began_at) * 1000)},
    )


def seal(sound: Sound, *, user: User) -> str:
    """Return a letter for the page of `user`, which `opened` reads within an hour."""
    return signing.dumps({"user": user.pk, **asdict(sound)}, salt=SALT, compress=True)


def opened(letter: str, *, user: User) -> Sound:
    """Return what was heard. Raises InvalidInput for a letter that is none of ours, or too old."""
    try:
        content = signing.loads(letter, salt=SALT, max_age=VALID_S)
    except signing.SignatureExpired as error:
        raise InvalidInput(TOO_OLD) from error
    except signing.BadSignature as error:
        raise InvalidInput("What was said got lost on its way. Say it again.") from error
    if content.pop("user") != user.pk:
        raise InvalidInput(TOO_OLD)
    return Sound(**content)
