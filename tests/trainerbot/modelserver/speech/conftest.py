"""One server that hears and speaks by script and by a fixed grammar, for all of these tests."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.trainerbot.modelserver.running import RunningServer
from tests.trainerbot.speech.grammar import write_grammar


@pytest.fixture(scope="session")
def speech_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose recordings last 20 s and hold 1 MiB at most. It has no way out."""
    data: Path = tmp_path_factory.mktemp("speech")
    grammar = write_grammar(data / "orders.jsgf")
    settings = {
        "SCRIPTED_SPEECH": "1",
        "SPHINX_GRAMMAR": str(grammar),
        "SPEECH_LANGUAGE": "en-US",
        # Where nobody listens, instead of Google.
        "GOOGLE_SPEECH_URL": "http://127.0.0.1:9/",
        "GTTS_URL": "http://127.0.0.1:9/",
        "NO_PROXY": "127.0.0.1",
    }
    limits = ("--max-audio-s", "20", "--max-audio-mib", "1")
    with RunningServer(data / "store", *limits, settings=settings) as running:
        yield running


@pytest.fixture(scope="session")
def speech(speech_server: RunningServer) -> openai.OpenAI:
    """The SDK's client of that server."""
    return speech_server.client
