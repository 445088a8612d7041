"""Speech at an endpoint: what is sent, what comes of the answers, and of those that fail."""

import json
import threading
import time

import msgspec
import pytest

from tests.trainerbot.speech.recordings import loudest_hz, recorded, tone
from tests.trainerbot.speech.service import Answer
from trainerbot.endpoints import Endpoint
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech import NothingHeard, SpeechAbsent, Standing, UnreadableAudio
from trainerbot.speech.registry import open_endpoint

RECORDING = recorded("ogg", tone(0.2))


@pytest.fixture
async def ours(service):
    opened = open_endpoint(at(service.url))
    yield opened
    await opened.close()


@pytest.fixture
async def theirs(service):
    opened = open_endpoint(at(service.url), is_modelserver=False)
    yield opened
    await opened.close()


def at(url: str) -> Endpoint:
    return Endpoint("Fake", f"{url}/v1", "secret-key", timeout_s=60, max_retries=0)


def fault(status: int, code: str | None, message: str = "A reason.") -> Answer:
    body = {"error": {"message": message, "type": "x", "param": None, "code": code}}
    return Answer(json.dumps(body).encode(), status=status)


async def hear(endpoint):
    return await endpoint.transcribe(
        RECORDING, content_type="audio/ogg; codecs=opus", model="sphinx", language="ru-RU"
    )


async def test_our_server_is_told_provider_and_whole_language(service, ours):
    service.answer = lambda _: Answer(b'{"text": " hello "}')

    heard = await hear(ours)

    (asked,) = service.asked
    assert (heard.text, heard.language, heard.provider) == ("hello", "ru-RU", "sphinx")
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.headers["authorization"] == "Bearer secret-key"
    assert b'filename="speech.ogg"' in asked.body
    assert RECORDING in asked.body
    assert b"\r\n\r\nru-RU\r\n" in asked.body


@pytest.mark.origin(45)
async def test_another_endpoint_is_told_the_language_as_it_knows_it(service, theirs):
    service.answer = lambda _: Answer(b'{"text": "hello"}')

    await hear(theirs)

    assert b"\r\n\r\nru\r\n" in service.asked[0].body


@pytest.mark.origin(43)
@pytest.mark.parametrize("answer", [Answer(b'{"text": "  "}'), fault(422, "nothing_heard")])
async def test_no_words_are_a_failure_and_never_a_transcript(service, ours, answer):
    service.answer = lambda _: answer

    with pytest.raises(NothingHeard):
        await hear(ours)


@pytest.mark.origin(43)
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (fault(400, "unreadable_audio"), UnreadableAudio, "A reason"),
        (fault(501, "no_speech_provider"), SpeechAbsent, "A reason"),
        (fault(400, "language_not_supported"), ProviderRefused, "^A reason"),
        (fault(503, "model_unavailable"), ProviderUnavailable, "^A reason"),
        (fault(503, None), ProviderUnavailable, "HTTP 503"),
        (fault(401, "invalid_api_key"), ProviderRefused, "API key"),
        (fault(404, "model_not_found"), ProviderRefused, "speech model sphinx"),
        (Answer(b"<html>", content_type="text/html"), ProviderRefused, "not an OpenAI-compatible"),
        (Answer(b'{"words": 1}'), ProviderRefused, "not an OpenAI-compatible"),
        (Answer(b'{"te', promised=100), ProviderUnavailable, "Try again|cannot be reached"),
    ],
)
async def test_each_failure_is_an_error_of_ours(service, ours, answer, error, words):
    service.answer = lambda _: answer

    with pytest.raises(error, match=words):
        await hear(ours)


async def test_speech_comes_as_samples(service, ours):
    sound = tone(0.5, hz=500)
    service.answer = lambda _: Answer(sound.data, content_type="audio/pcm")

    spoken = await ours.speak("Hi", model="espeak", language="ru-RU", voice="f2", speed=1.5)

    assert spoken == sound
    assert msgspec.json.decode(service.asked[0].body) == {
        "input": "Hi",
        "model": "espeak",
        "voice": "f2",
        "response_format": "pcm",
        "speed": 1.5,
        "language": "ru-RU",
    }


async def test_another_endpoint_is_told_a_voice_and_no_language(service, theirs):
    service.answer = lambda _: Answer(tone(0.1).data, content_type="audio/pcm")

    await theirs.speak("Hi", model="tts-1", language="ru-RU")

    asked = msgspec.json.decode(service.asked[0].body)
    assert asked["voice"] == "alloy"
    assert "language" not in asked


@pytest.mark.parametrize("kind", ["mp3", "wav", "ogg", "flac"])
async def test_an_endpoint_that_knows_no_samples_may_send_a_file(service, theirs, kind):
    data = recorded(kind, tone(0.5, hz=500))
    service.answer = lambda _: Answer(data, content_type="application/octet-stream")
    if kind == "mp3":
        service.answer = lambda _: Answer(data, content_type="audio/mpeg")

    spoken = await theirs.speak("Hi", model="tts-1", language="en")

    assert spoken.rate_hz == 24_000
    assert loudest_hz(spoken) == pytest.approx(500, abs=10)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(tone(0.1).data, content_type="audio/pcm", promised=99_999), ProviderUnavailable),
        (Answer(b"ID3 but no music", content_type="audio/mpeg"), ProviderUnavailable),
        (Answer(b"", content_type="audio/pcm"), ProviderRefused),
        (Answer(b"<html>", content_type="text/html"), ProviderRefused),
        (fault(400, "nothing_to_say"), ProviderRefused),
        (fault(500, None), ProviderUnavailable),
    ],
)
async def test_half_a_sound_is_none(service, ours, answer, error):
    service.answer = lambda _: answer

    with pytest.raises(error):
        await ours.speak("Hi", model="espeak", language="en")


async def test_the_standings_of_our_server_are_read(service, ours):
    row = {"name": "sphinx", "hears": True, "speaks": False, "languages": ["en"]}
    service.answer = lambda _: Answer(json.dumps({"object": "list", "data": [row]}).encode())

    assert await ours.standings() == [
        Standing("sphinx", hears=True, speaks=False, languages=("en",))
    ]


async def test_standings_that_are_none_are_a_failure(service, ours):
    service.answer = lambda _: Answer(b'{"data": [{"name": 1}]}')

    with pytest.raises(ProviderRefused, match="not an OpenAI-compatible"):
        await ours.standings()


async def test_where_nobody_listens_it_is_said_so(service):
    opened = open_endpoint(at("http://127.0.0.1:9"))

    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        await hear(opened)
    await opened.close()


async def test_a_long_recording_is_waited_for_by_its_length(service):
    answered = threading.Event()
    service.answer = lambda _: answered.wait(10) and Answer(b'{"text": "hello"}')
    impatient = open_endpoint(
        Endpoint("Fake", f"{service.url}/v1", "secret-key", timeout_s=0.2, max_retries=0)
    )
    try:
        with pytest.raises(ProviderUnavailable):
            await hear(impatient)
        answered.set()
        service.answer = lambda _: time.sleep(0.4) or Answer(b'{"text": "hello"}')
        heard = await impatient.transcribe(
            RECORDING, content_type="audio/ogg", model="sphinx", language="ru-RU", duration_s=9.0
        )
    finally:
        await impatient.close()

    assert heard.text == "hello"
