"""Every failed command, menu, button and form: one sentence, a reference, nothing of ours."""

import re

import discord
import pytest
from channels.db import database_sync_to_async
from discord import app_commands, ui
from discord.ext import commands

from botrunner.ui import forms
from botrunner.ui.acting import answering, lasting
from dashboard.models import Incident
from tests.botrunner.talking import bots_words
from trainerbot.errors import InvalidInput

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30),
    pytest.mark.origin(14),
]
SECRET = "secret /srv/path sk-123"


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
def ada(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("ada"))


class Broken(commands.Cog):
    """Fails in every way that a command can."""

    @commands.hybrid_command(description="Breaks")
    async def breaks(self, context):
        raise RuntimeError(SECRET)

    @commands.hybrid_command(description="Breaks after a defer")
    async def breaks_late(self, context):
        await context.defer()
        raise RuntimeError(SECRET)

    @commands.hybrid_command(description="Refuses")
    async def refuses(self, context):
        raise InvalidInput("Attach a file.")

    @commands.hybrid_command(description="Needs a number")
    async def needs(self, context, number: int):
        await context.send(str(number))

    @commands.hybrid_command(description="For a few")
    @commands.has_permissions(administrator=True)
    async def forbidden(self, context):
        await context.send("never")

    @commands.hybrid_command(description="Only now and then")
    @commands.cooldown(1, 60)
    async def rarely(self, context):
        await context.send("once")

    @app_commands.command(description="Breaks as a slash command")
    async def breaks_as_slash(self, interaction: discord.Interaction):
        raise RuntimeError(SECRET)

    @app_commands.command(description="Opens a view")
    async def view(self, interaction: discord.Interaction):
        await interaction.response.send_message("Press", view=lasting(Break("now"), Break("late")))

    @app_commands.command(description="Opens a form")
    async def form(self, interaction: discord.Interaction):
        form = forms.Form(title="Edit", handles="broken", about=1)
        form.ask("Words", name="words")
        await interaction.response.send_modal(form)

    @commands.Cog.listener()
    async def on_interaction(self, interaction):
        await forms.submitted(interaction, {"broken": receive})


async def receive(interaction, about: int, values: forms.Values) -> None:
    async with answering(interaction, "A broken form"):
        raise RuntimeError(SECRET)


async def break_menu(interaction: discord.Interaction, message: discord.Message) -> None:
    async with answering(interaction, "A broken menu"):
        raise RuntimeError(SECRET)


async def refuse_menu(interaction: discord.Interaction, message: discord.Message) -> None:
    raise InvalidInput("Attach a file.")


class Break(ui.DynamicItem[ui.Button], template="break:(?P<when>now|late)"):
    def __init__(self, when: str) -> None:
        super().__init__(ui.Button(label=f"Break {when}", custom_id=f"break:{when}"))
        self.when = when

    @classmethod
    async def from_custom_id(cls, interaction, item, match, /):
        return cls(match["when"])

    async def callback(self, interaction: discord.Interaction) -> None:
        async with answering(interaction, "A broken button"):
            if self.when == "late":
                await interaction.response.defer()
            raise RuntimeError(SECRET)


@pytest.fixture
async def broken(simcord_env):
    await simcord_env.bot.add_cog(Broken())
    simcord_env.bot.add_dynamic_items(Break)
    for menu in (
        app_commands.ContextMenu(name="Break it", callback=break_menu),
        app_commands.ContextMenu(name="Refuse it", callback=refuse_menu),
    ):
        simcord_env.bot.tree.add_command(menu)
    await simcord_env.bot.tree.sync()
    yield simcord_env
    # Looked at, so that simcord does not take them for overlooked ones.
    assert len(simcord_env.errors) <= 2


@database_sync_to_async
def incidents() -> list[tuple[str, str]]:
    return list(Incident.objects.order_by("pk").values_list("reference", "error"))


def sentence_of(words: list[str]) -> str:
    [sentence] = words
    assert "secret" not in sentence
    assert "sk-123" not in sentence
    assert re.search(r"`[0-9a-f]{6}`", sentence)
    return sentence


def said_in(result) -> list[str]:
    """What the person was told by an interaction, without what the command had said before."""
    answers = [*([result.response] if result.response else []), *result.followups]
    return [each.content for each in answers if each.content and each.content != "Press"]


# --- typed ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("!breaks", "Something went wrong on our side"),
        ("!breaks_late", "Something went wrong on our side"),
        ("!refuses", "Attach a file."),
        ("!needs", "Use it like this: `!needs <number>`"),
        ("!needs many", "Use it like this: `!needs <number>`"),
        ('!needs "', "Use it like this: `!needs <number>`"),
        ("!forbidden", "You may not use `!forbidden` here."),
    ],
)
async def test_a_typed_command_that_fails_is_answered_once(broken, channel, ada, typed, words):
    await ada.send(channel, typed)

    assert sentence_of(bots_words(channel)).startswith(words)


async def test_a_command_used_too_often_says_when_again(broken, channel, ada):
    await ada.send(channel, "!rarely")
    await ada.send(channel, "!rarely")

    assert "works again in" in sentence_of(bots_words(channel)[1:])


async def test_a_fault_is_kept_under_its_reference_without_its_words(broken, channel, ada):
    await ada.send(channel, "!breaks")

    [(reference, error)] = await incidents()
    assert reference in sentence_of(bots_words(channel))
    assert error.startswith("RuntimeError in breaks")
    assert "secret" not in error


async def test_a_refusal_is_no_incident(broken, channel, ada, caplog):
    caplog.set_level("INFO")

    await ada.send(channel, "!refuses")

    assert await incidents() == []
    reference = re.search(r"`([0-9a-f]{6})`", sentence_of(bots_words(channel)))
    assert reference[1] in caplog.text


# --- picked -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("breaks", "Something went wrong"),
        ("breaks_late", "Something went wrong"),
        ("breaks_as_slash", "Something went wrong"),
        ("refuses", "Attach a file."),
    ],
)
async def test_a_slash_command_that_fails_is_answered_once_to_its_user(
    broken, channel, ada, name, words
):
    result = await ada.slash(channel, name)

    assert sentence_of(said_in(result)).startswith(words)


async def test_a_button_that_fails_is_answered_once(broken, channel, ada):
    shown = await ada.slash(channel, "view")

    for label in ("Break now", "Break late"):
        result = await ada.click(shown.response.message, label=label)
        assert "Something went wrong" in sentence_of(said_in(result))


async def test_a_form_that_fails_is_answered_once(broken, channel, ada):
    opened = await ada.slash(channel, "form")

    result = await ada.submit_modal(opened, {"words": "x"})

    assert "Something went wrong" in sentence_of(said_in(result))


@pytest.mark.parametrize(
    ("menu", "words"), [("Break it", "Something went wrong"), ("Refuse it", "Attach a file.")]
)
async def test_a_menu_that_fails_is_answered_once_to_its_user(broken, channel, ada, menu, words):
    message = await ada.send(channel, "look at this")

    result = await ada.context_menu(channel, menu, message)

    assert sentence_of(said_in(result)).startswith(words)
    assert result.response.ephemeral
