"""What stands around an answer: its small last lines, and why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from botrunner.replies import clip, close_fence
from trainerbot.conversation import Finished

CUT_SHORT = "The bot is being restarted and could not finish this answer. Ask again in a moment."
GOES_ON = "-# The bot is being restarted. It goes on with this answer by itself."
CANNOT_READ = (
    "I may not read messages here unless they mention me. Reply with the mention switched on."
)
HOW_TO_ASK = "What would you like to know? Write your question behind my name, or use `/ask`."
NOTHING_SAID = "The model answered with nothing. Ask again."
UNSEEN = "This model cannot see pictures, so I answered the words alone."
MAX_TITLE_CHARACTERS = 80


def with_marks(finished: Finished, warning: str, notes: Sequence[str]) -> str:
    """Return the answer's text with small last lines.

    They say that a correction gave it, what could not be read, and what the
    asker should know of their budget.
    """
    marks = list(notes)
    if finished.unseen:
        marks.append(UNSEEN)
    if warning:
        marks.append(warning)
    if finished.correction_id is not None:
        marks.append(f"corrected · #{finished.correction_id}")
    if not marks:
        return finished.text
    return "\n".join([close_fence(finished.text), *(f"-# {mark}" for mark in marks)])


def broken_off(said: str, sentence: str) -> str:
    """Return what was said so far, with a sentence about why there is no more."""
    return f"{close_fence(said)}\n\n{sentence}" if said.strip() else sentence


def title_of(question: str) -> str:
    """Return the name of the thread in which a long answer goes on."""
    return clip(" ".join(question.split()), MAX_TITLE_CHARACTERS) or "The whole answer"
