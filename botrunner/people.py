"""Who asks on Discord, where, and whether they may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import discord
from channels.db import database_sync_to_async
from discord.ext import commands

from dashboard.services import access, audit, places
from dashboard.services.access import Permission, Person, Role
from dashboard.services.places import Place, Rules
from trainerbot.errors import NotAllowed

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

Command = TypeVar("Command", bound=Callable[..., Any])
read_rules = database_sync_to_async(places.rules)


class Denied(commands.CheckFailure):
    """A command that the asker may not use here; its text is for people."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A person at a place on Discord, and what counts for them there.

    channel_ids: the thread, if it is one, then its channel.
    """

    person: Person
    guild_id: int | None
    channel_ids: tuple[int, ...]
    role_ids: frozenset[int]
    rules: Rules

    @property
    def place(self) -> Place:
        """How the bot behaves here."""
        return self.rules.place(self.guild_id, *self.channel_ids)

    def check_listens(self) -> None:
        """Raise NotAllowed where, or to whom, the bot does not answer. Its admins it always does."""
        if self.person.role is not Role.ADMIN:
            self.rules.check_listens(self.guild_id, self.channel_ids, self.role_ids)


def is_owner(bot: commands.Bot, user: discord.abc.User) -> bool:
    """Whether `user` owns the application, alone or in a team. Asks nobody: login has told."""
    application = bot.application
    if application is None:
        return False
    if application.team is not None:
        return any(member.id == user.id for member in application.team.members)
    return application.owner.id == user.id


async def who(
    bot: commands.Bot,
    user: discord.abc.User,
    *,
    guild: discord.Guild | None,
    channel: Any,
) -> Asker:
    """Say who `user` is at a place: the owner of the bot is its admin, else Discord's roles count."""
    return asker(bot, user, guild=guild, channel=channel, rules=await read_rules())


def asker(
    bot: commands.Bot,
    user: discord.abc.User,
    *,
    guild: discord.Guild | None,
    channel: Any,
    rules: Rules,
) -> Asker:
    """The same for whoever has read the rules already."""
    guild_id = guild.id if guild else None
    role_ids = frozenset(role.id for role in getattr(user, "roles", ()))
    role = Role.ADMIN if is_owner(bot, user) else rules.role(guild_id, role_ids)
    person = Person(role=role, name=user.name, discord_user_id=user.id)
    return Asker(person, guild_id, channel_ids(channel), role_ids, rules)


def channel_ids(channel: Any) -> tuple[int, ...]:
    """The ids whose settings count in a channel: its own, and for a thread its channel's."""
    if channel is None:
        return ()
    if isinstance(channel, discord.Thread):
        return channel.id, channel.parent_id
    return (channel.id,)


async def require(asker: Asker, permission: Permission, *, what: str) -> None:
    """Raise NotAllowed, in words, unless `asker` may do this here. A denial is audited as `what`."""
    try:
        asker.check_listens()
        access.require(asker.person, permission)
    except NotAllowed:
        await note_denial(asker, what)
        raise


async def asker_of(context: commands.Context[TrainerBot]) -> Asker:
    """Say who uses a command."""
    return await who(context.bot, context.author, guild=context.guild, channel=context.channel)


def requires(permission: Permission) -> Callable[[Command], Command]:
    """Open a command, hybrid ones too, only to those who may do `permission`."""

    async def may(context: commands.Context[TrainerBot]) -> bool:
        assert context.command is not None
        asker = await asker_of(context)
        try:
            await require(asker, permission, what=context.command.qualified_name)
        except NotAllowed as error:
            raise Denied(str(error)) from error
        return True

    check: Callable[[Command], Command] = commands.check(may)

    def mark(command: Command) -> Command:
        marked = check(command)
        # Read by the test that walks every command.
        marked.__dict__["trainerbot_permission"] = permission
        return marked

    return mark


async def interaction_asker(interaction: discord.Interaction[TrainerBot]) -> Asker:
    """Say who used a menu, a button or a modal."""
    return await who(
        interaction.client,
        interaction.user,
        guild=interaction.guild,
        channel=interaction.channel,
    )


@database_sync_to_async
def note_denial(asker: Asker, what: str) -> None:
    audit.record(
        None,
        "access.deny",
        what,
        name=asker.person.name,
        discord_user_id=asker.person.discord_user_id,
        role=str(asker.person.role),
    )
