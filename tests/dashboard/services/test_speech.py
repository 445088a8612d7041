"""Speech as a service: who hears and speaks, in which order and language, and what is kept."""

import asyncio
import os
import time
from dataclasses import replace

import pytest
from channels.db import database_sync_to_async

from dashboard.models import AssistantSettings, AuditEvent, DiscordUser, OutboxEvent, VoiceSettings
from dashboard.services import places, providers, speech
from dashboard.services.places import Rules
from dashboard.services.speech import hearing, saying, spoken, ways
from tests.fakes.speech import Asked, Refusal, recording, tone
from trainerbot.errors import InvalidInput
from trainerbot.speech import NothingHeard, Pcm, UnreadableAudio

rows = pytest.mark.django_db
async_rows = pytest.mark.django_db(transaction=True)

DOWN = Refusal(503, "overloaded")
LANGUAGE = Refusal(400, "language_not_supported")


@pytest.fixture
def chain(settings, speech_server):
    """Three who hear and speak, first choice first."""
    settings.SPEECH_RECOGNIZERS = settings.SPEECH_SYNTHESIZERS = ["first", "second", "third"]
    return speech_server


def asked(requests: list[Asked]) -> list[str]:
    return [each.model for each in requests]


# --- hearing ---------------------------------------------------------------------------
async def test_a_sound_becomes_words(speech_server):
    heard = await speech.hear(recording(1.0), content_type="audio/ogg", language="en-US")

    assert (heard.text, heard.language) == ("When does the library open?", "en-US")
    assert heard.provider == "scripted"
    assert heard.duration_s == pytest.approx(1.0, abs=0.05)
    assert [(each.model, each.language) for each in speech_server.heard] == [("scripted", "en-US")]


async def test_where_the_first_cannot_listen_the_next_one_does(chain):
    chain.script.refusals = {"first": LANGUAGE, "second": DOWN}

    heard = await speech.hear_pcm(tone(0.5), language="ru-RU")

    assert heard.provider == "third"
    assert asked(chain.heard) == ["first", "second", "third"]


async def test_who_could_not_be_reached_is_asked_last_for_a_while(chain):
    chain.script.refusals = {"first": DOWN}
    await speech.hear_pcm(tone(0.5), language="ru-RU")

    await speech.hear_pcm(tone(0.5), language="ru-RU")

    assert asked(chain.heard) == ["first", "second", "second"]


async def test_who_does_not_know_a_language_is_asked_last_in_that_one_alone(chain):
    chain.script.refusals = {"first": LANGUAGE}
    await speech.hear_pcm(tone(0.5), language="ru-RU")

    for language in ("ru-RU", "en-US"):
        await speech.hear_pcm(tone(0.5), language=language)

    assert asked(chain.heard) == ["first", "second", "second", "first", "second"]


@pytest.mark.origin(43)
async def test_where_no_words_are_in_it_nobody_else_is_made_to_find_some(chain):
    chain.script.refusals = {"first": Refusal(422, "nothing_heard")}

    with pytest.raises(NothingHeard):
        await speech.hear_pcm(tone(0.5), language="ru-RU")

    assert asked(chain.heard) == ["first"]


async def test_silence_is_listened_to_by_nobody(chain):
    with pytest.raises(NothingHeard):
        await speech.hear_pcm(Pcm(bytes(32_000)), language="ru-RU")

    assert chain.heard == []


@pytest.mark.origin(43)
@pytest.mark.parametrize(
    ("refusals", "words"),
    [
        ({"first": DOWN, "second": LANGUAGE, "third": LANGUAGE}, hearing.NOBODY_HEARS),
        (dict.fromkeys(["first", "second", "third"], LANGUAGE), hearing.NOBODY_KNOWS),
        (
            dict.fromkeys(["first", "second", "third"], Refusal(501, "no_speech_provider")),
            hearing.NOBODY_HERE,
        ),
    ],
)
async def test_where_nobody_can_listen_that_is_an_error_and_never_a_text(chain, refusals, words):
    chain.script.refusals = refusals

    with pytest.raises(speech.CannotHear, match=words):
        await speech.hear_pcm(tone(0.5), language="ru-RU")


async def test_a_server_that_does_not_run_is_said_in_words(settings):
    settings.SPEECH_BASE_URL = "http://127.0.0.1:9/v1"

    with pytest.raises(speech.CannotHear, match="can be reached just now"):
        await speech.hear_pcm(tone(0.5), language="ru-RU")
    with pytest.raises(speech.CannotSpeak, match="can be reached just now"):
        await speech.say("Hello.", language="ru-RU")


@pytest.mark.origin(41)
async def test_what_is_longer_than_it_may_be_is_not_listened_to(speech_server):
    with pytest.raises(UnreadableAudio, match="seconds"):
        await speech.hear(recording(2.0), content_type="audio/ogg", language="ru", most_s=1.0)

    assert speech_server.heard == []


