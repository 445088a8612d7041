"""What people are told when something goes wrong: one safe sentence, never an exception's text."""

import logging

from channels.db import database_sync_to_async
from django.db import DatabaseError

from dashboard.services import incidents
from trainerbot.errors import TrainerBotError

log = logging.getLogger(__name__)

PROCESS = "bot"


async def explain(error: BaseException, doing: str, *, referenced: bool = False) -> str:
    """Return the sentence for the person who met `error`, and log what it was.

    doing: what went on, for the log and the dashboard. Errors made for people
    speak for themselves, with a reference if `referenced`; of any other the
    person learns only a reference, which stands in the log beside the stack
    and on the dashboard's Bot page.
    """
    if isinstance(error, TrainerBotError):
        if referenced:
            return refusal(str(error), doing)
        log.warning("%s: %s", doing, error)
        return str(error)
    reference = incidents.new_reference()
    log.error("%s went wrong (reference %s)", doing, reference, exc_info=error)
    try:
        await database_sync_to_async(incidents.record)(
            reference, process=PROCESS, doing=doing, error=error
        )
    except DatabaseError as fault:
        # The person must hear of it all the same; the log has the stack.
        log.warning("An incident could not be stored: %s", fault)
    return (
        "Something went wrong on our side and was logged. "
        f"Try again; if it stays, tell an admin this reference: `{reference}`."
    )


def refusal(sentence: str, doing: str) -> str:
    """Return `sentence`, made for people, with a small reference by which the log knows it."""
    reference = incidents.new_reference()
    log.info("%s was refused (reference %s): %s", doing, reference, sentence)
    return f"{sentence}\n-# reference `{reference}`"
