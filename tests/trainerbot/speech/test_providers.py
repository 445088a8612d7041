"""Every provider of speech: what it hears and says, and what it says of itself when it cannot."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainerbot.speech.grammar import SENTENCES, write_grammar
from tests.trainerbot.speech.recordings import loudest_hz, recorded, silence, tone
from tests.trainerbot.speech.service import Answer
from trainerbot.errors import InvalidInput, ProviderRefused, ProviderUnavailable
from trainerbot.speech import (
    LanguageUnknown,
    NothingHeard,
    Pcm,
    Segment,
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


# --- google ---------------------------------------------------------------------------
def google_says(*texts: str) -> Iterator[Answer]:
    for text in texts:
        found = [{"alternative": [{"transcript": text}], "final": True}] if text else []
        yield Answer(b'{"result":[]}\n' + json.dumps({"result": found}).encode())


@pytest.mark.origin(45)
def test_google_is_sent_flac_and_the_language(service):
    answers = google_says("привет мир")
    service.answer = lambda _: next(answers)
    google = open_recognizer("google", {"GOOGLE_SPEECH_URL": f"{service.url}/hear"})

    heard = google.recognize(tone(1.0, hz=500), language="ru-RU")

    (asked,) = service.asked
    assert (heard.text, heard.language, heard.provider) == ("привет мир", "ru-RU", "google")
    assert asked.path.startswith("/hear?client=chromium&lang=ru-RU&")
    assert loudest_hz(decode(asked.body, most_s=10)) == pytest.approx(500, abs=10)


def test_google_hears_a_long_sound_in_pieces_cut_where_it_is_quiet(service):
    answers = google_says("one", "", "three")
    service.answer = lambda _: next(answers)
    google = open_recognizer("google", {"GOOGLE_SPEECH_URL": service.url})
    said = tone(30.0, rate_hz=8_000).data + silence(0.5, rate_hz=8_000).data

    heard = google.recognize(Pcm(said * 3, 8_000), language="en-US")

    lengths = [decode(asked.body, most_s=60).duration_s for asked in service.asked]
    assert heard.text == "one three"
    assert sum(lengths) == pytest.approx(91.5, abs=0.1)
    assert lengths[0] == pytest.approx(30.25, abs=0.2)


@pytest.mark.origin(43)
def test_where_google_makes_out_nothing_there_are_no_words(service):
    answers = google_says("")
    service.answer = lambda _: next(answers)
    google = open_recognizer("google", {"GOOGLE_SPEECH_URL": service.url})

    with pytest.raises(NothingHeard):
        google.recognize(tone(0.2), language="en-US")


@pytest.mark.origin(43)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"busy", status=503),
        Answer(b"key not valid", status=403),
        Answer(b"<html>Sign in</html>", content_type="text/html"),
        Answer(b'{"error": {}}'),
        Answer(b"", promised=10),
    ],
)
def test_a_google_that_fails_is_a_failure_and_never_words(service, answer):
    service.answer = lambda _: answer
    google = open_recognizer("google", {"GOOGLE_SPEECH_URL": service.url})

    with pytest.raises(ProviderUnavailable, match="Google's speech recognition did not answer"):
        google.recognize(tone(0.2), language="en-US")


# --- gtts -----------------------------------------------------------------------------
def spoken_answer(hz: float) -> Answer:
    sound = base64.b64encode(recorded("mp3", tone(0.5, hz=hz))).decode()
    line = f'[["wrb.fr","jQ1olc","[\\"{sound}\\"]",null,null,null,"generic"]]'
    return Answer(f")]}}'\n\n{line}\n".encode())


@pytest.mark.origin(45)
def test_gtts_speaks_the_language_asked_for(service):
    service.answer = lambda _: spoken_answer(600)
    gtts = open_synthesizer("gtts", {"GTTS_URL": service.url})

    sound = gtts.synthesize("Привет!", language="ru-RU")

    assert loudest_hz(sound) == pytest.approx(600, abs=10)
    assert b"%5C%22ru%5C%22" in service.asked[0].body


def test_a_long_text_is_several_questions_to_gtts_and_one_sound(service):
    service.answer = lambda _: spoken_answer(600)
    gtts = open_synthesizer("gtts", {"GTTS_URL": service.url})

    sound = gtts.synthesize("word " * 60, language="en-GB")

    assert len(service.asked) > 1
    assert sound.duration_s == pytest.approx(0.5 * len(service.asked), rel=0.2)


@pytest.mark.parametrize(
    "answer", [Answer(b"no", status=429), Answer(b"[]"), Answer(b'jQ1olc","[\\"AAAA\\"]')]
)
def test_a_gtts_that_fails_is_said_in_words(service, answer):
    service.answer = lambda _: answer
    gtts = open_synthesizer("gtts", {"GTTS_URL": service.url})

    with pytest.raises(ProviderUnavailable, match="Google's voice did not answer"):
        gtts.synthesize("hi", language="en")


def test_gtts_refuses_a_language_or_voice_that_it_has_not_got(service):
    gtts = open_synthesizer("gtts", {"GTTS_URL": service.url})

    with pytest.raises(LanguageUnknown):
        gtts.synthesize("hi", language="tlh")
    with pytest.raises(ProviderRefused, match="no voices"):
        gtts.synthesize("hi", language="en", voice="alloy")


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


# --- piper, its package played by another ---------------------------------------------
PIPER = """
class SynthesisConfig:
    def __init__(self, length_scale):
        self.length_scale = length_scale

