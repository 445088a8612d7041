"""Faults on our side, kept under the reference that a person was told."""

import secrets
import traceback

from dashboard.models import Incident
from dashboard.services import outbox
from trainerbot.errors import NotFound

TOPIC = "system"
MOST_KEPT = 1_000


def new_reference() -> str:
    """Six hexadecimal digits to tell a person, and to find the fault by."""
    return secrets.token_hex(3)


def record(reference: str, *, process: str, doing: str, error: BaseException) -> None:
    """Keep what happened, without the exception's own text: it may hold people's words or keys."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    incident, created = Incident.objects.get_or_create(
        reference=reference,
        defaults={
            "process": process,
            "doing": doing[:200],
            "error": f"{type(error).__name__}{place}"[:200],
        },
    )
    if created:
        Incident.objects.filter(pk__lte=incident.pk - MOST_KEPT).delete()
        outbox.publish(TOPIC, "incident.new", id=incident.pk)


def latest(process: str, *, most: int = 20) -> list[Incident]:
    """The newest faults of one part of the system, newest first."""
    return list(Incident.objects.filter(process=process).order_by("-pk")[:most])


def find(pk: int) -> Incident:
    """What is kept of one fault. Raises NotFound."""
    incident = Incident.objects.filter(pk=pk).first()
    if incident is None:
        raise NotFound("Nothing is kept of that error any more; the log may still have it.")
    return incident