async def test_the_configured_endpoint_hears_with_its_own_model(settings, speech_server):
    settings.SPEECH_RECOGNIZERS = ["openai"]
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = (
        speech_server.base_url,
        settings.MODELSERVER_API_KEY,
    )
    settings.SPEECH_STT_MODEL = "whisper-large"

    heard = await speech.hear_pcm(tone(0.5), language="ru-RU")

    assert heard.provider == "openai"
    assert [(each.model, each.language) for each in speech_server.heard] == [
        ("whisper-large", "ru")
    ]


async def test_one_client_serves_a_loop(speech_server):
    one = await providers.speech_at(providers.speech_server())

    assert await providers.speech_at(providers.speech_server()) is one


# --- speaking --------------------------------------------------------------------------
async def test_words_become_sound_once(speech_server):
    first = await speech.say("Hello there.", language="en-US")
    again = await speech.say("Hello there.", language="en-US")

    assert (first.provider, first.is_cached, again.is_cached) == ("scripted", False, True)
    assert again.sound == first.sound
    assert first.sound.duration_s == pytest.approx(0.5)
    assert len(speech_server.spoken) == 1


async def test_another_voice_or_language_speaks_anew(speech_server):
    for language in ("en-US", "ru-RU"):
        await speech.say("Hello there.", language=language)

    assert [each.language for each in speech_server.spoken] == ["en-US", "ru-RU"]


async def test_where_the_first_cannot_speak_the_next_one_does(chain):
    chain.script.refusals = {"first": DOWN}

    said = await speech.say("Hello.", language="ru")

    assert (said.provider, said.voice) == ("second", "")
    assert asked(chain.spoken) == ["first", "second"]


@pytest.mark.origin(48)
async def test_what_is_spoken_is_cleaned_and_not_too_long(speech_server):
    await speech.say("**Look**: <https://example.org/x> `x` " + "word " * 2_000, language="en")

    [said] = speech_server.spoken
    assert said.text.startswith("Look: x word word")
    assert len(said.text) <= 1_500


@pytest.mark.origin(48)
@pytest.mark.parametrize("text", ["", "🎉🎉🎉", "https://example.org", "```py\nx = 1\n```", "—"])
async def test_nothing_is_never_spoken(speech_server, text):
    with pytest.raises(speech.NothingToSay, match="nothing in this"):
        await speech.say(text, language="en")

    assert speech_server.spoken == []


async def test_where_nobody_knows_the_language_that_is_said(chain):
    chain.script.refusals = dict.fromkeys(["first", "second", "third"], LANGUAGE)

    with pytest.raises(speech.CannotSpeak, match=saying.NOBODY_KNOWS):
        await speech.say("Hello.", language="tlh")


# --- what was spoken -------------------------------------------------------------------
def key(text: str) -> spoken.Key:
    return spoken.Key("espeak", "", "en", text)


def test_the_oldest_is_forgotten_where_there_is_no_room(monkeypatch):
    spoken.forget_spoken()
    sound = tone(1.0)
    monkeypatch.setattr(spoken, "MOST_BYTES", 3 * (len(sound.data) + 100))
    for number, text in enumerate(("one", "two", "three")):
        spoken.keep(key(text), sound, asked_at=time.time())
        os.utime(key(text).path, (time.time() - 100 + number,) * 2)
    assert spoken.find(key("one")) == sound  # asked for again, it is the youngest

    spoken.keep(key("four"), sound, asked_at=time.time())

    assert [bool(spoken.find(key(text))) for text in ("one", "two", "three", "four")] == [
        True,
        False,
        True,
        True,
    ]


def test_what_nobody_asked_for_in_a_week_is_forgotten():
    spoken.forget_spoken()
    spoken.keep(key("old"), tone(0.1), asked_at=time.time())
    week_ago = time.time() - spoken.KEPT_S - 1
    os.utime(key("old").path, (week_ago, week_ago))

    assert spoken.prune() == 1
    assert spoken.find(key("old")) is None


def test_a_file_that_a_disk_spoilt_is_spoken_anew():
    spoken.forget_spoken()
    spoken.keep(key("x"), tone(0.1), asked_at=time.time())
    key("x").path.write_bytes(b"RIFF")

    assert spoken.find(key("x")) is None
    assert not key("x").path.exists()


def test_nothing_is_kept_of_what_was_asked_before_all_was_forgotten():
    asked_at = time.time()
    spoken.forget_spoken()

    spoken.keep(key("x"), tone(0.1), asked_at=asked_at)
    assert spoken.find(key("x")) is None

    spoken.keep(key("x"), tone(0.1), asked_at=time.time() + 0.01)
    assert spoken.find(key("x")) == tone(0.1)


