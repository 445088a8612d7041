"""Memory, places, attachments and `ask`, in a simulated Discord."""

import discord
import pytest
from channels.db import database_sync_to_async

from botrunner.cogs.chat import attachments
from dashboard.models import (
    Access,
    AuditEvent,
    DiscordChannel,
    DiscordGuild,
    GuildSettings,
    Message,
    PlaceSettings,
)
from dashboard.services import places
from tests.botrunner.talking import bots_words
from tests.botrunner.test_chat import refused
from tests.fakes.openai_endpoint import Reply, error_body

# The first turn imports what it needs, which takes seconds on a busy machine.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"


@pytest.fixture
def grace(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("grace"))


@pytest.fixture
def me(simcord_env):
    return simcord_env.bot.user.mention


def said(chat) -> list[str]:
    return [row["content"] for row in chat["messages"] if row["role"] != "system"]


@database_sync_to_async
def settle_place(channel, **settings) -> None:
    guild = places.guild(channel.guild.id, channel.guild.name)
    row, _ = DiscordChannel.objects.get_or_create(
        discord_channel_id=channel.id, defaults={"guild": guild, "name": channel.name}
    )
    if access := settings.pop("access", ""):
        places.save_access(row, access=access, actor=None)
    if settings:
        places.save_place(PlaceSettings(guild=guild, channel=row, **settings), actor=None)


@database_sync_to_async
def limit_guild(channel, **settings) -> None:
    guild = places.guild(channel.guild.id, channel.guild.name)
    assert isinstance(guild, DiscordGuild)
    places.save_guild(GuildSettings(guild=guild, **settings), actor=None)


@database_sync_to_async
def denials() -> int:
    return AuditEvent.objects.filter(action="access.deny").count()


@database_sync_to_async
def questions() -> list[Message]:
    return list(Message.objects.filter(role="user").order_by("pk"))


# --- memory -----------------------------------------------------------------------------
@pytest.mark.origin(33)
async def test_a_reply_brings_its_chain_also_of_other_people(channel, ada, grace, me, model):
    model.replies = [Reply(pieces=("Paris.",)), Reply(pieces=("Two million.",)), Reply()]
    await ada.send(channel, f"{me} What is the capital of France?")
    await ada.send(channel, "How many live there?", reply_to=channel.last_message)

    await grace.send(channel, "And in 1900?", reply_to=channel.last_message)

    assert said(model.chats[2]) == [
        "What is the capital of France?",
        "Paris.",
        "How many live there?",
        "Two million.",
        "And in 1900?",
    ]


@database_sync_to_async
def answer_it_is_about(question: Message) -> Message:
    return Message.objects.get(pk=question.reply_to_id)


async def test_a_reply_to_the_third_message_of_a_long_answer_is_about_that_answer(
    channel, ada, grace, me, model
):
    long = "word " * 1000
    model.replies = [Reply(pieces=(long,)), Reply(pieces=("Short.",)), Reply(pieces=("Yes.",))]
    await ada.send(channel, f"{me} tell me much")
    third = channel.last_message
    await grace.send(channel, f"{me} something else")

    await grace.send(channel, "Is that all?", reply_to=third)

    answer = await answer_it_is_about((await questions())[-1])
    assert answer.content == long
    assert answer.discord_parts[1] == third.id


async def test_a_reply_to_somebody_else_brings_their_words(channel, ada, grace, me, model):
    await grace.send(channel, "The library opens at nine.")

    await ada.send(channel, f"{me} is that so?", reply_to=channel.last_message)

    assert said(model.chats[0]) == ["grace wrote: The library opens at nine.", "is that so?"]


@pytest.mark.origin(35)
@pytest.mark.parametrize(
    "text", ['say "hi" \\" now', "```py\nx = '1'\n```", "\u202ertl", "🙂" * 50]
)
async def test_words_reach_the_model_as_they_are(channel, ada, me, model, text):
    await ada.send(channel, f"{me} {text}")

    assert said(model.chats[0]) == [text]


@pytest.mark.origin(33)
async def test_a_thread_has_one_memory_for_all_who_speak_in_it_and_nothing_of_its_channel(
    simcord_env, channel, ada, grace, me, model
):
    await ada.send(channel, f"{me} my secret is 42")
    seen = simcord_env.bot.get_channel(channel.id)
    await seen.create_thread(name="aside", type=discord.ChannelType.public_thread)
    [thread] = channel.threads
    model.replies = [Reply(pieces=("At nine.",)), Reply(pieces=("At six.",)), Reply()]

    await ada.send(thread, f"{me} When does it open?")
    await grace.send(thread, f"{me} And close?")
    await grace.send(channel, f"{me} What did I ask?")

    assert said(model.chats[2]) == ["When does it open?", "At nine.", "And close?"]
    assert said(model.chats[3]) == ["What did I ask?"]


