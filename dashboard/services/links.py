"""Which account and which Discord user are one person: shown by a code, and undone by either.

A link permits nothing: what somebody may is told by their account on the
dashboard and by their roles on Discord, as before. It says who has one vote.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from dashboard.models import DiscordLink, DiscordUser, LinkCode, LinkTry, SuiteVote
from dashboard.services import audit, corrections, people
from dashboard.services.access import Person
from trainerbot.errors import Conflict, InvalidInput, NotAllowed, NotFound

VALID_FOR: Final = timedelta(minutes=10)
WINDOW: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
# Without what is read for something else: 0 and O, 1, I and L. Eight of 31 are 40 bits.
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH: Final = 8

WRONG: Final = (
    "That code is wrong, or a newer one took its place. Compare it with the one under Account "
    "on the dashboard."
)
USED: Final = "That code was used already. Each works once: make a new one under Account."
EXPIRED: Final = "That code is older than 10 minutes. Make a new one under Account."
TOO_OFTEN: Final = "Too many codes that did not work. Wait 10 minutes, then try again."
NOT_LINKED: Final = "Your Discord user is linked to no account."


@dataclass(frozen=True, slots=True)
class Standing:
    """The link of an account, or until when a code that was made for it works."""

    link: DiscordLink | None
    code_until: datetime | None


def standing(user: User) -> Standing:
    link = DiscordLink.objects.filter(user=user).select_related("discord_user").first()
    waiting = LinkCode.objects.filter(user=user, used_at=None, expires_at__gt=now())
    return Standing(link, waiting.values_list("expires_at", flat=True).first())


def account_of(discord_user_id: int) -> str:
    """The name of the account that a Discord user is linked to; "" for none."""
    theirs = DiscordLink.objects.filter(discord_user__discord_user_id=discord_user_id)
    return theirs.values_list("user__username", flat=True).first() or ""


@transaction.atomic
def make_code(user: User) -> str:
    """A fresh code, such as "K7QF-3M9X", which takes the place of any other of this account.

    Raises Conflict where the account is linked.
    """
    if standing(user).link is not None:
        raise Conflict("Your account is linked to a Discord user already. Unlink it first.")
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    LinkCode.objects.update_or_create(
        user=user,
        defaults={"digest": _digest(code), "expires_at": now() + VALID_FOR, "used_at": None},
    )
    audit.record(user, "link.code", str(user))
    return f"{code[:4]}-{code[4:]}"


def redeem(*, person: Person, code: str) -> User:
    """Link a person of Discord to the account for which `code` was made, and return that.

    Raises, in words, InvalidInput for a code that is wrong, Conflict for one that
    was used or is too old and where either side is linked, NotAllowed for whoever
    has tried too often.
    """
    discord_user = people.on_discord(person)
    if discord_user is None:
        raise NotAllowed("Codes are given on Discord.")
    _count_try(discord_user)
    return _redeem(person, discord_user, code)


@transaction.atomic
def unlink(user: User) -> None:
    """Part an account and its Discord user. Raises NotFound where there is no link."""
    _drop(DiscordLink.objects.filter(user=user), by=user, otherwise="Your account is not linked.")


@transaction.atomic
def unlink_on_discord(person: Person) -> str:
    """The same from Discord; the name of the account that it was. Raises NotFound."""
    if person.discord_user_id is None:
        raise NotFound(NOT_LINKED)
    theirs = DiscordLink.objects.filter(discord_user__discord_user_id=person.discord_user_id)
    return _drop(theirs, by=person, otherwise=NOT_LINKED)


def forget(discord_user: DiscordUser) -> None:
    """Drop what links somebody who wants to be forgotten. What they chose in polls stays the account's."""
    link = DiscordLink.objects.filter(discord_user=discord_user).first()
    if link is not None:
        SuiteVote.objects.filter(voter=link.user_id, poll__isnull=False).update(poll=None)
        link.delete()
    LinkTry.objects.filter(discord_user=discord_user).delete()


@transaction.atomic
def _count_try(discord_user: DiscordUser) -> None:
    """Count a try before its code is looked at; success takes it back.

    Counted first, and by one at a time, so that a hundred tries at once are a hundred, too.
    """
    if account := account_of(discord_user.discord_user_id):
        raise Conflict(
            f"Your Discord user is linked to the account {account} already. `/unlink` ends that."
        )
    DiscordUser.objects.select_for_update().get(pk=discord_user.pk)
    LinkTry.objects.filter(tried_at__lt=now() - WINDOW).delete()
    if LinkTry.objects.filter(discord_user=discord_user).count() >= MOST_TRIES:
        raise NotAllowed(TOO_OFTEN)
    LinkTry.objects.create(discord_user=discord_user)


@transaction.atomic
def _redeem(person: Person, discord_user: DiscordUser, code: str) -> User:
    codes = LinkCode.objects.select_for_update(of=("self",)).select_related("user")
    row = codes.filter(digest=_digest(code), user__is_active=True).first()
    if row is None:
        raise InvalidInput(WRONG)
    if row.used_at is not None:
        raise Conflict(USED)
    if row.expires_at <= now():
        raise Conflict(EXPIRED)
    try:
        with transaction.atomic():
            DiscordLink.objects.create(user=row.user, discord_user=discord_user)
    except IntegrityError as error:
        raise Conflict(
            f"The account {row.user} or your Discord user was linked meanwhile. "
            "Look under Account on the dashboard."
        ) from error
    DiscordUser.objects.filter(pk=discord_user.pk).update(name=person.name[:100])
    row.used_at = now()
    row.save(update_fields=["used_at"])
    LinkTry.objects.filter(discord_user=discord_user).delete()
    n_gone = corrections.join(row.user, discord_user)
    audit.record(person, "link.make", f"account {row.user}", votes_joined=n_gone)
    return row.user


def _drop(found: QuerySet[DiscordLink], *, by: User | Person, otherwise: str) -> str:
    link = found.select_related("user", "discord_user").first()
    if link is None:
        raise NotFound(otherwise)
    account = link.user.get_username()
    audit.record(
        by,
        "link.drop",
        f"account {account}",
        discord_user_id=link.discord_user.discord_user_id,
    )
    link.delete()
    return account


def _digest(code: str) -> str:
    # Keyed: who reads the table can try all codes, but not without the key.
    letters = "".join(each for each in code.upper() if each.isalnum())
    return salted_hmac("link-code", letters, algorithm="sha256").hexdigest()
