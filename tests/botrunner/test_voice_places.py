"""Voice messages on a server: its settings, its limits, its languages, what it keeps."""

import pytest
from channels.db import database_sync_to_async

from botrunner.cogs.chat import aloud
from botrunner.ui.mending import mend
from dashboard.models import (
    DiscordChannel,
    DiscordUser,
    GuildSettings,
    Message,
    PlaceSettings,
    Utterance,
)
from dashboard.services import consent, conversations, corrections, places, speech, utterances
from dashboard.services.access import Person, Role
from dashboard.services.utterances import Sound
from tests.fakes.discord.payloads import ALL_PERMISSIONS
from tests.fakes.speech import Refusal, recording

pytestmark = pytest.mark.django_db(transaction=True)
SEND_VOICE_MESSAGES = 1 << 46


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@pytest.fixture
def talk(bot, discord_server, ada, model, speech_server):
    """Let Ada send a sound to the bot in #general; returns the bot's first reply to it."""

    async def talk(text: str = "", *, containing: str = "", seconds: float = 1.0):
        file = discord_server.cdn.upload("a.ogg", recording(seconds), "audio/ogg")
        words = f"{discord_server.bot.mention} {text}"
        asked = await discord_server.say(ada, words, attachments=[file])
        return await discord_server.wait_for_reply(to=asked, containing=containing)

    return talk


@database_sync_to_async
def choose(discord_server, **chosen) -> None:
    guild = places.guild(int(discord_server.world.guild.id), "Testers")
    row = speech.settings_of(guild.discord_guild_id)
    for name, value in chosen.items():
        setattr(row, name, value)
    speech.save_settings(row, actor=None)


@database_sync_to_async
def limit(discord_server, **limits) -> None:
    guild = places.guild(int(discord_server.world.guild.id), "Testers")
    places.save_guild(GuildSettings(guild=guild, **limits), actor=None)


@database_sync_to_async
def speak_in(discord_server, language: str, *, channel: bool) -> None:
    guild = places.guild(int(discord_server.world.guild.id), "Testers")
    row = None
    if channel:
        row, _ = DiscordChannel.objects.get_or_create(
            discord_channel_id=int(discord_server.world.general.id),
            defaults={"guild": guild, "name": "general"},
        )
    places.save_place(PlaceSettings(guild=guild, channel=row, language=language), actor=None)


def voices(discord_server):
    return [each for each in discord_server.world.said_by_bot() if each.attachments]


async def first_voice(discord_server):
    return await discord_server.until(lambda: next(iter(voices(discord_server)), None), "it speaks")


# --- what is spoken ----------------------------------------------------------------------
async def test_where_admins_say_never_nothing_is_spoken_and_that_is_said(
    talk, discord_server, ada, speech_server
):
    await choose(discord_server, speaks="never")

    await talk(containing="Hello")
    question = "!ask spoken:True Hello?"
    asked = await discord_server.say(ada, question)
    text = await discord_server.wait_for_reply(to=asked, containing="Hello")
    note = await discord_server.wait_for_reply(to=text)

    assert note.content == f"-# {aloud.NEVER_HERE}"
    assert (voices(discord_server), speech_server.spoken) == ([], [])


async def test_where_admins_say_always_written_questions_are_answered_aloud_too(
    bot, discord_server, ada, model, speech_server
):
    await choose(discord_server, speaks="always")

    await discord_server.say(ada, f"{discord_server.bot.mention} Hello?")

    voice = await first_voice(discord_server)
    assert voice.reply_to.content == "Hello there."


async def test_where_discord_forbids_voice_messages_it_comes_as_a_file(talk, discord_server):
    await discord_server.forbid(discord_server.world.general, SEND_VOICE_MESSAGES)
    assert int(ALL_PERMISSIONS) & SEND_VOICE_MESSAGES

    text = await talk(containing="Hello")

    voice = await first_voice(discord_server)
    assert (voice.flags, voice.reply_to) == (0, text)
    assert voice.attachments[0].content.startswith(b"OggS")


async def test_where_voice_messages_are_refused_after_all_it_comes_as_a_file(talk, discord_server):
    discord_server.fail_next(403, method="POST", path=".*/messages", times=0)
    text = await talk("", containing="Hello")

    assert (await first_voice(discord_server)).reply_to is text


async def test_where_no_file_may_be_attached_that_is_said(talk, discord_server, speech_server):
    speech_server.script.delay_s = 0.3
    text = await talk(containing="Hello")
    discord_server.fail_next(403, method="POST", path=".*/messages", times=2)

    note = await discord_server.wait_for_reply(to=text)
    assert note.content == f"-# {aloud.NOT_SPOKEN} {aloud.NO_FILES}"


async def test_ask_slashed_speaks_its_answer_on_wish(
    bot, discord_server, ada, model, speech_server
):
    options = [
        {"name": "question", "type": 3, "value": "Hello?"},
        {"name": "spoken", "type": 5, "value": True},
    ]
    data = {"id": "1", "name": "ask", "type": 1, "options": options}

    await discord_server.interact(ada, type=2, data=data)

    voice = await first_voice(discord_server)
    assert voice.reply_to.content == "Hello there."
    assert [each.text for each in speech_server.spoken] == ["Hello there."]


# --- in which language -------------------------------------------------------------------
@pytest.mark.origin(45)
async def test_the_language_of_person_channel_and_server_drives_both_ways(
    talk, discord_server, ada, speech_server
):
    used = []
    await speak_in(discord_server, "de-DE", channel=False)
    await talk(containing="Hello")
    await first_voice(discord_server)
    used.append((speech_server.heard[-1].language, speech_server.spoken[-1].language))

    await speak_in(discord_server, "fr-FR", channel=True)
    await talk(containing="Hello")
    await discord_server.until(lambda: len(voices(discord_server)) == 2, "it speaks again")
    used.append((speech_server.heard[-1].language, speech_server.spoken[-1].language))

    await prefer(ada, "en-GB")
    await talk(containing="Hello")
    await discord_server.until(lambda: len(voices(discord_server)) == 3, "it speaks once more")
    used.append((speech_server.heard[-1].language, speech_server.spoken[-1].language))

    assert used == [("de-DE", "de-DE"), ("fr-FR", "fr-FR"), ("en-GB", "en-GB")]