# --- what else a message may be -----------------------------------------------------------
async def test_of_two_bots_that_are_mentioned_ours_answers_once(
    simcord_env, channel, ada, me, model
):
    other = channel.guild.add_member(simcord_env.create_user("otherbot", bot=True))

    await ada.send(channel, f"{me} {other.mention} which of you is older?")

    assert bots_words(channel) == ["Hello there."]
    assert said(model.chats[0]) == ["@otherbot which of you is older?"]


async def test_a_message_that_is_edited_after_it_was_answered_is_answered_once(
    channel, ada, me, model
):
    asked = await ada.send(channel, f"{me} When does it open?")

    await ada.edit(asked, f"{me} When does it close?")

    assert bots_words(channel) == ["Hello there."]
    assert [question.content for question in await questions()] == ["When does it open?"]


# --- places -----------------------------------------------------------------------------
async def test_a_place_says_which_model_answers_and_how(channel, ada, me, model):
    await settle_place(
        channel, model="large", system_prompt="Be a pirate.", language="ru-RU",
        temperature=0.5, max_tokens=7,
    )  # fmt: skip

    await ada.send(channel, f"{me} hello")

    asked = model.chats[0]
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("large", 0.5, 7)
    assert asked["messages"][0] == {
        "role": "system",
        "content": "Be a pirate.\nAnswer in Russian (ru-RU).",
    }


@pytest.mark.origin(37)
async def test_where_an_admin_opened_it_every_message_is_answered(channel, ada, model):
    await settle_place(channel, answers="everything")

    await ada.send(channel, "just talking")

    assert bots_words(channel) == ["Hello there."]


async def test_where_the_bot_is_denied_it_says_so_once_and_it_is_noted(channel, ada, me, model):
    await settle_place(channel, access=Access.DENY)

    await ada.send(channel, f"{me} hello")

    assert refused(channel)[0] == places.NOT_HERE
    assert await denials() == 1
    assert (model.chats, await questions()) == ([], [])


async def test_a_denial_is_not_told_where_nobody_spoke_to_the_bot(channel, ada, model):
    await settle_place(channel, access=Access.DENY, answers="everything")

    await ada.send(channel, "just talking")

    assert (bots_words(channel), await denials()) == ([], 0)


@pytest.mark.origin(6)
async def test_who_asks_too_fast_is_told_when_to_ask_again(channel, ada, me, model):
    await limit_guild(channel, user_cooldown_s=600.0)
    await ada.send(channel, f"{me} hello")

    await ada.send(channel, f"{me} hello again")

    assert "you may ask again in" in bots_words(channel)[1]
    assert len(model.chats) == 1


# --- long answers -------------------------------------------------------------------------
@pytest.mark.origin(15)
async def test_a_very_long_answer_goes_on_in_a_thread(simcord_env, channel, ada, me, model):
    model.replies = [Reply(pieces=("word " * 2000,))]

    await ada.send(channel, f"{me} tell me everything")

    assert bots_words(channel)[0].endswith("-# The answer goes on in the thread.")
    [thread] = simcord_env.bot.get_channel(channel.id).threads
    assert thread.name == "tell me everything"


async def test_in_a_direct_message_it_comes_as_a_file(ada, model):
    model.replies = [Reply(pieces=("word " * 2000,))]

    await ada.send_dm("tell me everything")

    answer = ada.user.dm_channel.last_message
    assert answer.content.endswith("-# The whole answer is in the file `answer.md`.")
    assert [file.filename for file in answer.attachments] == ["answer.md"]


# --- attachments ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"plain", "plain"),
        ("\ufeff\u043f\u0440\u0438".encode(), "\u043f\u0440\u0438"),
        ("wide".encode("utf-16"), "wide"),
        (b"\x00\x01\x02", None),
        (b"\xff\xfe\xfd", None),
        (b"   ", None),
    ],
)
def test_text_is_what_can_be_read_as_text(content, text):
    assert attachments.decoded(content) == text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", "sound"),
        (b"OggS", "sound"),
        (b"\x00\x00\x00\x20ftypM4A ", "sound"),
        (b"<html>", ""),
        (b"", ""),
    ],
)
def test_a_file_is_what_its_bytes_say(content, kind):
    assert attachments.sniff(content) == kind


