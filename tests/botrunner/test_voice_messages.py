"""Voice messages and sounds in text channels, over sockets: heard, answered, never mixed up."""

import asyncio
import base64
import tempfile
from pathlib import Path

import pytest
from channels.db import database_sync_to_async

from botrunner.sounds.fetching import FOLDER_PREFIX
from dashboard.models import Message, Utterance
from dashboard.services.speech import hearing
from tests.fakes.openai_endpoint import Reply
from tests.fakes.speech import Asked, Refusal, recording
from tests.trainerbot.speech import recordings
from tests.trainerbot.speech.recordings import locked, video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


async def send(discord_server, who, data, *, text="", name="voice-message.ogg", **more):
    """Let somebody send a sound directly to the bot; returns their message."""
    kind = more.pop("content_type", "audio/ogg")
    file = discord_server.cdn.upload(name, data, kind, **more)
    channel = discord_server.world.direct_channel(who)
    return await discord_server.say(who, text, channel=channel, attachments=[file])


async def reply_to(discord_server, asked, containing=""):
    return await discord_server.wait_for_reply(to=asked, containing=containing)


def said(chat) -> str:
    return chat["messages"][-1]["content"]


@pytest.mark.origin(44)
async def test_a_voice_message_is_quoted_and_answered(
    bot, discord_server, ada, model, speech_server
):
    asked = await send(discord_server, ada, recording(), duration_secs=1.0, waveform="AAAA")

    answer = await reply_to(discord_server, asked, "Hello")

    assert answer.content == "> When does the library open?\nHello there."
    assert said(model.chats[0]) == "When does the library open?"


def spoken_by_bot(discord_server):
    """The bot's messages with a sound."""
    return [each for each in discord_server.world.said_by_bot() if each.attachments]


async def test_what_was_asked_by_voice_is_also_answered_by_voice(
    bot, discord_server, ada, model, speech_server
):
    asked = await send(discord_server, ada, recording())

    text = await reply_to(discord_server, asked, "Hello")
    voice = await discord_server.until(
        lambda: next(iter(spoken_by_bot(discord_server)), None), "it speaks"
    )

    assert voice.reply_to is text
    assert voice.flags == 8192
    [file] = voice.request["attachments"]
    assert file["duration_secs"] == pytest.approx(0.5, abs=0.05)
    assert 0 < len(base64.b64decode(file["waveform"])) <= 256
    assert voice.attachments[0].content.startswith(b"OggS")
    assert speech_server.spoken == [Asked("scripted", "ru-RU", text="Hello there.")]


@pytest.mark.origin(40)
async def test_twenty_at_once_never_cross(bot, discord_server, model, speech_server):
    speech_server.script.words = lambda duration_ms: f"sound of {round(duration_ms / 100)}"
    model.answer = lambda body: Reply(pieces=(f"You sent a {said(body)}.",))
    people = [discord_server.add_user(f"person {number}") for number in range(20)]
    lengths = [number + 2 for number in range(20)]

    questions = await asyncio.gather(
        *(
            send(discord_server, who, recording(length / 10, "wav"))
            for who, length in zip(people, lengths, strict=True)
        )
    )
    answers = await asyncio.gather(
        *(reply_to(discord_server, question, "You sent") for question in questions)
    )

    assert [answer.content for answer in answers] == [
        f"> sound of {length}\nYou sent a sound of {length}." for length in lengths
    ]
    assert [answer.channel.recipient for answer in answers] == people
    assert leftovers() == []


def leftovers() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"))


@pytest.mark.origin(43)
async def test_what_was_not_made_out_never_reaches_the_model(
    bot, discord_server, ada, model, speech_server
):
    told = {}
    for refusal in (
        Refusal(422, "nothing_heard"),
        Refusal(501, "no_speech_provider"),
        Refusal(400, "language_not_supported"),
        Refusal(503, "overloaded"),
    ):
        speech_server.script.refusals = {"scripted": refusal}
        answer = await reply_to(
            discord_server, await send(discord_server, ada, recording(), name="a.ogg")
        )
        told[refusal.code] = answer.content.partition("\n")[0]

    assert model.chats == []
    assert told == {
        "nothing_heard": "`a.ogg`: I made out no words in it.",
        "no_speech_provider": f"`a.ogg`: {hearing.NOBODY_HERE}",
        "language_not_supported": f"`a.ogg`: {hearing.NOBODY_KNOWS}",
        "overloaded": f"`a.ogg`: {hearing.NOBODY_HEARS}",
    }
    heard = await utterances()
    assert [(each.text, bool(each.problem)) for each in heard] == [("", True)] * 4
    assert [(each.content, bool(each.error)) for each in await messages()] == [
        ("", False),
        ("", True),
    ] * 4


