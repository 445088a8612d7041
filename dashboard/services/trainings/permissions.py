"""Whether what people wrote on Discord may be trained on: only with Discord's own permission.

Discord's developer policy forbids it without. The words of a correction are
no such content: whoever wrote them gave them to the bot in a form or command.
But the question beside them often is what somebody wrote in a channel.
"""

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from dashboard.models import Provenance, Training
from dashboard.services import access, audit, outbox, storage
from dashboard.services.access import Permission
from trainerbot.errors import Conflict, InvalidInput

REFERENCE: Final = "what people taught"
LEAST_CHARACTERS: Final = 10
MOST_CHARACTERS: Final = 2_000


def current() -> Provenance | None:
    """The permission in an admin's words, while there is one."""
    rows = Provenance.objects.filter(
        source=Provenance.Source.DISCORD_MESSAGE, reference=REFERENCE
    ).exclude(permission="")
    return rows.select_related("permitted_by").order_by("-pk").first()


@transaction.atomic
def permit(words: str, *, actor: User, topic: str) -> Provenance:
    """Record that Discord permits training on the questions that corrections answer.

    Raises NotAllowed for others than admins and InvalidInput for words that say nothing.
    """
    access.require(actor, Permission.PERMIT)
    words = words.strip()
    storage.check_text(words, what="The permission")
    if not LEAST_CHARACTERS <= len(words) <= MOST_CHARACTERS:
        raise InvalidInput(
            "Say who permitted it and where that is written, so that it can be checked later."
        )
    row = Provenance.objects.create(
        source=Provenance.Source.DISCORD_MESSAGE,
        reference=REFERENCE,
        permission=words,
        permitted_by=actor,
        permitted_at=now(),
    )
    audit.record(actor, "training.permit", REFERENCE, permission=words)
    outbox.publish(topic, "training.permission")
    return row


@transaction.atomic
def withdraw(*, actor: User, topic: str) -> None:
    """End the permission: no job that is not begun yet learns such words. Raises as `permit` does."""
    access.require(actor, Permission.PERMIT)
    rows = Provenance.objects.filter(
        source=Provenance.Source.DISCORD_MESSAGE, reference=REFERENCE
    ).exclude(permission="")
    if not rows.update(permission=""):
        raise Conflict("There is no permission that could be withdrawn.")
    # What trainings under way have stored already goes to no job; each is told so in words.
    Stage = Training.Stage
    waiting = Q(stage__in=(Stage.PICKING, Stage.FREEZING)) | Q(stage=Stage.TUNING, job=None)
    waiting |= Q(stage=Stage.TUNING, way__endswith="+dpo")
    waiting |= Q(stage=Stage.PREFERRING, preference_job=None)
    stored = Training.objects.unfinished().filter(waiting).values_list("pk", flat=True)
    Provenance.objects.filter(
        source=Provenance.Source.DISCORD_MESSAGE,
        reference__in=[f"training {pk}" for pk in stored],
    ).update(permission="")
    audit.record(actor, "training.forbid", REFERENCE)
    outbox.publish(topic, "training.permission")
