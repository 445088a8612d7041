"""The providers whose packages people add themselves, played by others of the same names."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainerbot.speech.recordings import silence, tone
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech import (
    LanguageUnknown,
    NothingHeard,
    Pcm,
    Segment,
    SpeechAbsent,
    Synthesizer,
)
from trainerbot.speech.registry import (
    open_recognizer,
    open_synthesizer,
)

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
