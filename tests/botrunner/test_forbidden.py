"""Where Discord does not let the bot write, attach or reply: words all the same, never silence."""

from types import SimpleNamespace

import discord
import pytest

from botrunner.replies import LiveReply
from dashboard.models import Incident, Message
from tests.botrunner.talking import answered, bots_words, rows
from tests.botrunner.working import as_loaded
from tests.fakes.openai_endpoint import Reply

# The first turn imports what it needs, which takes seconds on a busy machine.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30, check_errors=False, strict_sync=False),
]
LONG = " ".join(f"word{number}" for number in range(2_000))


@pytest.fixture
def guild(simcord_env):
    return simcord_env.create_guild(name="Testers")


@pytest.fixture
def ada(simcord_env, guild):
    return guild.add_member(simcord_env.create_user("ada"))


@pytest.fixture
def me(simcord_env):
    return simcord_env.bot.user


def channel_without(guild, me, *permissions: str):
    denied = discord.PermissionOverwrite(**dict.fromkeys(permissions, False))
    return guild.create_text_channel("desk", overwrites={me: denied})


def said_directly(ada) -> list[str]:
    return bots_words(ada.user.dm_channel) if ada.user.dm_channel else []


# --- long answers -----------------------------------------------------------------------
async def test_a_long_answer_whose_thread_is_refused_comes_with_a_file(
    simcord_env, guild, ada, me, model
):
    channel = guild.create_text_channel("desk")
    simcord_env.inject_error("POST", "/channels/*/messages/*/threads", status=403, code=50013)
    model.default = Reply(pieces=(LONG,))

    await ada.send(channel, f"{me.mention} Tell me everything.")

    [answer] = [message for message in channel.history() if message.author.bot]
    assert answer.content.endswith("-# The whole answer is in the file `answer.md`.")
    assert [file.filename for file in answer.attachments] == ["answer.md"]


async def test_a_long_answer_without_threads_and_files_comes_in_messages(
    simcord_env, guild, ada, me, model
):
    channel = channel_without(guild, me, "create_public_threads")
    simcord_env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    model.default = Reply(pieces=(LONG,))

    await ada.send(channel, f"{me.mention} Tell me everything.")

    assert " ".join(" ".join(bots_words(channel)).split()) == LONG


# --- no permission to write ---------------------------------------------------------------
async def test_who_asks_where_the_bot_may_not_write_is_told_directly(guild, ada, me, model):
    channel = channel_without(guild, me, "send_messages")

    await ada.send(channel, f"{me.mention} hello")

    [sentence] = said_directly(ada)
    assert sentence.startswith("Discord does not let me answer you there")
    assert model.chats == []
    assert await rows(Message.objects.all()) == []


@pytest.mark.parametrize("command", ["hi", "why", "ask hello", "instruction", "privacy"])
async def test_a_command_where_the_bot_may_not_write_is_answered_directly(
    guild, ada, me, model, command
):
    channel = channel_without(guild, me, "send_messages")

    await ada.send(channel, f"!{command}")

    [sentence] = said_directly(ada)
    assert sentence.startswith("Discord does not let me answer you there")
    assert bots_words(channel) == []
    assert await rows(Incident.objects.all()) == []


async def test_who_was_not_speaking_to_the_bot_hears_nothing(guild, ada, me, model):
    channel = channel_without(guild, me, "send_messages")

    await ada.send(channel, "good morning, all")

    assert said_directly(ada) == []


# --- no permission to see the history: no replies ------------------------------------------
@pytest.mark.parametrize("words", ["{me} hello", "!privacy"])
async def test_without_the_history_an_answer_stands_alone(
    simcord_env, guild, ada, me, model, words
):
    channel = guild.create_text_channel("desk")
    await ada.send(channel, f"{me.mention} good morning")
    before = len(bots_words(channel))
    simcord_env.inject_error("POST", "/channels/*/messages", status=400, code=160002)

    await ada.send(channel, words.format(me=me.mention))

    assert len(bots_words(channel)[before:]) == 1


# --- what was removed meanwhile -------------------------------------------------------------
async def test_an_answer_to_a_command_needs_no_command_that_is_still_there(
    simcord_env, guild, ada, model
):
    channel = guild.create_text_channel("desk")

    await ada.send(channel, "!privacy")

    [sent] = [each for each in simcord_env.http_requests if each.path.endswith("/messages")]
    assert sent.json["message_reference"]["fail_if_not_exists"] is False


