"""Every command and menu of the bot times every role: one table, the same as the web's."""

from typing import Any

import pytest
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner.bot import TrainerBot
from botrunner.people import permission_of
from dashboard.models import Access, AuditEvent, DiscordChannel, DiscordRole
from dashboard.services import access, places
from dashboard.services.access import MATRIX, Person, Role

# A denial is an error of its command, so simcord shall not count errors.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30, check_errors=False),
]

MEMBER, TRAINER, ADMIN = Role.MEMBER, Role.TRAINER, Role.ADMIN
EVERYBODY, TRAINERS, ADMINS = {MEMBER, TRAINER, ADMIN}, {TRAINER, ADMIN}, {ADMIN}
TABLE: dict[str, set[Role]] = {
    "archive": TRAINERS,
    "ask": EVERYBODY,
    "correct": EVERYBODY,
    "dashboard": EVERYBODY,
    "feedback": EVERYBODY,
    "getfile": ADMINS,
    "hi": EVERYBODY,
    "import": TRAINERS,
    "instruction": EVERYBODY,
    "jobs": TRAINERS,
    "join": EVERYBODY,
    "language": EVERYBODY,
    "leave": EVERYBODY,
    "link": EVERYBODY,
    "listen": EVERYBODY,
    "models": EVERYBODY,
    "persona": EVERYBODY,  # to see it; to change it takes an admin
    "privacy": EVERYBODY,
    "privacy delete": EVERYBODY,
    "privacy export": EVERYBODY,
    "proof": TRAINERS,
    "reset": EVERYBODY,
    "select_dataset": TRAINERS,
    "status": TRAINERS,
    "test": TRAINERS,
    "train": TRAINERS,
    "unlink": EVERYBODY,
    "use": ADMINS,
    "why": EVERYBODY,
    "Correct this answer": EVERYBODY,
    "Why this answer?": EVERYBODY,
}
GRANTS = {MEMBER: "", TRAINER: "trainer", ADMIN: "admin"}
Thing = commands.Command[Any, ..., Any] | app_commands.ContextMenu


def everything(bot: TrainerBot) -> dict[str, Thing]:
    """Each command, with those beneath it, and each context menu."""
    menus = [each for each in bot.tree.get_commands() if isinstance(each, app_commands.ContextMenu)]
    return {each.qualified_name: each for each in (*bot.walk_commands(), *menus)}


@database_sync_to_async
def set_up(role_id: int, role: Role, denied_channel_id: int | None = None) -> None:
    row = DiscordRole.objects.get(discord_role_id=role_id)
    places.save_role(row, grants=GRANTS[role], access="", actor=None)
    if denied_channel_id is not None:
        channel = DiscordChannel.objects.get(discord_channel_id=denied_channel_id)
        places.save_access(channel, access=Access.DENY, actor=None)


@database_sync_to_async
def denials() -> list[str]:
    kept = AuditEvent.objects.filter(action="access.deny").order_by("pk")
    return list(kept.values_list("target", flat=True))


async def somebody(env, role: Role, *, denied: bool = False):
    """A member of a new guild with this role, and a channel."""
    guild = env.create_guild(name="The library")
    channel = guild.create_text_channel("desk")
    badge = guild.create_role("badge")
    await env.settle()
    await set_up(badge.id, role, channel.id if denied else None)
    return guild.add_member(env.create_user("ada"), roles=[badge]), channel


async def test_every_command_and_menu_says_what_it_takes(simcord_env):
    found = everything(simcord_env.bot)

    said = {}
    for name, thing in found.items():
        permission = permission_of(thing)
        said[name] = {role for role in EVERYBODY if permission in MATRIX[role]}

    assert said == TABLE


async def test_the_web_judges_each_of_them_alike(simcord_env):
    for name, thing in everything(simcord_env.bot).items():
        permission = permission_of(thing)
        may = {role for role in EVERYBODY if access.can(Person(role, "ada"), permission)}
        assert may == TABLE[name], name


@pytest.mark.origin(5)
@pytest.mark.parametrize("role", [MEMBER, TRAINER])
async def test_what_a_role_may_not_is_refused_and_kept(simcord_env, role):
    ada, channel = await somebody(simcord_env, role)
    forbidden = sorted(name for name, roles in TABLE.items() if role not in roles)

    for name in forbidden:
        await ada.send(channel, f"!{name}")
        assert channel.last_message.content.startswith(f"A {role} may not "), name

    assert await denials() == forbidden


async def test_in_a_denied_channel_every_command_and_menu_is_refused(simcord_env):
    await simcord_env.bot.tree.sync()
    ada, channel = await somebody(simcord_env, TRAINER, denied=True)
    await ada.send(channel, "Good morning!")
    message = channel.last_message

    for name, thing in everything(simcord_env.bot).items():
        if isinstance(thing, app_commands.ContextMenu):
            said = (await ada.context_menu(channel, name, message)).response.content
        else:
            await ada.send(channel, f"!{name} x")
            said = channel.last_message.content
        assert said.startswith(places.NOT_HERE), name
    assert len(await denials()) == len(TABLE)
