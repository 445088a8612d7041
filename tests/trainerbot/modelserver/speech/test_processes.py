"""The speech processes of a running server: how many, how large, and that none outlives it."""

import concurrent.futures
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.trainerbot.modelserver.running import RunningServer
from tests.trainerbot.speech.recordings import silence, tone
from trainerbot.speech import Pcm
from trainerbot.speech.audio import encode

pytestmark = pytest.mark.skipif(
    "sys.platform != 'linux'", reason="only Linux tells of processes by files"
)
MINUTE = encode(Pcm(tone(0.5, hz=500, rate_hz=16_000).data * 120, 16_000), "wav")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server for the tests that leave it running."""
    data = tmp_path_factory.mktemp("processes")
    with RunningServer(data, settings={"SCRIPTED_SPEECH": "1"}) as running:
        yield running


def heard(client: openai.OpenAI, data: bytes, model: str = "scripted") -> str:
    file = ("a.wav", data)
    asked = client.audio.transcriptions.create(file=file, model=model, language="en-US")
    return asked.text


def speech_processes(server: RunningServer) -> dict[int, str]:
    """The processes that the server started, with their command lines."""
    found = {}
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        for pid in (task / "children").read_text().split():
            found[int(pid)] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return {pid: line for pid, line in found.items() if "modelserver.speech" in line}


def memory_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) * 1024


def gone(pid: int) -> bool:
    """Wait until a process is no more, or only its name is left."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_eight_minutes_of_sound_at_once_take_two_processes_and_less_than_1_gb(shared):
    with concurrent.futures.ThreadPoolExecutor(8) as at_once:
        texts = list(at_once.map(lambda _: heard(shared.client, MINUTE), range(8)))

    pids = [*speech_processes(shared), shared.process.pid]
    assert texts == ["tone 500"] * 8
    assert 2 <= len(pids) <= 3
    assert sum(map(memory_bytes, pids)) < 10**9


def test_processes_that_are_killed_are_replaced(shared):
    heard(shared.client, encode(tone(0.2), "wav"))
    pids = [*speech_processes(shared)]

    for pid in pids:
        os.kill(pid, signal.SIGKILL)

    assert all(map(gone, pids))
    assert heard(shared.client, encode(tone(0.2, hz=500), "wav")) == "tone 500"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_server(tmp_path, number):
    with RunningServer(tmp_path, settings={"SCRIPTED_SPEECH": "1"}) as server:
        heard(server.client, encode(tone(0.2), "wav"))
        server.client.audio.speech.create(model="espeak", voice="", input="hi")
        pids = [*speech_processes(server)]

        os.kill(server.process.pid, number)
        server.process.wait(60)

    assert len(pids) == 2
    assert all(map(gone, pids))


def test_a_provider_that_is_set_up_wrongly_says_so_and_hides_no_other(tmp_path):
    broken = {
        "SCRIPTED_SPEECH": "1",
        "SCRIPTED_SPEECH_DELAY_S": "soon",
        "GTTS_URL": "http://example.org/",
    }
    with RunningServer(tmp_path, settings=broken) as server:
        rows: Any = server.client.get("/audio/providers", cast_to=object)
        problems = {(row["name"], row["hears"]): row["problem"] for row in rows["data"]}

        with pytest.raises(openai.InternalServerError, match="model server's log tells why"):
            heard(server.client, encode(silence(0.1), "wav"))

    assert problems["gtts", False] == "GTTS_URL must begin with https://."
    assert "log tells why" in problems["scripted", True]
    assert problems["espeak", False] == ""


def test_a_voice_that_dies_in_the_middle_leaves_no_answer_that_looks_whole(tmp_path):
    slow = {"SCRIPTED_SPEECH": "1", "SCRIPTED_SPEECH_DELAY_S": "0.05"}
    with RunningServer(tmp_path, settings=slow) as server:
        asked = server.client.audio.speech.with_streaming_response.create(
            model="scripted", voice="", input="A sentence. " * 100, response_format="pcm"
        )
        with asked as answer:
            pieces = answer.iter_bytes()
            next(pieces)
            (pid,) = speech_processes(server)
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(httpx2.RemoteProtocolError):
                list(pieces)

    told = "".join(server.lines)
    assert "A voice broke off" in told
    assert "Traceback" not in told
