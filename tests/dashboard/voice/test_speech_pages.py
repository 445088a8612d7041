"""Sound through the browser's addresses: words of it, speech as it, recordings in parts."""

import json

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dashboard.models import DiscordGuild, Message, Utterance, VoiceSettings
from dashboard.services import dictation
from dashboard.services.access import Role
from tests.dashboard.views.conftest import make_user
from tests.factories import (
    AnswerFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordTalkFactory,
    UserFactory,
)
from tests.fakes.speech import Refusal, recording

# Services on an event loop give the rows of a plain test away.
pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"Accept": "application/json"}
OGG = recording(1.0)


@pytest.fixture
def member(client: Client):
    user = UserFactory()
    client.force_login(user)
    return user


@pytest.fixture
def admin(client: Client):
    user = UserFactory(admin=True)
    client.force_login(user)
    return user


def hear(client: Client, data: bytes = OGG, name: str = "sound.ogg", **fields: object):
    sound = SimpleUploadedFile(name, data, content_type="audio/ogg")
    return client.post("/speech/hear/", {"sound": sound, **fields}, headers=JSON)


def problem(response) -> str:
    return str(response.json()["problem"])


# --- hear ---------------------------------------------------------------------------------
def test_a_sound_comes_back_as_words_with_who_heard_it_and_how_fast(client, member, speech_server):
    heard = hear(client).json()

    assert heard["text"] == "When does the library open?"
    assert heard["provider"] == "PocketSphinx"
    assert 0.9 < heard["duration_s"] < 1.2
    assert heard["took_ms"] >= 0
    assert [(each.model, each.language) for each in speech_server.heard] == [("sphinx", "en-US")]


def test_nothing_of_a_tried_sound_is_stored(client, member, speech_server):
    hear(client)

    assert not Utterance.objects.exists()
    assert not Message.objects.exists()


def test_the_language_is_that_of_the_form(client, member, speech_server):
    hear(client, language="de_de")

    assert speech_server.heard[0].language == "de-DE"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty"),
        (b"not a sound at all", "no audio"),
        (b"OggS" + bytes(400), "no audio"),
    ],
    ids=["empty", "text", "broken"],
)
def test_what_is_no_sound_is_refused_in_words_and_nobody_is_asked(
    client, member, speech_server, data, sentence
):
    answer = hear(client, data)

    assert answer.status_code == 400
    assert sentence in problem(answer)
    assert not speech_server.heard


def test_a_sound_that_is_too_long_is_refused_in_words(client, member, speech_server, monkeypatch):
    monkeypatch.setattr(dictation, "MOST_S", 0.5)

    answer = hear(client)

    assert answer.status_code == 400
    assert "longer than 0.5 seconds" in problem(answer)
    assert not speech_server.heard


def test_a_sound_that_is_too_large_is_refused_in_words(client, member, monkeypatch):
    monkeypatch.setattr(dictation, "MOST_BYTES", 1000)

    answer = hear(client)

    assert answer.status_code == 400
    assert "too large" in problem(answer)


def test_a_form_without_a_sound_is_refused_in_words(client, member):
    answer = client.post("/speech/hear/", headers=JSON)

    assert "Record one, or choose a file." in problem(answer)


def test_where_no_words_are_in_it_that_is_a_sentence_and_no_failure_of_ours(
    client, member, speech_server
):
    speech_server.script.refusals = {"sphinx": Refusal(422, "nothing_heard")}

    response = hear(client)

    assert response.status_code == 422
    assert problem(response).startswith("No words could be made out.")


def test_when_nobody_can_hear_it_is_said_and_no_words_come(client, member, speech_server):
    speech_server.script.refusals = {"sphinx": Refusal(503, "provider_unavailable")}

    answer = hear(client)

    assert answer.status_code >= 400
    assert "Write it instead" in problem(answer)
    assert "text" not in answer.json()


# --- say ----------------------------------------------------------------------------------
def test_a_text_comes_back_as_sound_with_whose_voice_it_is(client, member, speech_server):
    answer = client.post("/speech/say/", {"text": "Good **morning**."}, headers=JSON)

    assert answer["Content-Type"] == "audio/mpeg"
    assert len(answer.content) > 1000
    about = json.loads(answer["Spoken"])
    assert (about["provider"], about["is_cached"]) == ("eSpeak NG", False)
    assert speech_server.spoken[0].text == "Good morning."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(" ", "nothing to say"), ("x" * 501, "too long"), ("🙂🙂", "nothing in this")],
    ids=["blank", "long", "emoji"],
)
def test_what_cannot_be_said_is_refused_in_words(client, member, speech_server, text, sentence):
    answer = client.post("/speech/say/", {"text": text}, headers=JSON)

    assert answer.status_code == 400
    assert sentence in problem(answer)
    assert not speech_server.spoken


