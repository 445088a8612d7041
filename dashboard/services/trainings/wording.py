"""A question in a reviewer's own words, so that nothing of Discord's has to be learned."""

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import Correction, Source
from dashboard.services import access, audit, corrections, foresight, outbox
from dashboard.services.access import Permission
from dashboard.services.corrections import check_question
from trainerbot.errors import InvalidInput


@transaction.atomic
def reword(correction: Correction, words: str, *, actor: User) -> Correction:
    """Keep how a reviewer would ask what a correction answers; empty to take it back.

    Only a training reads it: recall and tests go on with what was asked.
    Raises InvalidInput for the very words of a Discord message, and for what
    no question can be.
    """
    access.require(actor, Permission.REVIEW)
    words = words.strip()
    if words:
        check_question(words)
        message = correction.message
        is_discord = message is not None and message.source == Source.DISCORD
        if is_discord and foresight.says_the_same(words, correction.question):
            raise InvalidInput(
                "These are the words of the Discord message. Write how you would ask it yourself."
            )
    correction.own_question = words
    correction.save(update_fields=["own_question", "updated_at"])
    audit.record(actor, "correction.reword", f"correction {correction.pk}")
    outbox.publish(
        corrections.TOPIC, "correction.changed", id=correction.pk, state=correction.state
    )
    return correction
