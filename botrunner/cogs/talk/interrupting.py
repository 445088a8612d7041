"""An answer that comes while it may be interrupted, and what is left of it then."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from botrunner.voice.desk import Answer
from botrunner.voice.playback import Speech
from dashboard.services import chat
from dashboard.services.chat import Ready
from trainerbot.conversation import Finished, prompting
from trainerbot.llm import Usage


@dataclass(slots=True)
class Stream:
    """What came of an answer so far."""

    said: str = ""
    finished: Finished | None = None


async def until_cut(speech: Speech) -> None:
    """Wait until somebody interrupts a speech; for ever, if it only comes to its end."""
    heard = await speech.over()
    if not heard.was_cut:
        await asyncio.Event().wait()


async def broken_off(ready: Ready, stream: Stream, began: float, answer: Answer) -> Finished:
    """Return what there is of an answer that somebody interrupted, as far as it may be logged."""
    first_word_at = answer.first_word_at or began
    return Finished(
        text=stream.said,
        model=ready.wanted_model or await chat.default_model(),
        correction_id=None,
        example_ids=(),
        usage=Usage(completion_tokens=prompting.tokens_in(stream.said)),
        first_token_ms=max(1, round(1000 * (first_word_at - began))),
        total_ms=round(1000 * (time.monotonic() - began)),
        finish_reason="interrupted",
        system_fingerprint=None,
    )
