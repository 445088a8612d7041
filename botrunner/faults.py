"""What people are told when something goes wrong: one safe sentence, never an exception's text."""

import logging
from dataclasses import dataclass

from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

from dashboard.services import incidents
from trainerbot.errors import ProviderRefused, ProviderUnavailable, TrainerBotError

log = logging.getLogger(__name__)

PROCESS = "bot"
OURS = (
    "Something went wrong on our side and was logged. Try again; if it stays, tell an admin "
    "the reference."
)

# Of an endpoint's own words, address and key people on Discord learn nothing; the log does.
SILENT = "The model does not answer just now. Try again in a while."
REFUSES = "The model refused this. Admins find the reason in the log by the reference."
UNKNOWN = "The model that shall answer here is not there. Ask an admin to choose another one."
# What whoever asked can do something about.
ABOUT_THE_QUESTION = frozenset({"context_length_exceeded", "content_filter", "length"})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was not done, for the person who wanted it.

    reference: it stands in the log; for a fault of ours on the dashboard's
    Bot page as well. As text it is what Discord shows.
    """

    sentence: str
    reference: str

    def __str__(self) -> str:
        return f"{self.sentence}\n-# reference `{self.reference}`"

    @property
    def in_a_line(self) -> str:
        """The same as plain text."""
        return f"{self.sentence} (reference {self.reference})"


async def explain(error: BaseException, doing: str) -> Reason:
    """Return what to tell the person who met `error`, and log what it was.

    doing: what went on, for the log and the dashboard. Errors made for people
    speak for themselves; any other is kept as an Incident, and the person
    learns only its reference.
    """
    if isinstance(error, ProviderUnavailable | ProviderRefused):
        return _of_endpoint(error, doing)
    if isinstance(error, TrainerBotError):
        return refusal(str(error), doing)
    reference = incidents.new_reference()
    log.error("%s went wrong (reference %s)", doing, reference, exc_info=error)
    try:
        await database_sync_to_async(incidents.record)(
            reference, process=PROCESS, doing=doing, error=error
        )
    except (DatabaseError, InterfaceError) as fault:
        # The person must hear of it all the same; the log has the stack.
        log.warning("An incident could not be stored: %s", fault)
    return Reason(OURS, reference)


def _of_endpoint(error: ProviderUnavailable | ProviderRefused, doing: str) -> Reason:
    told = refusal(str(error), doing)
    if isinstance(error, ProviderUnavailable):
        return Reason(SILENT, told.reference)
    if error.code in ABOUT_THE_QUESTION:
        return told
    return Reason(UNKNOWN if error.status == 404 else REFUSES, told.reference)


def refusal(sentence: str, doing: str) -> Reason:
    """Return the reason whose `sentence` is made for people, and log it."""
    reference = incidents.new_reference()
    log.info("%s was refused (reference %s): %s", doing, reference, sentence)
    return Reason(sentence, reference)