async def test_a_sentence_that_is_being_made_while_its_asker_is_erased_is_not_kept(speech_server):
    speech_server.script.goes_on.clear()
    saying = asyncio.create_task(speech.say("Hello Ada.", language="en"))
    while not speech_server.spoken:  # noqa: ASYNC110 (a request wakes nobody)
        await asyncio.sleep(0.001)
    spoken.forget_spoken()
    speech_server.script.goes_on.set()
    await saying

    assert not (await speech.say("Hello Ada.", language="en")).is_cached


async def test_what_follows_of_an_answer_whose_asker_was_erased_is_not_kept(speech_server):
    asked_at = time.time()
    spoken.forget_spoken()

    for _ in range(2):
        said = await speech.say("Hello Ada.", language="en", asked_at=asked_at)
        assert not said.is_cached


# --- settings ----------------------------------------------------------------------------
@pytest.fixture
def guild():
    return places.guild(1, "Testers")


@rows
def test_what_a_guild_chose_counts_at_once_and_is_noted(guild):
    row = speech.settings_of(1)
    assert (row.pk, row.guild) == (None, guild)
    row.recognizers, row.voice, row.speaks = ["sphinx", "sphinx"], "  ada ", "always"

    speech.save_settings(row, actor=None)

    kept = speech.settings_of(1)
    assert (kept.recognizers, kept.voice) == (["sphinx"], "ada")
    assert places.rules().place(1).speaks == "always"
    assert AuditEvent.objects.get(action="voice.change").detail == {
        "recognizers": "['sphinx']",
        "voice": "ada",
        "speaks": "always",
    }
    assert OutboxEvent.objects.filter(topic="settings").exists()


@rows
def test_of_two_who_opened_an_empty_form_the_later_has_their_way(guild):
    first, second = speech.settings_of(1), speech.settings_of(1)
    first.wake_name, second.wake_name = "Ada", "Eve"

    speech.save_settings(first, actor=None)
    speech.save_settings(second, actor=None)

    assert VoiceSettings.objects.get().wake_name == "Eve"


@rows
@pytest.mark.parametrize(
    "wrong",
    [
        {"recognizers": ["nobody"]},
        {"synthesizers": ["sphinx"]},
        {"synthesizers": "espeak"},
        {"synthesizers": ["espeak"] * 9},
        {"speaks": "sometimes"},
        {"keeps_audio_days": 1_000},
        {"voice": "x" * 101},
    ],
)
def test_a_value_that_is_none_is_refused_in_words(guild, wrong):
    row = speech.settings_of(1)
    for name, value in wrong.items():
        setattr(row, name, value)

    with pytest.raises(InvalidInput):
        speech.save_settings(row, actor=None)

    assert not VoiceSettings.objects.exists()


@async_rows
@pytest.mark.origin(45)
async def test_the_chain_and_the_voice_of_a_guild_are_used_there_alone(speech_server):
    @database_sync_to_async
    def choose() -> None:
        row = VoiceSettings(guild=places.guild(1, "Testers"))
        row.recognizers, row.synthesizers, row.voice = ["sphinx"], ["piper", "espeak"], "joe"
        speech.save_settings(row, actor=None)

    await choose()
    speech_server.script.refusals = {"piper": DOWN}

    await speech.hear_pcm(tone(0.5), language="en", guild_id=1)
    await speech.hear_pcm(tone(0.5), language="en", guild_id=2)
    await speech.say("Hello.", language="en", guild_id=1)

    assert asked(speech_server.heard) == ["sphinx", "scripted"]
    assert [(each.model, each.voice) for each in speech_server.spoken] == [
        ("piper", "joe"),
        ("espeak", ""),
    ]


@pytest.mark.origin(45)
def test_ones_own_language_beats_the_places_and_that_the_setting():
    everywhere = Rules(everywhere=AssistantSettings()).place(None)
    german = replace(everywhere, language="de-DE")
    ada = DiscordUser(language="en-US")

    assert speech.language_for(ada, german) == "en-US"
    assert speech.language_for(DiscordUser(), german) == "de-DE"
    assert speech.language_for(None, everywhere) == "ru-RU"


# --- who can be used ---------------------------------------------------------------------
async def test_it_is_known_who_can_be_used_and_why_not(speech_server):
    speech_server.standings = [
        {"name": "sphinx", "hears": True, "speaks": False, "languages": ["en"]},
    ]

    found = {each.name: each for each in await speech.standings()}

    assert found["sphinx"].languages == ("en",)
    assert found["openai"].problem == ways.NO_ENDPOINT


async def test_without_a_server_everybody_is_listed_with_the_reason(settings):
    settings.SPEECH_BASE_URL = "http://127.0.0.1:9/v1"

    found = {each.name: each for each in await speech.standings()}

    assert set(found) >= {"openai", "google", "espeak", "scripted"}
    assert "cannot be reached" in found["espeak"].problem
    assert (found["google"].hears, found["google"].speaks) == (True, False)