@database_sync_to_async
def utterances() -> list[Utterance]:
    return list(Utterance.objects.select_related("message").order_by("pk"))


@database_sync_to_async
def messages() -> list[Message]:
    return list(Message.objects.order_by("pk"))


@pytest.mark.origin(38)
async def test_the_caption_is_answered_even_when_the_sound_is_not_made_out(
    bot, discord_server, ada, model, speech_server
):
    speech_server.script.refusals = {"scripted": Refusal(422, "nothing_heard")}

    asked = await send(discord_server, ada, recording(), text="What is this?", name="a.ogg")
    answer = await reply_to(discord_server, asked, "Hello")

    assert answer.content == "Hello there.\n-# `a.ogg`: I made out no words in it."
    assert said(model.chats[0]) == "What is this?"


async def test_caption_and_sound_are_both_asked(bot, discord_server, ada, model, speech_server):
    asked = await send(discord_server, ada, recording(), text="Translate this.", name="a.ogg")
    await reply_to(discord_server, asked, "Hello")

    assert said(model.chats[0]) == ("Translate this.\n\nSound a.ogg:\nWhen does the library open?")


async def test_of_several_sounds_the_first_is_heard_and_the_others_are_named(
    bot, discord_server, ada, model, speech_server
):
    files = [
        discord_server.cdn.upload(name, recording(), "audio/ogg") for name in ("a.ogg", "b.ogg")
    ]
    channel = discord_server.world.direct_channel(ada)
    asked = await discord_server.say(ada, "", channel=channel, attachments=files)
    answer = await reply_to(discord_server, asked, "Hello")

    assert "I hear one sound at once, so not `b.ogg`." in answer.content
    assert len(speech_server.heard) == 1


@pytest.mark.origin(42)
async def test_a_sound_is_heard_whatever_it_says_it_is(bot, discord_server, model, speech_server):
    kinds = [
        ("opus", "audio/ogg"),
        ("mp3", "audio/mpeg"),
        ("aac", "audio/mp4"),
        ("wav", "audio/x-wav"),
        ("flac", "audio/flac"),
        ("mp3", "text/plain"),
        ("opus", ""),
        ("wav", "video/mp4"),
    ]
    asked = [
        await send(
            discord_server,
            discord_server.add_user(f"person {number}"),
            recording(format=format),
            name="sound.bin",
            content_type=kind,
        )
        for number, (format, kind) in enumerate(kinds)
    ]

    answers = [await reply_to(discord_server, each, "Hello") for each in asked]

    assert {each.content for each in answers} == {"> When does the library open?\nHello there."}
    assert len(speech_server.heard) == len(kinds)


@pytest.mark.origin(42)
async def test_a_sound_that_is_none_gets_one_sentence_and_its_caption_an_answer(
    bot, discord_server, ada, model, speech_server
):
    bad = {
        "corrupt": b"OggS" + b"\x01\x02" * 500,
        "empty": b"",
        "no seconds": recording(0.0, "wav"),
        "nothing in it": b"\x00\x00\x00\x20ftypM4A " + bytes(200),
    }
    for name, data in bad.items():
        alone = await reply_to(discord_server, await send(discord_server, ada, data, name=name))
        captioned = await reply_to(
            discord_server,
            await send(discord_server, ada, data, text="Hello?", name=name),
            "Hello",
        )

        line, reference = alone.content.split("\n")
        assert line.startswith(f"`{name}`: ")
        assert line.count(". ") <= 1
        assert reference.startswith("-# reference")
        assert captioned.content.startswith(f"Hello there.\n-# `{name}`: ")
    assert (len(model.chats), speech_server.heard) == (len(bad), [])


@pytest.mark.origin(42)
async def test_the_sound_of_a_video_is_heard_and_answered(
    bot, discord_server, ada, model, speech_server
):
    film = video(sound=recordings.tone(1.0))
    asked = await send(discord_server, ada, film, name="film.mp4", content_type="video/mp4")

    answer = await reply_to(discord_server, asked, "Hello")

    assert answer.content == "> When does the library open?\nHello there."


