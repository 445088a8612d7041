"""Who asks on Discord, where, and whether they may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from dashboard.services import access, audit, places, routing
from dashboard.services.access import Permission, Person, Role
from dashboard.services.places import Place, Rules
from trainerbot.errors import NotAllowed

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

Command = TypeVar("Command", bound=Callable[..., Any] | app_commands.ContextMenu)
# Of a team that owns the application: not those who may only read, nor the merely invited.
RULING = frozenset({discord.TeamMemberRole.admin, discord.TeamMemberRole.developer})
MARK = "trainerbot_permission"
read_rules = database_sync_to_async(places.rules)


class Denied(commands.CheckFailure):
    """A command that the asker may not use here; its text is for people."""


class MenuDenied(app_commands.CheckFailure):
    """The same of a context menu. Not one class: of slash commands discord.py tells them apart."""


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
        """How the bot behaves here, to them."""
        place = self.rules.place(self.guild_id, *self.channel_ids)
        who = f"discord:{self.person.discord_user_id}"
        return routing.route(place, aliases=self.rules.aliases, who=who)

    @property
    def has_release_prompt(self) -> bool:
        """Whether what answers under a name here brings a persona, which counts before any other."""
        alias = self.rules.aliases.get(
            routing.name_in(self.rules.place(self.guild_id, *self.channel_ids).model)
        )
        if alias is None:
            return False
        prompts = {
            row.pk: row.system_prompt for row in (alias.stable, alias.canary) if row is not None
        }
        return bool(prompts.get(self.place.release_id or 0))

    def check_listens(self) -> None:
        """Raise NotAllowed where, or to whom, the bot does not answer. Its admins it always does."""
        if self.person.role is not Role.ADMIN:
            self.rules.check_listens(self.guild_id, self.channel_ids, self.role_ids)


def is_owner(bot: commands.Bot, user: discord.abc.User) -> bool:
    """Whether `user` owns the application, alone or in a team. Asks nobody: login has told."""
    application = bot.application
    if application is None:
        return False
    team = application.team
    if team is None:
        return application.owner.id == user.id
    return user.id == team.owner_id or any(
        member.id == user.id
        and member.membership_state is discord.TeamMembershipState.accepted
        and member.role in RULING
        for member in team.members
    )


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
    """Open a command, hybrid ones too, or a context menu only to those who may do `permission`.

    Beneath the decorator that makes the command; around a menu that is made.
    """

    async def may(context: commands.Context[TrainerBot]) -> bool:
        assert context.command is not None
        try:
            asker = await asker_of(context)
            await require(asker, permission, what=context.command.qualified_name)
        except NotAllowed as error:
            raise Denied(str(error)) from error
        except Exception as error:
            # As if the command itself had failed: of a check discord.py tells nobody.
            raise commands.CommandInvokeError(error) from error
        return True

    async def may_by_menu(interaction: discord.Interaction[TrainerBot]) -> bool:
        assert interaction.command is not None
        try:
            asker = await interaction_asker(interaction)
            await require(asker, permission, what=interaction.command.qualified_name)
        except NotAllowed as error:
            raise MenuDenied(str(error)) from error
        except Exception as error:
            raise app_commands.CommandInvokeError(interaction.command, error) from error
        return True

    def mark(command: Command) -> Command:
        if isinstance(command, app_commands.ContextMenu):
            command.add_check(may_by_menu)
        else:
            commands.check(may)(command)
        command.__dict__[MARK] = permission
        return command

    return mark


def declares(permission: Permission) -> Callable[[Command], Command]:
    """Say what a command or menu takes that asks for it itself, within a trip it makes anyway."""

    def mark(command: Command) -> Command:
        command.__dict__[MARK] = permission
        return command

    return mark


def permission_of(
    command: commands.Command[Any, ..., Any] | app_commands.ContextMenu,
) -> Permission:
    """What it takes to use a command or menu. Raises KeyError where nobody said."""
    marked = command if MARK in command.__dict__ else command.callback
    permission: Permission = marked.__dict__[MARK]
    return permission


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
