"""An account and a Discord user turn out to be one person, who has one vote."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from dashboard.models import Correction, CorrectionVote, DiscordUser
from dashboard.services import access
from dashboard.services.access import Role
from dashboard.services.corrections.steps import State, announce, touch
from dashboard.services.corrections.votes import LATEST_LAST, tallies

AT_ONCE = 500  # ids in one query


@transaction.atomic
def join(user: User, discord_user: DiscordUser) -> int:
    """Let both have one vote on each correction, the later one; return how many votes went.

    The vote is of both from now on, also when they are parted again. What was
    decided stays decided, and nothing that waits is decided by this.
    """
    theirs = CorrectionVote.objects.filter(Q(user=user) | Q(discord_user=discord_user))
    # Nobody votes on these meanwhile, in the order in which everybody locks them.
    about = Correction.objects.filter(pk__in=theirs.values("correction")).order_by("pk")
    list(about.select_for_update().values_list("pk", flat=True))
    gone = dict(_on_own_words(theirs, user, discord_user).values_list("pk", "correction_id"))
    last: dict[int, int] = {}
    votes = theirs.exclude(pk__in=_on_own_words(theirs, user, discord_user).values("pk"))
    for pk, correction in votes.order_by(*LATEST_LAST).values_list("pk", "correction_id"):
        if correction in last:
            gone[last[correction]] = correction
        last[correction] = pk
    ids = sorted(gone)
    for begin in range(0, len(ids), AT_ONCE):
        CorrectionVote.objects.filter(pk__in=ids[begin : begin + AT_ONCE]).delete()
    theirs.update(user=user, discord_user=discord_user)
    _count_anew(sorted(set(gone.values())))
    return len(ids)


def _on_own_words(
    theirs: QuerySet[CorrectionVote], user: User, discord_user: DiscordUser
) -> QuerySet[CorrectionVote]:
    """Votes by which somebody reviewed their own words, which still wait; an admin may."""
    if access.role_of(user) is Role.ADMIN:
        return theirs.none()
    waiting = theirs.filter(correction__state=State.PROPOSED)
    by_discord = Q(correction__author=user) & ~Q(user=user)
    by_account = Q(correction__discord_author=discord_user) & ~Q(discord_user=discord_user)
    return waiting.filter(by_discord | by_account)


def _count_anew(ids: list[int]) -> None:
    """Say of what still waits whether people disagree, and show everywhere how they voted."""
    for begin in range(0, len(ids), AT_ONCE):
        some = ids[begin : begin + AT_ONCE]
        rows = Correction.objects.filter(pk__in=some, state=State.PROPOSED).select_related(
            "message__conversation__discord_channel"
        )
        found = list(rows)
        counted = tallies(found)
        for row in found:
            is_disputed = counted[row.pk].is_disputed
            Correction.objects.filter(pk=row.pk).update(is_disputed=is_disputed)
            touch(row)
            announce(row)