@pytest.mark.parametrize(
    ("name", "kind", "data", "why"),
    [
        ("film.mp4", "video/mp4", video(), "video or picture without sound"),
        ("song.m4a", "audio/mp4", locked(), "locked"),
    ],
    ids=["a silent film", "DRM"],
)
async def test_a_silent_film_and_a_locked_song_are_told_and_the_words_beside_them_answered(
    bot, discord_server, ada, model, speech_server, name, kind, data, why
):
    file = {"name": name, "content_type": kind}
    alone = await reply_to(discord_server, await send(discord_server, ada, data, **file))
    asked = await send(discord_server, ada, data, text="Hello?", **file)
    captioned = await reply_to(discord_server, asked, "Hello")

    assert alone.content.startswith(f"`{name}`: ")
    assert why in alone.content
    assert captioned.content.startswith(f"Hello there.\n-# `{name}`: ")
    assert why in captioned.content
    assert [said(chat) for chat in model.chats] == ["Hello?"]
    assert speech_server.heard == []


async def test_a_picture_that_claims_to_be_a_sound_is_looked_at(
    bot, discord_server, ada, model, speech_server
):
    asked = await send(discord_server, ada, b"\x89PNG\r\n\x1a\npixels", text="What is it?")
    await reply_to(discord_server, asked, "Hello")

    assert said(model.chats[0])[1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert speech_server.heard == []


@pytest.mark.origin(41)
async def test_what_says_to_last_for_hours_is_not_even_fetched(
    bot, discord_server, ada, model, speech_server
):
    asked = await send(discord_server, ada, recording(), duration_secs=3 * 3600.0, waveform="AAAA")
    answer = await reply_to(discord_server, asked)

    assert "It is too long to hear: 10 minutes are the most." in answer.content
    assert (model.chats, speech_server.heard) == ([], [])


@pytest.mark.origin(39)
async def test_while_somebody_is_listened_to_and_spoken_to_others_are_answered(
    bot, discord_server, ada, model, speech_server
):
    async def greet(name: str) -> None:
        channel = (await discord_server.dm(discord_server.add_user(name), "!hi")).channel
        await discord_server.wait_for_reply(channel=channel, containing="HI!")

    speech_server.script.goes_on.clear()
    asked = await send(discord_server, ada, recording())
    await until_asked(speech_server.heard)
    await greet("Grace")
    speech_server.script.goes_on.set()
    await reply_to(discord_server, asked, "> When")
    speech_server.script.goes_on.clear()
    await until_asked(speech_server.spoken)
    await greet("Mary")
    speech_server.script.goes_on.set()

    assert await discord_server.until(lambda: spoken_by_bot(discord_server), "it speaks")


async def until_asked(requests: list) -> None:
    """Wait for the first request, which comes over a socket of another thread."""
    async with asyncio.timeout(60):
        while not requests:  # noqa: ASYNC110 (nobody here is told of it)
            await asyncio.sleep(0.005)


# --- how it is kept -------------------------------------------------------------------
async def test_what_was_heard_stands_in_the_log(bot, discord_server, ada, model, speech_server):
    asked = await send(discord_server, ada, recording(1.5))
    await reply_to(discord_server, asked, "Hello")

    [heard] = await utterances()
    assert heard.message.content == heard.text == "When does the library open?"
    assert (heard.provider, heard.language) == ("scripted", "ru-RU")
    assert heard.duration_ms == pytest.approx(1500, abs=50)
    assert heard.stages_ms["heard"] >= 0
    assert heard.message.audio.name == ""
    assert heard.message.attachments[0]["use"] == "sound"


# --- speaking --------------------------------------------------------------------------
@pytest.mark.origin(44)
async def test_where_nobody_can_speak_the_text_stands_and_that_is_said(
    bot, discord_server, ada, model, speech_server
):
    speech_server.script.refusals = {"scripted": Refusal(503, "overloaded")}
    speech_server.script.words = lambda duration_ms: "Hi"
    channel = discord_server.world.direct_channel(ada)

    asked = await discord_server.say(ada, "!ask Hello? spoken:True", channel=channel)
    text = await reply_to(discord_server, asked, "Hello")
    note = await discord_server.wait_for_reply(to=text)

    assert text.content == "Hello there."
    assert note.content == (
        "-# I could not speak this answer. Nobody who could speak can be reached just now."
    )


@pytest.mark.origin(48)
async def test_an_answer_of_emoji_alone_is_not_spoken_and_that_is_said(
    bot, discord_server, ada, model, speech_server
):
    model.replies = [Reply(pieces=("🎉🎉",))]

    asked = await send(discord_server, ada, recording())
    text = await reply_to(discord_server, asked, "🎉")
    note = await discord_server.wait_for_reply(to=text)

    assert note.content == "-# There is nothing in this that could be spoken."
    assert speech_server.spoken == []
