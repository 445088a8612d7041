"""Google's ear and Google's voice, played by a service on this machine."""

import base64
import json
from collections.abc import Iterator

import pytest

from tests.trainerbot.speech.recordings import loudest_hz, recorded, silence, tone
from tests.trainerbot.speech.service import Answer
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech import (
    LanguageUnknown,
    NothingHeard,
    Pcm,
)
from trainerbot.speech.audio import decode
from trainerbot.speech.registry import (
    open_recognizer,
    open_synthesizer,
)


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