class TestOverSockets:
    """Attachments lie with a file server, so these need the Discord over sockets."""

    @pytest.fixture
    def ada(self, discord_server):
        return discord_server.add_user("Ada")

    async def ask(self, discord_server, ada, text, *files):
        uploaded = [discord_server.cdn.upload(*file) for file in files]
        channel = discord_server.world.direct_channel(ada)
        asked = await discord_server.say(ada, text, channel=channel, attachments=uploaded)
        return await discord_server.wait_for_reply(to=asked)

    async def test_a_text_is_read_and_noted(self, bot, discord_server, ada, model):
        await self.ask(discord_server, ada, "What is it?", ("a.txt", b"A poem.", "text/plain"))

        assert said(model.chats[0]) == ["What is it?\n\nFile a.txt:\nA poem."]
        [question] = await questions()
        assert question.attachments == [
            {"name": "a.txt", "content_type": "text/plain", "n_bytes": 7, "use": "text"}
        ]

    async def test_a_picture_is_shown_to_the_model_whatever_it_says_it_is(
        self, bot, discord_server, ada, model
    ):
        await self.ask(discord_server, ada, "What is it?", ("a.txt", PNG, "text/plain"))

        words, picture = model.chats[0]["messages"][-1]["content"]
        assert words == {"type": "text", "text": "What is it?"}
        assert picture["image_url"]["url"].startswith("data:image/png;base64,")

    async def test_pictures_have_room_for_so_many_bytes_together(
        self, bot, discord_server, ada, model
    ):
        large = PNG + bytes(7 * 1024 * 1024)
        pictures = [(f"{number}.png", large, "image/png") for number in range(3)]

        answer = await self.ask(discord_server, ada, "What is it?", *pictures)

        assert len(model.chats[0]["messages"][-1]["content"]) == 3  # the words and two of them
        assert "There was no room left for `2.png`" in answer.content

    async def test_a_model_that_does_not_see_answers_the_words_and_that_is_said(
        self, bot, discord_server, ada, model
    ):
        refusal = error_body("image_url is not supported by this model")
        model.replies = [Reply(status=400, error=refusal), Reply()]

        answer = await self.ask(discord_server, ada, "What is it?", ("a.png", PNG, "image/png"))
        again = await self.ask(discord_server, ada, "And this?", ("b.png", PNG, "image/png"))

        assert "Hello there." in answer.content
        assert "cannot see pictures" in answer.content
        assert "cannot see pictures" in again.content
        assert len(model.chats) == 3  # the second picture was not tried

    @pytest.mark.origin(38)
    @pytest.mark.parametrize(
        ("file", "words"),
        [
            (("a.ogg", b"OggS....", "audio/ogg"), "`a.ogg`: "),
            (("a.bin", b"\x00\x01", "text/plain"), "neither text nor a picture"),
            (("a.txt", b"x" * 300_000, "text/plain"), "too large to read"),
            (("a.png", PNG + b"x" * 9_000_000, "image/png"), "too large"),
        ],
    )
    async def test_what_cannot_be_used_is_explained_and_the_words_are_answered(
        self, bot, discord_server, ada, model, file, words
    ):
        captioned = await self.ask(discord_server, ada, "Hello?", file)
        alone = await self.ask(discord_server, ada, "", file)

        assert captioned.content.startswith("Hello there.")
        assert words in captioned.content
        assert words in alone.content
        assert len(model.chats) == 1


# --- ask --------------------------------------------------------------------------------------
@pytest.mark.origin(8)
async def test_ask_answers_as_a_command(channel, ada, model):
    await ada.send(channel, "!ask What is the capital of France?")

    assert bots_words(channel) == ["Hello there."]
    assert said(model.chats[0]) == ["What is the capital of France?"]


async def test_ask_answers_as_a_slash_command(simcord_env, channel, ada, model):
    await simcord_env.bot.tree.sync()

    await ada.slash(channel, "ask", question="What is the capital of France?")

    assert bots_words(channel) == ["Hello there."]
    assert [question.content for question in await questions()] == [
        "What is the capital of France?"
    ]


async def test_ask_without_a_question_says_how_to_use_it(simcord_env, channel, ada, model):
    await ada.send(channel, "!ask")

    [sentence] = bots_words(channel)
    assert sentence.startswith("Use it like this: `!ask <question>`")
    assert (len(simcord_env.errors), model.chats) == (1, [])
