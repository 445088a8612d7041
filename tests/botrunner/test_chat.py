"""What the bot answers and what it leaves alone, in a simulated Discord."""

import re

import discord
import pytest
from channels.db import database_sync_to_async

from botrunner.bot import TrainerBot
from botrunner.cogs.chat.words import HOW_TO_ASK
from dashboard.models import Conversation, Incident, Message
from dashboard.services import corrections
from tests.botrunner.talking import bots_words
from tests.fakes.openai_endpoint import Reply, error_body

# The first turn imports what it needs, which takes seconds on a busy machine.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def me(simcord_env):
    return simcord_env.bot.user.mention


def refused(channel) -> tuple[str, str]:
    """The one sentence about what was not done, and its reference."""
    [words] = bots_words(channel)
    found = re.fullmatch(r"(.*)\n-# reference `([0-9a-f]{6})`", words, re.DOTALL)
    return found[1], found[2]


@database_sync_to_async
def logged() -> list[Message]:
    return list(Message.objects.order_by("pk"))


@database_sync_to_async
def log() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("pk").values_list("role", "content"))


# --- what is answered -----------------------------------------------------------------
async def test_hi_is_greeted(channel, ada):
    await ada.send(channel, "!hi")

    assert bots_words(channel) == ["HI!"]


async def test_a_mention_is_answered(channel, ada, me, model):
    model.replies = [Reply(pieces=("Paris", "."))]

    await ada.send(channel, f"{me} What is the capital of France?")

    assert bots_words(channel) == ["Paris."]
    assert model.chats[0]["messages"][-1]["content"] == "What is the capital of France?"


async def test_a_reply_to_the_bot_is_answered_with_the_talk_in_memory(channel, ada, me, model):
    model.replies = [Reply(pieces=("Paris.",)), Reply(pieces=("Two million.",))]
    await ada.send(channel, f"{me} What is the capital of France?")

    await ada.send(channel, "How many live there?", reply_to=channel.last_message)

    assert bots_words(channel) == ["Paris.", "Two million."]
    said = [message["content"] for message in model.chats[1]["messages"]]
    assert said[-3:] == ["What is the capital of France?", "Paris.", "How many live there?"]


async def test_a_direct_message_is_answered(ada, model):
    await ada.send_dm("Hello?")

    assert bots_words(ada.user.dm_channel) == ["Hello there."]


async def test_other_people_are_named_to_the_model(simcord_env, channel, ada, me, model):
    grace = channel.guild.add_member(simcord_env.create_user("grace"))

    await ada.send(channel, f"Who is {grace.mention}, {me}?")

    assert model.chats[0]["messages"][-1]["content"] == "Who is @grace, ?"


async def test_the_answer_replies_to_the_question_and_mentions_nobody(
    simcord_env, channel, ada, me, model
):
    model.replies = [Reply(pieces=("Hello @everyone",))]

    question = await ada.send(channel, f"{me} hello")

    assert channel.last_message.reference.message_id == question.id
    [sent] = [r for r in simcord_env.http_requests if r.path.endswith("/messages")]
    assert sent.json["allowed_mentions"] == {"parse": [], "replied_user": False}


async def test_a_long_answer_comes_in_several_messages(channel, ada, me, model):
    model.replies = [Reply(pieces=("word " * 1000,))]

    await ada.send(channel, f"{me} tell me everything")

    words = bots_words(channel)
    assert len(words) == 3
    assert " ".join(" ".join(words).split()) == ("word " * 1000).strip()


# --- what is not ------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["just talking", "hello TrainerBot", "!unknown"])
async def test_what_is_not_said_to_the_bot_is_left_alone(channel, ada, model, text):
    await ada.send(channel, text)

    assert bots_words(channel) == []
    assert model.chats == []


async def test_other_bots_are_left_alone(simcord_env, channel, ada, me, model):
    robot = channel.guild.add_member(simcord_env.create_user("robot", bot=True))

    await robot.send(channel, f"{me} hello")

    assert model.chats == []


async def test_webhooks_are_left_alone(channel, ada, me, model):
    await channel.guild.create_webhook(channel).send(f"{me} hello")

    assert model.chats == []


async def test_a_mention_without_words_is_told_how_to_ask(channel, ada, me, model):
    await ada.send(channel, f"{me}  ")

    assert refused(channel)[0] == HOW_TO_ASK
    assert model.chats == []


async def test_a_direct_message_without_words_is_told_how_to_ask(ada, model):
    await ada.send_dm("\u200b")

    assert refused(ada.user.dm_channel)[0] == HOW_TO_ASK
    assert model.chats == []


async def test_a_blank_reply_is_left_alone(channel, ada, me, model):
    await ada.send(channel, f"{me} hello")

    await ada.send(channel, "\u200b", reply_to=channel.last_message)

    assert bots_words(channel) == ["Hello there."]


async def test_a_blank_message_to_nobody_is_left_alone(channel, ada, model):
    await ada.send(channel, "\u200b")

    assert (bots_words(channel), model.chats) == ([], [])


async def test_an_unknown_command_in_a_direct_message_is_named(ada, model):
    await ada.send_dm("!frobnicate now")

    assert refused(ada.user.dm_channel)[0] == "There is no command `!frobnicate`."