# --- too late -----------------------------------------------------------------------------
@pytest.fixture
def forgotten(simcord_env):
    """Discord waits three seconds for the first word about a command; then it knows it no more."""
    simcord_env.inject_error(
        "POST", "/interactions/*/*/callback", status=404, code=10062, times=None
    )
    simcord_env.inject_error("POST", "/webhooks/*", status=404, code=10015, times=None)


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("ask", {"question": "hello"}, "Hello there."),
        ("hi", {}, "HI!"),
        ("models", {}, "Models, tuned ones first:"),
    ],
)
async def test_a_command_by_slash_that_discord_forgot_is_answered_in_the_channel(
    guild, ada, model, forgotten, command, options, said
):
    channel = guild.create_text_channel("desk")

    await ada.slash(channel, command, **options)

    first, *_ = bots_words(channel)
    assert first.startswith(said)
    assert await rows(Incident.objects.all()) == []


async def test_what_only_the_asker_was_to_see_is_told_directly_once_discord_forgot(
    guild, ada, model, forgotten
):
    channel = guild.create_text_channel("desk")

    await ada.slash(channel, "instruction")
    await ada.slash(channel, "train", data="rooms")

    explained, denied = said_directly(ada)
    assert explained.startswith("# How to use this bot")
    assert denied.startswith("A member may not")
    assert bots_words(channel) == []


async def test_a_button_and_a_form_that_discord_forgot_are_answered_directly(
    simcord_env, guild, ada, model
):
    channel = guild.create_text_channel("desk")
    message, _ = await answered(simcord_env, channel, ada)
    shown = await ada.context_menu(channel, "Correct this answer", message)
    simcord_env.inject_error(
        "POST", "/interactions/*/*/callback", status=404, code=10062, times=None
    )
    simcord_env.inject_error("POST", "/webhooks/*", status=404, code=10015, times=None)

    await ada.submit_modal(shown, {"text0": "At nine."})
    await ada.context_menu(channel, "Correct this answer", message)

    received, again = said_directly(ada)
    assert received.startswith("Correction received: At nine.")
    assert again.startswith("Discord waited no longer for me. Do it once more.")
    assert await rows(Incident.objects.all()) == []


class SlashAnswer:
    """What Discord gives a command whose 15 minutes are over, and the channel that it stands in."""

    id = 7
    guild = None
    content = "One"

    def __init__(self) -> None:
        self.channel = self
        self.edited: list[str] = []

    async def post(self, number: int, text: str, **more: object) -> "SlashAnswer":
        return self

    async def edit(self, **changes: object) -> None:
        response = SimpleNamespace(status=401, reason="Unauthorized")
        raise discord.HTTPException(response, {"code": 50027, "message": "Invalid Webhook Token"})

    def get_partial_message(self, message_id: int) -> SimpleNamespace:
        async def edit(*, content: str) -> None:
            self.edited.append(content)

        return SimpleNamespace(edit=edit)


async def test_an_answer_by_slash_is_edited_when_its_fifteen_minutes_are_over():
    answer = SlashAnswer()
    live = LiveReply(answer)
    await live.finish("One")

    await live.finish("One two")

    assert answer.edited == ["One two"]


# --- the end of an answer is refused --------------------------------------------------------
async def test_an_answer_whose_end_meets_a_discord_that_is_away_is_posted_once_it_is_back(
    simcord_env, guild, ada, me, model, monkeypatch
):
    monkeypatch.setattr(as_loaded("botrunner.cogs.chat.posting"), "AGAIN_S", (0.01, 0.01))
    channel = guild.create_text_channel("desk")
    simcord_env.inject_error("POST", "/channels/*/messages", status=500, times=2)

    await ada.send(channel, f"{me.mention} hello")

    [answer] = await rows(Message.objects.filter(role="assistant"))
    assert bots_words(channel) == ["Hello there."]
    assert (answer.content, answer.error) == ("Hello there.", "")


async def test_an_answer_that_discord_never_takes_counts_as_none(
    simcord_env, guild, ada, me, model, monkeypatch
):
    monkeypatch.setattr(as_loaded("botrunner.cogs.chat.posting"), "AGAIN_S", (0.01, 0.01))
    channel = guild.create_text_channel("desk")
    simcord_env.inject_error("POST", f"/channels/{channel.id}/messages", status=500, times=None)

    await ada.send(channel, f"{me.mention} hello")

    [answer] = await rows(Message.objects.filter(role="assistant"))
    [sentence] = said_directly(ada)
    assert sentence.startswith("Discord did not take my answer to you, or not all of it.")
    assert answer.error.startswith("Discord did not take my answer to you, or not all of it.")
