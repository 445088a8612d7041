"""Accounts of the dashboard, the first one above all; and the rows of people on Discord."""

import contextlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from dashboard.models import DiscordLink, DiscordUser
from dashboard.services import audit
from dashboard.services.access import Person
from trainerbot.errors import NotAllowed

FIRST_ADMIN = "admin"
LINK_USED = (
    "This link was used before or is not the newest. "
    "`python3 run.py manage adminlink` prints a fresh one."
)


def _token_path() -> Path:
    return Path(settings.DATA_DIR) / "first_admin_token"


def needs_first_admin() -> bool:
    """No admin can sign in with a password yet."""
    return not any(
        user.has_usable_password()
        for user in User.objects.filter(is_superuser=True, is_active=True)
    )


def first_admin_path() -> str:
    """A fresh address, to be opened once, that signs in as the first admin.

    Made by whoever can write the data folder, which is proof enough of
    owning the machine. Empty once an admin has a password.
    """
    return admin_path() if needs_first_admin() else ""


def admin_path() -> str:
    """A fresh one-time address for the admin account, whether or not it has a password."""
    token = secrets.token_urlsafe(24)
    path = _token_path()
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(token, encoding="ascii")
    return f"/start/{token}/"


@transaction.atomic
def claim_first_admin(token: str) -> User:
    """Return the admin account for a one-time `token`, which is used up by that.

    Raises NotAllowed for a token that is wrong or was used before.
    """
    path = _token_path()
    kept = ""
    with contextlib.suppress(FileNotFoundError):
        kept = path.read_text(encoding="ascii")
    if not kept or not secrets.compare_digest(kept.encode(), token.encode()):
        raise NotAllowed(LINK_USED)
    _use_up(path)
    user = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if user is None:
        user = User(username=FIRST_ADMIN, is_staff=True, is_superuser=True)
        user.set_unusable_password()
        user.save()
    audit.record(user, "admin.link_used", str(user))
    return user


def _use_up(path: Path) -> None:
    """Delete the token: of two who open the link at once, one succeeds, whatever the database."""
    try:
        path.unlink()
    except FileNotFoundError as error:
        raise NotAllowed(LINK_USED) from error


@transaction.atomic
def choose_password(user: User, password: str) -> None:
    """Give `user` a password that a form has checked. It ends all their other sessions."""
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(user, "password.change", str(user))


def on_discord(person: Person) -> DiscordUser | None:
    """The row of a person of Discord, made if they are new; None for one of the dashboard."""
    if person.discord_user_id is None:
        return None
    row, _ = DiscordUser.objects.get_or_create(
        discord_user_id=person.discord_user_id, defaults={"name": person.name[:100]}
    )
    return row


@dataclass(frozen=True, slots=True)
class Identity:
    """One person: their account, their Discord user, and both where they have linked them."""

    user: User | None
    discord_user: DiscordUser | None


def identity(actor: User | Person) -> Identity:
    """Who `actor` is on both faces, as far as it is known."""
    user = actor.user if isinstance(actor, Person) else actor
    discord_id = actor.discord_user_id if isinstance(actor, Person) else None
    links = DiscordLink.objects.select_related("user", "discord_user")
    discord_user = None
    if discord_id is not None:
        discord_user = DiscordUser.objects.filter(discord_user_id=discord_id).first()
    theirs = Q(user=user) if user is not None else Q(discord_user=discord_user)
    link = links.filter(theirs).first()
    return Identity(link.user, link.discord_user) if link else Identity(user, discord_user)
