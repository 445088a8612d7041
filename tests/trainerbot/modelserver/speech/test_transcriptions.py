"""/v1/audio/transcriptions against the real server, by the openai SDK."""

import concurrent.futures
from typing import Any

import httpx2
import openai
import pytest

from tests.trainerbot.speech.recordings import KINDS, recorded, silence, tone, video
from trainerbot.speech import Pcm
from trainerbot.speech.audio import encode


def heard(client: openai.OpenAI, data: bytes, *, name: str = "voice.ogg", **fields: Any) -> Any:
    asked = {"model": "scripted", "language": "en-US", **fields}
    return client.audio.transcriptions.create(file=(name, data), **asked)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_recording_is_heard(speech, kind):
    assert heard(speech, recorded(kind, tone(1.0, hz=500))).text == "tone 500"


def test_a_transcript_comes_in_each_of_openais_shapes(speech):
    data = encode(tone(1.5, hz=500), "wav")

    verbose = heard(speech, data, response_format="verbose_json")
    subtitles = {
        format: heard(speech, data, response_format=format) for format in ("text", "srt", "vtt")
    }

    assert (verbose.text, verbose.language, verbose.duration) == ("tone 500", "en-US", 1.5)
    assert subtitles == {
        "text": "tone 500\n",
        "srt": "1\n00:00:00,000 --> 00:00:01,500\ntone 500\n",
        "vtt": "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\ntone 500\n",
    }


def test_without_a_language_the_servers_own_is_meant(speech):
    data = encode(tone(0.5), "wav")

    answer = speech.audio.transcriptions.create(
        file=("a.wav", data), model="scripted", response_format="verbose_json"
    )

    assert answer.language == "en-US"


def long_silence() -> bytes:
    return recorded("ogg", silence(3 * 3600 / 500))  # stands for three hours, of the cap of 20 s


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"not a sound" * 99, "no audio file", id="corrupt"),
        pytest.param(encode(Pcm(b""), "wav"), "0 seconds", id="0 seconds"),
        pytest.param(long_silence(), "longer than 20 seconds", id="too long"),
        pytest.param(video(), "without sound", id="silent film"),
        pytest.param(
            recorded("m4a", tone(0.5)).replace(b"mp4a", b"drms"), "locked by its seller", id="DRM"
        ),
    ],
)
def test_what_holds_no_speech_is_refused_in_words(speech, data, words):
    with pytest.raises(openai.BadRequestError, match=words) as caught:
        heard(speech, data)

    assert (caught.value.code, caught.value.param) == ("unreadable_audio", "file")


def test_a_lying_extension_does_not_matter(speech):
    assert heard(speech, recorded("m4a", tone(0.5, hz=700)), name="a.wav").text == "tone 700"


def test_the_sound_of_a_film_is_heard(speech):
    assert heard(speech, video(sound=tone(1.0, hz=600)), name="film.mp4").text == "tone 600"


@pytest.mark.origin(43)
def test_silence_is_a_failure_and_never_words(speech):
    with pytest.raises(openai.UnprocessableEntityError, match="No words") as caught:
        heard(speech, encode(silence(), "wav"))

    assert caught.value.code == "nothing_heard"


def test_more_bytes_than_allowed_are_refused(speech):
    with pytest.raises(openai.APIStatusError, match="Limit is 1 MB") as caught:
        heard(speech, bytes(1_200_000))

    assert (caught.value.status_code, caught.value.code) == (413, "file_too_large")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"model": "nobody"}, 404, "model_not_found"),
        ({"model": "espeak"}, 404, "model_not_found"),
        ({"model": "sphinx", "language": "ru-RU"}, 400, "language_not_supported"),
        ({"language": "everything!"}, 400, "invalid_language_format"),
        ({"response_format": "diarized_json"}, 400, "invalid_value"),
        ({"timestamp_granularities": ["word"]}, 400, "unsupported_parameter"),
        ({"model": "faster_whisper"}, 501, "no_speech_provider"),
        ({"model": "google"}, 503, "model_unavailable"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_code(speech, fields, status, code):
    with pytest.raises(openai.APIStatusError) as caught:
        heard(speech, encode(tone(0.2), "wav"), **fields)

    assert (caught.value.status_code, caught.value.code) == (status, code)


def test_a_form_without_file_or_model_is_refused(speech_server):
    headers = {"Authorization": f"Bearer {speech_server.key}"}
    url = f"{speech_server.url}/v1/audio/transcriptions"

    no_model = httpx2.post(url, files={"file": b"x"}, headers=headers)
    no_file = httpx2.post(url, files={"model": (None, "scripted")}, headers=headers)
    no_key = httpx2.post(url, files={"file": b"x"})
    hollow = {f"field-{number}": (None, b"") for number in range(30)}
    many = httpx2.post(
        url, files={"file": b"x", "model": (None, "scripted"), **hollow}, headers=headers
    )

    assert no_model.json()["error"]["message"] == "'model' is a required property"
    assert no_file.json()["error"]["param"] == "file"
    assert no_key.status_code == 401
    assert many.json()["error"]["message"] == "Send at most 20 fields in a form."


@pytest.mark.origin(40)
def test_twenty_recordings_at_once_do_not_cross(speech):
    tones = [400 + 60 * number for number in range(20)]
    files = [recorded("ogg", tone(0.4, hz=hz)) for hz in tones]

    with concurrent.futures.ThreadPoolExecutor(20) as at_once:
        texts = list(at_once.map(lambda data: heard(speech, data).text, files))

    assert texts == [f"tone {hz}" for hz in tones]