class PiperVoice:
    class config:
        sample_rate = 8000

    @classmethod
    def load(cls, path):
        print("a library that talks")
        return cls()

    def synthesize(self, text, config):
        class Chunk:
            audio_int16_bytes = b"ab" * int(len(text) * 100 * config.length_scale)
        yield Chunk
        yield Chunk
"""


@pytest.fixture
def piper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Synthesizer]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "piper.py").write_text(PIPER, encoding="ascii")
    for name, code in (("irina", "ru_RU"), ("joe", "en_US")):
        (tmp_path / f"{name}.onnx").write_bytes(b"")
        about = json.dumps({"language": {"code": code}})
        (tmp_path / f"{name}.onnx.json").write_text(about, encoding="ascii")
    voices = f"{tmp_path / 'irina.onnx'}, {tmp_path / 'joe.onnx'}"
    settings = {"PIPER_VOICE": voices, "SPEECH_PACKAGES": str(tmp_path / "packages")}
    opened = open_synthesizer("piper", settings)
    yield opened
    opened.close()


def test_piper_speaks_with_the_voice_of_the_language(piper):
    sound = piper.synthesize("привет", language="ru-RU", speed=2.0)

    assert sound == Pcm(b"ab" * 600, 8_000)
    assert piper.standing().problem == ""
    assert piper.standing().languages == ("en", "ru")
    assert piper.standing().voices == ("irina", "joe")


def test_piper_refuses_a_language_without_a_voice_and_a_voice_of_another_language(piper):
    with pytest.raises(LanguageUnknown):
        piper.synthesize("hallo", language="de")
    with pytest.raises(ProviderRefused, match="no such voice"):
        piper.synthesize("hi", language="en", voice="irina")


def test_a_piper_whose_package_breaks_is_a_failure_in_words(piper, tmp_path):
    (tmp_path / "packages" / "piper.py").write_text("raise SystemExit(3)", encoding="ascii")

    with pytest.raises(ProviderUnavailable, match="stopped while it spoke"):
        piper.synthesize("hi", language="en")


# --- faster_whisper, its package played by another ------------------------------------
WHISPER = """
from collections import namedtuple

Segment = namedtuple("Segment", "start end text")

class WhisperModel:
    supported_languages = ["en", "ru"]

    def __init__(self, model, device, compute_type, cpu_threads):
        if model == "none":
            raise ValueError("no such model")

    def transcribe(self, samples, language, condition_on_previous_text):
        assert samples.dtype == "float32" and abs(samples).max() <= 1
        length = len(samples) / 16_000
        if not samples.any():
            return iter(()), None
        return iter([Segment(0.0, 0.5, f" In {language}"), Segment(0.5, length, " so. ")]), None
"""


@pytest.fixture
def whisper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The settings with which faster-whisper is there."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "faster_whisper.py").write_text(WHISPER, encoding="ascii")
    yield {"SPEECH_PACKAGES": str(tmp_path), "FASTER_WHISPER_MODEL": "small"}
    sys.modules.pop("faster_whisper", None)


@pytest.mark.origin(45)
def test_whisper_is_told_the_language_and_tells_times(whisper):
    ear = open_recognizer("faster_whisper", whisper)

    heard = ear.recognize(tone(2.0), language="ru-RU")

    assert (heard.text, heard.language) == ("In ru so.", "ru-RU")
    assert heard.segments == (Segment(0.0, 0.5, "In ru"), Segment(0.5, 2.0, "so."))
    assert ear.standing().problem == ""


@pytest.mark.origin(43)
def test_whisper_hears_no_words_in_silence(whisper):
    with pytest.raises(NothingHeard):
        open_recognizer("faster_whisper", whisper).recognize(silence(0.5), language="ru-RU")


@pytest.mark.parametrize(
    ("model", "language", "error", "words"),
    [
        ("small", "tlh", LanguageUnknown, "does not know the language tlh"),
        ("none", "ru", ProviderRefused, "could not be loaded"),
        ("/no/folder", "ru", SpeechAbsent, "folder that FASTER_WHISPER_MODEL names"),
        ("", "ru", SpeechAbsent, "Set FASTER_WHISPER_MODEL"),
    ],
)
def test_a_whisper_that_cannot_is_said_in_words(whisper, model, language, error, words):
    ear = open_recognizer("faster_whisper", {**whisper, "FASTER_WHISPER_MODEL": model})

    with pytest.raises(error, match=words):
        ear.recognize(tone(0.1), language=language)


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
