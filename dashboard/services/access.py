"""Who may do what: one matrix for the dashboard and the bot."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from trainerbot.errors import NotAllowed

TRAINERS = "trainers"  # the Django group


class Role(StrEnum):
    ANONYMOUS = "anonymous"
    MEMBER = "member"
    TRAINER = "trainer"
    ADMIN = "admin"


class Permission(StrEnum):
    CHAT = "chat with the bot"
    PROPOSE = "propose corrections"
    VIEW = "see everybody's conversations, datasets and jobs"
    REVIEW = "approve and reject corrections"
    DATA = "add and delete datasets"
    TRAIN = "start and cancel fine-tunes"
    SETTINGS = "change how the bot answers"
    PERMIT = "record that others permitted training on their words"
    FILES = "fetch files of the library"


_MEMBER = frozenset({Permission.CHAT, Permission.PROPOSE})
_TRAINER = _MEMBER | {Permission.VIEW, Permission.REVIEW, Permission.DATA, Permission.TRAIN}
MATRIX: dict[Role, frozenset[Permission]] = {
    Role.ANONYMOUS: frozenset(),
    Role.MEMBER: _MEMBER,
    Role.TRAINER: _TRAINER,
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, on either face: with an account of the dashboard, or known by Discord.

    `role` was found out at the door; of a Discord user it counts in one guild.
    """

    role: Role
    name: str
    user: User | None = None
    discord_user_id: int | None = None


Actor = AbstractBaseUser | AnonymousUser | Person | None


def role_of(user: Actor) -> Role:
    """The highest role of a dashboard account, or of a person where they act."""
    if isinstance(user, Person):
        return user.role
    if not isinstance(user, User) or not user.is_active:
        return Role.ANONYMOUS
    if user.is_superuser:
        return Role.ADMIN
    if user.groups.filter(name=TRAINERS).exists():
        return Role.TRAINER
    return Role.MEMBER


def can(user: Actor, permission: Permission) -> bool:
    return permission in MATRIX[role_of(user)]


def require(user: Actor, permission: Permission) -> None:
    """Raise NotAllowed, in words, unless `user` may do this."""
    role = role_of(user)
    if permission in MATRIX[role]:
        return
    match role:
        case Role.ANONYMOUS:
            raise NotAllowed(f"Sign in to {permission}.")
        case Role.MEMBER | Role.TRAINER | Role.ADMIN:
            raise NotAllowed(f"A {role} may not {permission}. Ask an admin for a higher role.")
        case _:
            assert_never(role)