@database_sync_to_async
def prefer(who, language: str) -> None:
    DiscordUser.objects.filter(discord_user_id=int(who.id)).update(language=language)


# --- how often ---------------------------------------------------------------------------
@pytest.mark.origin(6)
async def test_a_sound_counts_in_the_cooldown_even_when_nothing_was_made_out(
    talk, discord_server, model, speech_server
):
    await limit(discord_server, user_cooldown_s=600.0)
    speech_server.script.refusals = {"scripted": Refusal(422, "nothing_heard")}
    await talk()

    refused = await talk()

    assert "you may ask again in" in refused.content
    assert (len(speech_server.heard), model.chats) == (1, [])


@pytest.mark.origin(6)
async def test_whose_budget_is_used_up_is_not_listened_to(
    talk, discord_server, model, speech_server
):
    await limit(discord_server, user_tokens=0)

    refused = await talk()

    assert "you have used up your budget" in refused.content
    assert (speech_server.heard, model.chats) == ([], [])


# --- what is kept ------------------------------------------------------------------------
@database_sync_to_async
def kept() -> list[tuple[Utterance, bytes]]:
    found = []
    for row in Utterance.objects.select_related("message").order_by("pk"):
        data = b""
        if row.message.audio:
            with row.message.audio.open() as file:
                data = file.read()
        found.append((row, data))
    return found


async def test_a_recording_is_kept_where_the_server_says_so_and_the_person_does_not_object(
    talk, discord_server, ada
):
    await talk(containing="Hello")
    await choose(discord_server, keeps_audio_days=3)
    await talk(containing="Hello")
    await database_sync_to_async(consent.set_heard)(
        Person(Role.MEMBER, "Ada", discord_user_id=int(ada.id)), False
    )
    await talk(containing="Hello")
    await choose(discord_server, keeps_audio_days=3)

    (before, nothing), (during, gone), (after, none) = await kept()
    assert (nothing, gone, none) == (b"", b"", b"")
    assert [row.text for row in (before, during, after)] == ["When does the library open?"] * 3


async def test_a_recording_is_there_for_as_long_as_it_says(talk, discord_server):
    await choose(discord_server, keeps_audio_days=3)

    await talk(containing="Hello", seconds=0.5)

    [(row, data)] = await kept()
    assert data.startswith(b"OggS")
    assert 2 < (row.audio_until - row.created_at).total_seconds() / 86_400 < 4


async def test_a_disk_that_takes_no_recording_keeps_nobody_from_their_answer(
    talk, discord_server, settings, tmp_path
):
    (tmp_path / "audio").write_text("a file where a folder should be")
    settings.MEDIA_ROOT = tmp_path
    await choose(discord_server, keeps_audio_days=3)

    answer = await talk(containing="Hello")

    assert answer.content == "> When does the library open?\nHello there."
    assert [(row.message.audio.name, data) for row, data in await kept()] == [("", b"")]


# --- taken up ------------------------------------------------------------------------------
@database_sync_to_async
def left_open(message, who, sound: Sound) -> None:
    """What a process leaves that is killed between the question and its answer."""
    talk = conversations.for_discord(
        guild_id=None,
        guild_name="",
        channel_id=int(message.channel.id),
        channel_name=who.name,
        discord_user_id=int(who.id),
        user_name=who.name,
    )
    question = conversations.log_question(
        conversation=talk,
        text=sound.text,
        discord_message_id=int(message.id),
        attachments=[{"name": "a.ogg", "use": "sound"}],
    )
    person = talk.discord_user
    assert person is not None
    utterances.log_sound(question=question, person=person, sound=sound)


@pytest.mark.parametrize(
    ("sound", "answer", "n_asked"),
    [
        (Sound("When?", "en", "google"), "> When?\nHello there.", 1),
        (Sound(problem="I made out no words in it."), "I made out no words in it.", 0),
    ],
)
async def test_a_sound_that_was_heard_before_a_kill_is_not_listened_to_again(
    discord_server, ada, model, speech_server, run_bot, sound, answer, n_asked
):
    file = discord_server.cdn.upload("a.ogg", recording(), "audio/ogg")
    channel = discord_server.world.direct_channel(ada)
    asked = discord_server.world.add_message(channel, ada, "")
    asked.attachments = [file]
    await left_open(asked, ada, sound)

    run_bot()

    said = await discord_server.wait_for_reply(to=asked)
    await discord_server.until(lambda: answer in said.content, "the answer is whole")
    assert (len(model.chats), speech_server.heard) == (n_asked, [])


# --- corrected -----------------------------------------------------------------------------
@database_sync_to_async
def correct(text: str) -> Message:
    answer = Message.objects.select_related("reply_to", "conversation__discord_channel__guild").get(
        role="assistant"
    )
    made = corrections.propose_for(message=answer, better_answer=text)
    corrections.approve(correction=made, reviewer=None)
    return answer


async def test_a_corrected_answer_still_shows_what_was_heard(
    bot, discord_server, talk, speech_server
):
    process, _ = bot
    answered = await talk(containing="Hello")
    await first_voice(discord_server)  # by then the answer is in the log

    await mend(process.bot, await correct("At nine."))

    assert answered.content.startswith("> When does the library open?\nAt nine.\n-# corrected")
