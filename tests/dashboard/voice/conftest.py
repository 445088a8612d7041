"""Speech for pages: a scripted server on a loopback port, and who asks it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from dashboard.services import tries
from dashboard.services.speech import spoken, ways
from tests.fakes.openai_endpoint import API_KEY
from tests.fakes.speech import FakeSpeech


@pytest.fixture(scope="session")
def running_speech() -> Iterator[FakeSpeech]:
    # Django's test client runs each async call in an event loop of its own,
    # which no connection may outlive.
    with FakeSpeech(keeps_alive=False) as running:
        yield running


@pytest.fixture
def speech_server(running_speech: FakeSpeech, settings: Settings) -> FakeSpeech:
    """The speech server as if just started, with one who hears and one who speaks."""
    running_speech.reset()
    settings.SPEECH_BASE_URL, settings.MODELSERVER_API_KEY = running_speech.base_url, API_KEY
    settings.SPEECH_RECOGNIZERS, settings.SPEECH_SYNTHESIZERS = ["sphinx"], ["espeak"]
    settings.SPEECH_LANGUAGE = "en-US"
    spoken.forget_spoken()
    ways._resting.clear()  # what an earlier test found silent
    tries.speech._at.clear()  # databases number their first user alike
    return running_speech
