"""Who takes on a correction, and what is said about it."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from dashboard.models import Correction, CorrectionComment
from dashboard.services import access, audit, storage
from dashboard.services.access import TRAINERS, Permission
from dashboard.services.corrections.finding import no_such
from dashboard.services.corrections.steps import announce
from trainerbot.errors import InvalidInput

LONGEST_COMMENT = 4_000


def reviewers() -> QuerySet[User]:
    """Everybody with an account who may review."""
    may = Q(is_superuser=True) | Q(groups__name=TRAINERS)
    return User.objects.filter(may, is_active=True).distinct().order_by("username")


@transaction.atomic
def assign(*, correction: Correction, assignee: User | None, actor: User) -> Correction:
    """Let `assignee` take it on, or nobody. Raises InvalidInput for whoever may not review."""
    if assignee is not None and not access.can(assignee, Permission.REVIEW):
        raise InvalidInput(f"{assignee} may not review corrections. Choose somebody who may.")
    if not Correction.objects.filter(pk=correction.pk).update(assignee=assignee):
        raise no_such()
    name = assignee.get_username() if assignee is not None else ""
    audit.record(actor, "correction.assign", f"correction {correction.pk}", to=name)
    announce(correction)
    correction.refresh_from_db()
    return correction


@transaction.atomic
def comment(*, correction: Correction, text: str, author: User) -> CorrectionComment:
    """Say something about a correction. Raises InvalidInput for nothing, or too much."""
    if not text.strip():
        raise InvalidInput("The comment is empty. Write it out.")
    if len(text) > LONGEST_COMMENT:
        raise InvalidInput(
            f"The comment has {len(text):,} characters; {LONGEST_COMMENT:,} is the most."
        )
    storage.check_text(text, what="The comment")
    if not Correction.objects.select_for_update().filter(pk=correction.pk).exists():
        raise no_such()
    said = CorrectionComment.objects.create(
        correction=correction, author=author, author_name=author.get_username(), text=text
    )
    audit.record(author, "correction.comment", f"correction {correction.pk}", comment=said.pk)
    announce(correction)
    return said