def test_who_tries_a_lot_at_once_is_asked_to_wait(client, member, speech_server):
    def say():
        return client.post("/speech/say/", {"text": "Hello."}, headers=JSON)

    answers = [say() for _ in range(31)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert "Try again in" in problem(answers[-1])


def test_an_admin_tries_the_voice_of_a_server(client, admin, speech_server):
    guild = DiscordGuildFactory()
    choose(guild, synthesizers=["piper"], voice="amy")

    client.post("/speech/say/", {"text": "Hello.", "guild": guild.pk}, headers=JSON)

    assert [(each.model, each.voice) for each in speech_server.spoken] == [("piper", "amy")]


def test_a_member_does_not_try_the_voice_of_a_server(client, member, speech_server):
    guild = DiscordGuildFactory()

    answer = client.post("/speech/say/", {"text": "Hello.", "guild": guild.pk}, headers=JSON)

    assert answer.status_code == 403
    assert not speech_server.spoken


@pytest.mark.parametrize("guild", ["999999", "x", "9" * 40])
def test_a_server_that_is_none_is_not_found(client, admin, guild):
    answer = client.post("/speech/say/", {"text": "Hello.", "guild": guild}, headers=JSON)

    assert answer.status_code == 404


def test_a_token_is_needed_to_be_heard():
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user(Role.MEMBER))

    assert hear(strict).status_code == 403


# --- answers aloud ------------------------------------------------------------------------
def test_an_answer_is_spoken_on_demand_and_made_only_once(client, member, speech_server):
    answer = AnswerFactory(conversation__user=member)

    first = client.get(f"/speech/answers/{answer.pk}/", headers=JSON)
    again = client.get(f"/speech/answers/{answer.pk}/", headers=JSON)

    assert first["Content-Type"] == "audio/mpeg"
    assert json.loads(again["Spoken"])["is_cached"]
    assert [each.text for each in speech_server.spoken] == ["It never closes."]


def test_an_answer_to_a_spoken_question_is_spoken_in_its_language(client, member, speech_server):
    answer = AnswerFactory(conversation__user=member)
    Utterance.objects.create(message=answer.reply_to, text="?", language="de-DE")

    client.get(f"/speech/answers/{answer.pk}/", headers=JSON)

    assert speech_server.spoken[0].language == "de-DE"


def test_an_answer_on_discord_is_spoken_by_the_voice_of_its_server(client, admin, speech_server):
    talk = DiscordTalkFactory(discord_channel=DiscordChannelFactory(), discord_user__language="fr")
    choose(talk.discord_channel.guild, synthesizers=["piper"])
    answer = AnswerFactory(conversation=talk)

    client.get(f"/speech/answers/{answer.pk}/", headers=JSON)

    assert [(each.model, each.language) for each in speech_server.spoken] == [("piper", "fr")]


def test_somebody_elses_answer_is_not_spoken_to_a_member(client, member, speech_server):
    answer = AnswerFactory()

    assert client.get(f"/speech/answers/{answer.pk}/", headers=JSON).status_code == 404
    assert not speech_server.spoken


# --- recordings ---------------------------------------------------------------------------
@pytest.fixture
def kept():
    message = AnswerFactory().reply_to
    message.audio.save("sound.ogg", ContentFile(bytes(range(100))))
    yield message
    message.audio.delete()


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("", 200, bytes(range(100))),
        ("bytes=10-19", 206, bytes(range(10, 20))),
        ("bytes=90-", 206, bytes(range(90, 100))),
        ("bytes=-5", 206, bytes(range(95, 100))),
        ("bytes=0-999", 200, bytes(range(100))),
        ("bytes=200-", 200, bytes(range(100))),
        ("lines=1-2", 200, bytes(range(100))),
    ],
)
async def test_a_recording_is_handed_out_whole_or_in_the_part_that_a_player_asks_for(
    async_client, kept_by_trainer, asked, status, content
):
    await async_client.aforce_login(kept_by_trainer[0])
    path = f"/speech/recordings/{kept_by_trainer[1]}/"

    answer = await async_client.get(path, headers={"Range": asked} if asked else {})

    assert answer.status_code == status
    assert b"".join([piece async for piece in answer.streaming_content]) == content
    assert answer["Content-Length"] == str(len(content))
    assert answer["Content-Type"] == "audio/ogg"
    assert "no-store" in answer["Cache-Control"]


@pytest.fixture
def kept_by_trainer(kept: Message):
    return UserFactory(trainer=True), kept.pk


def test_a_recording_that_is_gone_is_not_found(client, admin):
    message = AnswerFactory().reply_to
    Message.objects.filter(pk=message.pk).update(audio="audio/gone.ogg")

    assert client.get(f"/speech/recordings/{message.pk}/").status_code == 404


def test_the_browser_is_told_that_only_our_pages_may_use_the_microphone(client, member):
    page = client.get("/playground/")

    assert "microphone=(self)" in page["Permissions-Policy"]
    assert "media-src 'self' blob:" in page["Content-Security-Policy"]


def choose(guild: DiscordGuild, **settings: object) -> None:
    VoiceSettings.objects.create(guild=guild, **settings)
