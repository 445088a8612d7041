"""Every provider of speech: what it hears and says, and what it says of itself when it cannot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainerbot.speech.grammar import SENTENCES, write_grammar
from tests.trainerbot.speech.recordings import silence, tone
from trainerbot.errors import InvalidInput, ProviderRefused, ProviderUnavailable
from trainerbot.speech import (
    LanguageUnknown,
    NothingHeard,
    SpeechAbsent,
    Synthesizer,
    speaks,
)
from trainerbot.speech.audio import decode, encode
from trainerbot.speech.registry import (
    RECOGNIZERS,
    SYNTHESIZERS,
    open_recognizer,
    open_synthesizer,
)

SCRIPT = {"SCRIPTED_SPEECH": "1"}


@pytest.fixture(scope="module")
def espeak() -> Iterator[Synthesizer]:
    opened = open_synthesizer("espeak", {})
    yield opened
    opened.close()


# --- what all have in common ----------------------------------------------------------
@pytest.mark.parametrize("name", RECOGNIZERS)
def test_every_recognizer_tells_how_it_stands_under_its_own_name(name):
    standing = open_recognizer(name, {}).standing()

    assert (standing.name, standing.hears, standing.speaks) == (name, True, False)


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_every_synthesizer_tells_how_it_stands_under_its_own_name(name):
    standing = open_synthesizer(name, {}).standing()

    assert (standing.name, standing.hears, standing.speaks) == (name, False, True)


@pytest.mark.parametrize("open_one", [open_recognizer, open_synthesizer])
def test_a_name_that_is_none_is_refused_with_those_that_are(open_one):
    with pytest.raises(InvalidInput, match="scripted"):
        open_one("nobody", {})


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("faster_whisper", {}, "not installed|Set FASTER_WHISPER_MODEL"),
        ("sphinx", {"SPHINX_GRAMMAR": "/nowhere.jsgf"}, "SPHINX_GRAMMAR names is not there"),
        ("scripted", {}, "It is for tests"),
    ],
)
def test_a_recognizer_that_cannot_be_used_says_why_and_refuses_alike(name, settings, words):
    recognizer = open_recognizer(name, settings)

    with pytest.raises(SpeechAbsent, match=words):
        recognizer.recognize(tone(0.1), language="en-US")
    assert recognizer.standing().problem


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("piper", {}, "not installed|Set PIPER_VOICE"),
        ("scripted", {}, "It is for tests"),
    ],
)
def test_a_synthesizer_that_cannot_be_used_says_why_and_refuses_alike(name, settings, words):
    synthesizer = open_synthesizer(name, settings)

    with pytest.raises(SpeechAbsent, match=words):
        synthesizer.synthesize("hi", language="en-US")
    assert synthesizer.standing().problem


@pytest.mark.parametrize("name", ["google", "gtts"])
def test_nobodys_voice_goes_over_plain_http(name):
    open_one = open_recognizer if name == "google" else open_synthesizer

    with pytest.raises(InvalidInput, match="must begin with https"):
        open_one(name, {"GOOGLE_SPEECH_URL": "http://a.b/", "GTTS_URL": "http://a.b/"})


# --- sphinx and espeak, really --------------------------------------------------------
def test_sphinx_hears_by_a_grammar_what_espeak_says(tmp_path: Path, espeak):
    sphinx = open_recognizer("sphinx", {"SPHINX_GRAMMAR": str(write_grammar(tmp_path / "g.jsgf"))})
    said = espeak.synthesize(f"{SENTENCES[0]}.", language="en-US", voice="f2")

    assert sphinx.recognize(said, language="en-US").text == SENTENCES[0]


def test_sphinx_knows_english_only():
    sphinx = open_recognizer("sphinx", {})

    with pytest.raises(LanguageUnknown, match="does not know the language ru-RU"):
        sphinx.recognize(tone(0.1), language="ru-RU")


def test_a_grammar_that_is_none_is_said_in_words(tmp_path):
    (tmp_path / "bad.jsgf").write_text("no grammar", encoding="ascii")
    sphinx = open_recognizer("sphinx", {"SPHINX_GRAMMAR": str(tmp_path / "bad.jsgf")})

    with pytest.raises(ProviderRefused, match="no JSGF grammar"):
        sphinx.recognize(tone(0.1), language="en-US")


@pytest.mark.origin(45)
@pytest.mark.parametrize("language", ["ru-RU", "en-US", "en-GB", "de", "zh-CN", "EN_us"])
def test_espeak_speaks_many_languages(espeak, language):
    language = language.replace("_", "-")

    sound = espeak.synthesize("Привет 1 hello", language=language)

    assert sound.duration_s > 0.5
    assert speaks(espeak.standing().languages, language)


def test_espeak_speaks_faster_when_asked(espeak):
    usual = espeak.synthesize("one two three four", language="en")

    assert espeak.synthesize("one two three four", language="en", speed=2.0).duration_s < (
        0.7 * usual.duration_s
    )


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"language": "xx"}, LanguageUnknown),
        ({"language": "en", "voice": "nobody"}, ProviderRefused),
        ({"language": "en", "voice": "../../dict"}, ProviderRefused),
    ],
)
def test_espeak_refuses_a_language_or_voice_that_it_has_not_got(espeak, asked, error):
    with pytest.raises(error):
        espeak.synthesize("hi", **asked)


def test_espeaks_process_is_replaced_when_it_was_killed(espeak):
    espeak.synthesize("one", language="en")
    process = espeak._program._process
    process.kill()
    process.wait()

    assert espeak.synthesize("two", language="en").duration_s > 0.1


# --- scripted -------------------------------------------------------------------------
@pytest.mark.parametrize("format", ["wav", "opus", "mp3"])
def test_the_scripted_ear_tells_texts_of_the_scripted_mouth_apart_through_any_codec(format):
    mouth, ear = open_synthesizer("scripted", SCRIPT), open_recognizer("scripted", SCRIPT)

    heard = [
        ear.recognize(
            decode(encode(mouth.synthesize(text, language="en"), format), most_s=9), language="en"
        ).text
        for text in ("hello", "goodbye", "hello")
    ]

    assert heard[0] == heard[2] != heard[1]


@pytest.mark.origin(43)
def test_the_scripted_ear_hears_nothing_in_silence():
    with pytest.raises(NothingHeard):
        open_recognizer("scripted", SCRIPT).recognize(silence(0.2), language="en")


@pytest.mark.parametrize(
    ("fails", "error"), [("unavailable", ProviderUnavailable), ("refused", ProviderRefused)]
)
def test_the_script_may_fail(fails, error):
    settings = {**SCRIPT, "SCRIPTED_SPEECH_FAILS": fails}

    with pytest.raises(error, match="as its script says"):
        open_recognizer("scripted", settings).recognize(tone(0.1), language="en")
    with pytest.raises(error, match="as its script says"):
        open_synthesizer("scripted", settings).synthesize("hi", language="en")


def test_the_script_may_say_what_is_heard():
    ear = open_recognizer("scripted", {**SCRIPT, "SCRIPTED_HEARS": "all the same"})

    assert ear.recognize(tone(0.1), language="en").text == "all the same"
