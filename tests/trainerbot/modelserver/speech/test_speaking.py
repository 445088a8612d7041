"""/v1/audio/speech against the real server, by the openai SDK."""

from typing import Any

import openai
import pytest

from tests.trainerbot.speech.grammar import SENTENCES
from tests.trainerbot.speech.recordings import loudest_hz
from trainerbot.speech import Pcm
from trainerbot.speech.audio import CONTENT_TYPES, decode
from trainerbot.speech.providers.scripted import tone_of


def said(client: openai.OpenAI, text: str, **fields: Any) -> Any:
    asked = {"model": "scripted", "voice": "alloy", **fields}
    return client.audio.speech.create(input=text, **asked)


@pytest.mark.parametrize("format", CONTENT_TYPES)
def test_speech_comes_in_each_of_openais_formats(speech, format):
    answer = said(speech, "hello there", response_format=format)

    data = answer.content
    sound = Pcm(data, 24_000) if format == "pcm" else decode(data, most_s=20)
    assert answer.response.headers["content-type"].startswith(CONTENT_TYPES[format])
    assert loudest_hz(sound) == pytest.approx(tone_of("hello there"), abs=10)


def test_several_sentences_become_one_file(speech):
    short = decode(said(speech, "one sentence.").content, most_s=60)
    long = decode(said(speech, "one sentence. " * 3).content, most_s=60)

    assert long.duration_s == pytest.approx(3 * short.duration_s, rel=0.2)


def test_a_faster_voice_takes_less_time(speech):
    usual = said(speech, "hello there", response_format="pcm").content
    fast = said(speech, "hello there", response_format="pcm", speed=2.0).content

    assert len(fast) == pytest.approx(len(usual) / 2, rel=0.1)


def test_espeak_speaks_russian_and_lets_its_voice_be_chosen(speech):
    russian = {"language": "ru-RU"}

    usual = said(speech, "Привет", model="espeak", extra_body=russian).content
    other = said(speech, "Привет", model="espeak", voice="f2", extra_body=russian).content

    assert decode(usual, most_s=20).duration_s > 0.3
    assert usual != other


@pytest.mark.parametrize(
    ("text", "fields", "status", "code"),
    [
        ("", {}, 400, "nothing_to_say"),
        ("😀🎉!", {}, 400, "nothing_to_say"),
        ("x" * 4097, {}, 400, "string_above_max_length"),
        ("hi", {"speed": 9.0}, 400, "decimal_above_max_value"),
        ("hi", {"response_format": "midi"}, 400, "invalid_value"),
        ("hi", {"stream_format": "sse"}, 400, "unsupported_parameter"),
        ("hi", {"model": "nobody"}, 404, "model_not_found"),
        ("hi", {"model": "sphinx"}, 404, "model_not_found"),
        ("hi", {"model": "piper"}, 501, "no_speech_provider"),
        ("hi", {"model": "gtts"}, 503, "model_unavailable"),
        ("hi", {"model": "espeak", "voice": "nobody"}, 400, "voice_not_found"),
        (
            "hi",
            {"model": "espeak", "extra_body": {"language": "xx"}},
            400,
            "language_not_supported",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_code(speech, text, fields, status, code):
    with pytest.raises(openai.APIStatusError) as caught:
        said(speech, text, **fields)

    assert (caught.value.status_code, caught.value.code) == (status, code)


def test_the_standings_tell_who_can_be_used_and_why_not(speech):
    rows: Any = speech.get("/audio/providers", cast_to=object)
    found = {(row["name"], row["hears"]): row for row in rows["data"]}

    assert found["espeak", False]["problem"] == ""
    assert "ru" in found["espeak", False]["languages"]
    assert found["sphinx", True]["languages"] == ["en"]
    assert not found["google", True]["is_offline"]
    assert "not installed" in found["piper", False]["problem"]


def words_right(wanted: str, got: str) -> int:
    """How many words of a sentence were heard in their place."""
    return sum(a == b for a, b in zip(wanted.split(), got.split(), strict=False))


def test_one_engine_hears_nine_of_ten_words_that_another_says_offline(speech):
    n_words = n_right = 0
    for sentence in SENTENCES:
        spoken = said(speech, f"{sentence}.", model="espeak", voice="f2").content
        answer = speech.audio.transcriptions.create(
            file=("said.mp3", spoken), model="sphinx", language="en-US"
        )
        n_words += len(sentence.split())
        n_right += words_right(sentence, answer.text)

    assert n_right / n_words >= 0.9


def test_auto_is_the_first_offline_provider_that_knows_the_language(speech):
    spoken = said(speech, f"{SENTENCES[0]}.", model="auto", voice="f2").content

    answer = speech.audio.transcriptions.create(
        file=("said.mp3", spoken), model="auto", language="en-US", response_format="verbose_json"
    )

    assert answer.provider == "sphinx"