# --- what is kept -----------------------------------------------------------------------
async def test_both_sides_are_logged_with_their_discord_ids(channel, ada, me, model):
    question = await ada.send(channel, f"{me} hello")

    @database_sync_to_async
    def the_conversation() -> Conversation:
        return Conversation.objects.select_related("discord_user", "discord_channel__guild").get()

    (asked, answered), conversation = await logged(), await the_conversation()
    assert (asked.content, asked.discord_message_id) == ("hello", question.id)
    assert (answered.content, answered.discord_message_id) == (
        "Hello there.",
        channel.last_message.id,
    )
    assert conversation.discord_user.discord_user_id == ada.id
    assert conversation.discord_channel.discord_channel_id == channel.id
    assert conversation.discord_channel.guild.name == "Testers"


async def test_nothing_leaks_between_people_channels_and_direct_messages(
    simcord_env, channel, ada, me, model
):
    grace = channel.guild.add_member(simcord_env.create_user("grace"))
    other = channel.guild.create_text_channel("other")
    await ada.send(channel, f"{me} my secret is 42")

    await grace.send(channel, f"{me} what is the secret?")
    await ada.send(other, f"{me} what is the secret?")
    await ada.send_dm("what is the secret?")

    for chat in model.chats[1:]:
        assert "42" not in str(chat["messages"])


# --- corrections ------------------------------------------------------------------------
async def test_a_corrected_answer_says_that_it_is_one(channel, ada, me, model):
    model.replies = [Reply(pieces=("Lyon.",))]
    await ada.send(channel, f"{me} What is the capital of France?")
    correction = await database_sync_to_async(corrections.propose)(
        question="What is the capital of France?", better_answer="Paris.", approved=True
    )

    await ada.send(channel, f"{me} what is the capital of france")

    assert bots_words(channel) == ["Lyon.", f"Paris.\n-# corrected · #{correction.pk}"]


# --- what goes wrong ----------------------------------------------------------------------
@pytest.mark.origin(14, 34)
async def test_a_refusal_of_the_model_is_said_in_words_with_a_reference(
    channel, ada, me, model, caplog
):
    caplog.set_level("INFO")
    model.default = Reply(status=401, error=error_body("Incorrect API key: sk-123"))

    await ada.send(channel, f"{me} hello")

    sentence, reference = refused(channel)
    assert "sk-123" not in sentence
    assert sentence.endswith(".")
    assert f"(reference {reference}): The model endpoint" in caplog.text
    _, answer = await logged()
    assert answer.error == f"{sentence} (reference {reference})"
    assert not await database_sync_to_async(Incident.objects.exists)()


async def test_an_answer_that_breaks_off_keeps_its_beginning_and_says_why(channel, ada, me, model):
    model.default = Reply(pieces=("The beginning",), cut=True)

    await ada.send(channel, f"{me} hello")

    [text] = bots_words(channel)
    beginning, sentence = text.split("\n\n")
    assert beginning == "The beginning"
    assert sentence


async def test_an_unforeseen_error_becomes_a_reference_that_the_log_explains(
    simcord_env, ada, caplog
):
    @simcord_env.bot.command()
    async def explode(context):
        raise RuntimeError("secret /srv/path")

    await ada.send_dm("!explode")

    [sentence] = bots_words(ada.user.dm_channel)
    [reference] = re.findall(r"`([0-9a-f]{6})`", sentence)
    assert "secret" not in sentence
    [record] = [r for r in caplog.records if reference in r.message]
    assert "secret /srv/path" in str(record.exc_info[1])
    assert len(simcord_env.errors) == 1


async def test_a_command_used_wrongly_is_explained(simcord_env, ada):
    @simcord_env.bot.command()
    async def add(context, first: int, second: int):
        await context.send(str(first + second))

    await ada.send_dm("!add one")

    assert len(simcord_env.errors) == 1
    [sentence] = bots_words(ada.user.dm_channel)
    assert sentence.startswith("Use it like this: `!add <first> <second>`\n-# reference")


async def test_a_channel_where_the_bot_may_not_write_is_borne(simcord_env, channel, ada, me, model):
    simcord_env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)

    await ada.send(channel, f"{me} hello")

    assert bots_words(channel) == []


# --- without the message content intent -------------------------------------------------
class TestWithoutMessageContent:
    @pytest.fixture
    def simcord_bot(self):
        return TrainerBot(message_content=False)

    async def test_a_mention_is_answered(self, channel, ada, me, model):
        await ada.send(channel, f"{me} hello")

        assert bots_words(channel) == ["Hello there."]

    async def test_a_direct_message_is_answered(self, ada, model):
        await ada.send_dm("hello")

        assert bots_words(ada.user.dm_channel) == ["Hello there."]


def test_only_the_words_of_messages_need_discords_permission():
    asked = TrainerBot(message_content=False).intents

    assert not asked.message_content
    assert not asked.members
    assert not asked.presences
    assert asked.guild_messages
    assert asked.dm_messages
    assert TrainerBot().allowed_mentions.to_dict() == discord.AllowedMentions.none().to_dict()
