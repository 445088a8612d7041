"""A speech that was heard in pieces, because it grew too long for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dashboard.services.speech import Heard as Words
from trainerbot.errors import TrainerBotError
from trainerbot.speech import NothingHeard


def joined(pieces: Sequence[Words | TrainerBotError]) -> Words | TrainerBotError:
    """Return the words of a whole speech; the error where any of it was not made out.

    A piece without a word is no error beside others: somebody fell silent just then.
    """
    said = [each for each in pieces if isinstance(each, Words)]
    errors = [each for each in pieces if isinstance(each, TrainerBotError)]
    failed = [each for each in errors if not isinstance(each, NothingHeard)]
    if failed or not said:
        return (failed or errors)[0]
    return replace(
        said[-1],
        text=" ".join(each.text for each in said),
        duration_s=sum(each.duration_s for each in said),
    )
