"""The last word of an answer: posted again while Discord is away, explained where it is refused."""

from __future__ import annotations

import asyncio
import logging

import discord

from botrunner.faults import refusal
from botrunner.replies import OUT_OF_REACH, LiveReply
from botrunner.speaking import CANNOT_SPEAK, is_missing, tell_directly

log = logging.getLogger(__name__)

# Beyond the seconds that each request is tried again for by itself.
AGAIN_S = (10.0, 30.0, 60.0, 120.0)
NOT_TAKEN = "Discord did not take my answer to you, or not all of it. Ask again."


async def post_last(
    live: LiveReply, text: str, *, view: discord.ui.View, title: str
) -> list[discord.Message]:
    """Let `text` be the answer, also if Discord is away for some minutes.

    Raises what Discord refused it with. Whoever is cancelled meanwhile has
    logged no answer, so the next process gives one.
    """
    for pause_s in (*AGAIN_S, None):
        try:
            return await live.finish(text, view=view, title=title)
        except OUT_OF_REACH as error:
            if pause_s is None or not _is_away(error):
                raise
            log.warning("An answer waits %.0f s for Discord: %s", pause_s, error)
            await asyncio.sleep(pause_s)
    raise AssertionError("The last try returns or raises.")


def _is_away(error: Exception) -> bool:
    """Whether Discord may take the same later; what it refuses it would refuse again."""
    return not isinstance(error, discord.HTTPException) or error.status >= 500


async def tell_refusal(live: LiveReply, error: BaseException, doing: str) -> str:
    """Tell the asker directly that their answer was refused; the words, as they are logged."""
    log.warning("%s was refused: %s", doing, error)
    reason = refusal(CANNOT_SPEAK if is_missing(error) else NOT_TAKEN, doing)
    await tell_directly(live.asker, str(reason))
    return reason.in_a_line
