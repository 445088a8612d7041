"""Who may do what on Discord: roles, lists, owners, and how a denial is told and kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import discord
import pytest
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner import people
from botrunner.bot import TrainerBot
from botrunner.people import requires
from dashboard.models import Access, AuditEvent, DiscordChannel, DiscordRole
from dashboard.services import access, assistant, places
from dashboard.services.access import Permission, Role
from trainerbot.errors import NotAllowed

# A denial is an error of its command, so simcord shall not count errors.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30, check_errors=False),
]


class Probes(commands.Cog):
    """One command for each permission, a context menu and a button, to try doors with."""

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        menu = app_commands.ContextMenu(name="Probe this", callback=self.probe)
        bot.tree.add_command(requires(Permission.REVIEW)(menu))

    @commands.hybrid_command(description="For everyone")  # type: ignore[arg-type]
    @requires(Permission.CHAT)
    async def talk(self, context: commands.Context[TrainerBot]) -> None:
        await context.send("talked")

    @commands.hybrid_command(description="For trainers")  # type: ignore[arg-type]
    @requires(Permission.TRAIN)
    async def teach(self, context: commands.Context[TrainerBot]) -> None:
        await context.send("taught")

    @commands.hybrid_command(description="For admins")  # type: ignore[arg-type]
    @requires(Permission.SETTINGS)
    async def rule(self, context: commands.Context[TrainerBot]) -> None:
        await context.send("ruled")

    @commands.command()
    async def push(self, context: commands.Context[TrainerBot]) -> None:
        await context.send("Push:", view=Push())

    async def probe(
        self, interaction: discord.Interaction[TrainerBot], message: discord.Message
    ) -> None:
        await interaction.response.send_message("probed", ephemeral=True)


class Push(discord.ui.View):
    @discord.ui.button(label="Push")
    async def push(
        self, interaction: discord.Interaction[TrainerBot], button: discord.ui.Button[Push]
    ) -> None:
        asker = await people.interaction_asker(interaction)
        try:
            await people.require(asker, Permission.REVIEW, what="push")
        except NotAllowed as error:
            await interaction.response.send_message(str(error), ephemeral=True)
        else:
            await interaction.response.send_message("pushed", ephemeral=True)


@pytest.fixture
async def env(simcord_env):
    bot = simcord_env.bot
    await bot.add_cog(Probes(bot))
    await bot.tree.sync()
    return simcord_env


@pytest.fixture
def guild(env):
    return env.create_guild(name="The library")


@pytest.fixture
def channel(guild):
    return guild.create_text_channel("desk")


async def member(env, guild, name: str = "ada", *, grants: str = "", access: str = ""):
    """Somebody with a role of their own that means this."""
    role = guild.create_role(f"role of {name}")
    await env.settle()
    await set_role(role.id, grants, access)
    return guild.add_member(env.create_user(name), roles=[role])


@database_sync_to_async
def set_role(role_id: int, grants: str, access: str) -> None:
    row = DiscordRole.objects.get(discord_role_id=role_id)
    places.save_role(row, grants=grants, access=access, actor=None)


@database_sync_to_async
def set_channel(channel_id: int, access: str) -> None:
    row = DiscordChannel.objects.get(discord_channel_id=channel_id)
    places.save_access(row, access=access, actor=None)


@database_sync_to_async
def denials() -> list[tuple[str, str]]:
    return list(
        AuditEvent.objects.filter(action="access.deny")
        .order_by("pk")
        .values_list("actor_name", "target")
    )


def last_words(channel) -> str:
    return first_line(channel.last_message)


def first_line(message) -> str:
    """What was said, without the reference below it."""
    return str(message.content).split("\n")[0]


# --- roles ----------------------------------------------------------------------------
@pytest.mark.origin(5)
@pytest.mark.parametrize(
    ("grants", "may"),
    [("", {"talk"}), ("trainer", {"talk", "teach"}), ("admin", {"talk", "teach", "rule"})],
)
@pytest.mark.parametrize("by", ["prefix", "slash"])
async def test_each_role_may_do_what_the_matrix_says(env, guild, channel, grants, may, by):
    ada = await member(env, guild, grants=grants)
    said = {"talk": "talked", "teach": "taught", "rule": "ruled"}

    heard = {}
    for name in said:
        if by == "prefix":
            await ada.send(channel, f"!{name}")
            heard[name] = last_words(channel)
        else:
            heard[name] = first_line((await ada.slash(channel, name)).response)

    refused = "Ask an admin for a higher role."
    assert {name for name, words in heard.items() if words == said[name]} == may
    assert all(words.endswith(refused) for name, words in heard.items() if name not in may)
    assert await denials() == [("ada", name) for name in said if name not in may]


async def test_a_denial_says_what_is_missing_and_is_kept_with_who_it_was(env, guild, channel):
    ada = await member(env, guild)

    await ada.send(channel, "!teach")

    kept = await database_sync_to_async(AuditEvent.objects.get)(action="access.deny")
    assert last_words(channel) == (
        "A member may not start and cancel fine-tunes. Ask an admin for a higher role."
    )
    assert (kept.target, kept.detail) == (
        "teach",
        {"discord_user_id": ada.id, "role": "member"},
    )


async def test_the_role_of_another_guild_does_not_count(env, guild, channel):
    ada = await member(env, guild, grants="admin")
    elsewhere = env.create_guild(name="Elsewhere")
    hall = elsewhere.create_text_channel("hall")
    there = elsewhere.add_member(ada.user)

    await there.send(hall, "!teach")

    assert "A member may not" in last_words(hall)


async def test_a_role_that_is_taken_away_counts_at_the_next_command(env, guild, channel):
    ada = await member(env, guild, grants="trainer")
    await ada.send(channel, "!teach")
    before = last_words(channel)
    role = await database_sync_to_async(DiscordRole.objects.get)(name="role of ada")

    await set_role(role.discord_role_id, "", "")
    await ada.send(channel, "!teach")

    assert before == "taught"
    assert "A member may not" in last_words(channel)


async def test_in_a_direct_message_nobody_has_a_role(env, guild, channel):
    ada = await member(env, guild, grants="admin")

    await ada.send_dm("!teach")

    assert "A member may not" in last_words(ada.user.dm_channel)


# --- owners ---------------------------------------------------------------------------
def owned_by(bot: TrainerBot, monkeypatch: pytest.MonkeyPatch, **application: Any) -> None:
    """Let Discord have told who owns the application."""
    told = SimpleNamespace(**({"team": None, "owner": None} | application))
    monkeypatch.setattr(bot, "_application", told)


async def test_the_owner_is_admin_everywhere(env, guild, channel, monkeypatch):
    ada = guild.add_member(env.create_user("ada"))
    owned_by(env.bot, monkeypatch, owner=ada)

    await ada.send(channel, "!rule")
    await ada.send_dm("!rule")

    assert last_words(channel) == last_words(ada.user.dm_channel) == "ruled"


@pytest.mark.parametrize(
    ("role", "state", "rules"),
    [
        ("admin", "accepted", True),
        ("developer", "accepted", True),
        ("read_only", "accepted", False),
        ("admin", "invited", False),
    ],
)
async def test_a_team_rules_by_those_who_may_change_the_application(
    env, guild, channel, monkeypatch, role, state, rules
):
    ada = guild.add_member(env.create_user("ada"))
    mate = SimpleNamespace(
        id=ada.id,
        role=discord.TeamMemberRole(role),
        membership_state=discord.TeamMembershipState[state],
    )
    team = SimpleNamespace(owner_id=1, members=[mate])
    owned_by(env.bot, monkeypatch, team=team)

    await ada.send(channel, "!rule")

    assert (last_words(channel) == "ruled") is rules


async def test_the_owner_of_a_team_rules(env, guild, channel, monkeypatch):
    ada = guild.add_member(env.create_user("ada"))
    team = SimpleNamespace(owner_id=ada.id, members=[])
    owned_by(env.bot, monkeypatch, team=team)

    await ada.send(channel, "!rule")

    assert last_words(channel) == "ruled"


# --- lists ----------------------------------------------------------------------------
async def test_in_a_denied_channel_nobody_but_admins_is_answered(env, guild, channel):
    ada = await member(env, guild, "ada", grants="trainer")
    grace = await member(env, guild, "grace", grants="admin")
    await set_channel(channel.id, Access.DENY)

    await ada.send(channel, "!talk")
    refused = last_words(channel)
    await grace.send(channel, "!talk")

    assert refused == places.NOT_HERE
    assert last_words(channel) == "talked"
    assert await denials() == [("ada", "talk")]


async def test_a_thread_is_as_denied_as_its_channel(env, guild, channel):
    ada = await member(env, guild)
    seen = env.bot.get_channel(channel.id)
    thread = await seen.create_thread(name="aside", type=discord.ChannelType.public_thread)
    await set_channel(channel.id, Access.DENY)

    await ada.send(channel.threads[0], "!talk")

    assert thread.parent_id == channel.id
    assert last_words(channel.threads[0]) == places.NOT_HERE


async def test_where_one_channel_is_allowed_the_others_are_silent(env, guild, channel):
    ada = await member(env, guild)
    other = guild.create_text_channel("hall")
    await env.settle()
    await set_channel(channel.id, Access.ALLOW)

    await ada.send(channel, "!talk")
    await ada.send(other, "!talk")

    assert (last_words(channel), last_words(other)) == ("talked", places.NOT_HERE)


async def test_a_denied_role_beats_an_allowed_one(env, guild, channel):
    ada = await member(env, guild, access=Access.ALLOW)
    banned = guild.create_role("banned")
    await env.settle()
    await set_role(banned.id, "", Access.DENY)
    grace = guild.add_member(env.create_user("grace"), roles=[guild.roles["role of ada"], banned])

    await ada.send(channel, "!talk")
    allowed = last_words(channel)
    await grace.send(channel, "!talk")

    assert (allowed, last_words(channel)) == ("talked", places.NOT_YOU)


async def test_direct_messages_can_be_switched_off(env, guild, channel):
    ada = await member(env, guild)

    @database_sync_to_async
    def switch_off() -> None:
        row = assistant.current()
        row.answers_direct = False
        assistant.save(changed=row, actor=None)

    await switch_off()
    await ada.send_dm("!talk")

    assert last_words(ada.user.dm_channel) == places.NOT_DIRECTLY


# --- menus and buttons --------------------------------------------------------------------
async def test_a_context_menu_asks_for_its_permission(env, guild, channel):
    ada, grace = await member(env, guild), await member(env, guild, "grace", grants="trainer")
    await ada.send(channel, "Hello")
    message = channel.last_message

    denied = await ada.context_menu(channel, "Probe this", message)
    allowed = await grace.context_menu(channel, "Probe this", message)

    assert "A member may not approve and reject corrections" in denied.response.content
    assert denied.response.ephemeral
    assert allowed.response.content == "probed"
    assert await denials() == [("ada", "Probe this")]


async def test_a_button_asks_for_its_permission(env, guild, channel):
    ada, grace = await member(env, guild), await member(env, guild, "grace", grants="trainer")
    await ada.send(channel, "!push")
    message = channel.last_message

    denied = await ada.click(message, label="Push")
    allowed = await grace.click(message, label="Push")

    assert "A member may not" in denied.response.content
    assert allowed.response.content == "pushed"
    assert await denials() == [("ada", "push")]


def test_bot_and_web_share_one_matrix():
    """A person of Discord and an account of the dashboard are judged by the same table."""
    for role in Role:
        person = access.Person(role=role, name="ada", discord_user_id=1)
        assert {each for each in Permission if access.can(person, each)} == access.MATRIX[role]
