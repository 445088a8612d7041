"""A machine without a language model: the server serves all the same, and says so."""

import contextlib
from pathlib import Path

import httpx2
import pytest

from trainerbot.modelserver.api.app import make_app
from trainerbot.modelserver.bases import Bases
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.speech.desk import SpeechDesk
from trainerbot.modelserver.store import Store


@pytest.fixture
async def http(tmp_path: Path):
    with contextlib.closing(Store(tmp_path)) as store:
        app = make_app(
            store,
            Catalog(store, Bases(()), {}, Memory(1)),
            SpeechDesk({}),
            data=tmp_path,
            api_keys=[],
            max_file_bytes=1_000_000,
            max_upload_bytes=1_000_000,
            max_audio_bytes=1_000_000,
            max_audio_s=60,
            warm_up=True,
        )
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            yield client


async def test_no_model_is_listed_and_health_says_absent(http):
    assert (await http.get("/v1/models")).json() == {"object": "list", "data": []}
    health = (await http.get("/healthz")).json()
    assert (health["status"], health["model"], health["model_state"]) == ("ok", None, "absent")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_is_refused_in_words(http, stream):
    answer = await http.post(
        "/v1/chat/completions",
        json={"model": "x", "messages": [{"role": "user", "content": "Hi"}], "stream": stream},
    )

    assert answer.status_code == 501
    assert answer.json()["error"]["code"] == "no_language_model"
    assert "install the packages xllamacpp" in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"


async def test_a_job_is_refused_in_words(http):
    answer = await http.post("/v1/fine_tuning/jobs", json={"model": "x", "training_file": "file-x"})

    assert answer.json()["error"]["code"] == "no_language_model"
