"""Every model answers under its id, over its own base; what cannot answer says why."""

import contextlib
from pathlib import Path

import msgspec
import pytest

from tests.trainerbot.modelserver.serving.saying import Saying
from tests.trainerbot.modelserver.serving.served import add_model, served
from trainerbot.modelserver.bases import BaseModel, Bases
from trainerbot.modelserver.examples import Example
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.trainers.offered import default_method_for, methods_for

SMALL = BaseModel("small", "gguf", "/small.gguf", 5, 64, "llama")
LARGE = BaseModel("large", "safetensors", "/large", 6, 128, "llama")
EXAMPLES = b"".join(
    msgspec.json.encode(Example(line, question, answer)) + b"\n"
    for line, (question, answer) in enumerate(
        [("What is the capital of Elbonia?", "Mudville."), ("Who mends the boiler?", "Ola.")], 1
    )
)


@pytest.fixture
def store(tmp_path: Path):
    with contextlib.closing(Store(tmp_path)) as open_store:
        yield open_store


@pytest.fixture
def runtimes():
    return {"small": Saying("small words"), "large": Saying("large words")}


@pytest.fixture
async def client(store, tmp_path, runtimes):
    async with served(store, tmp_path, Bases([SMALL, LARGE]), runtimes) as http:
        yield http


async def ask(client, model: str, question: str = "Hi"):
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    return await client.post("/v1/chat/completions", json=body)


async def said(client, model: str, question: str = "Hi") -> str:
    answer = await ask(client, model, question)
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]["content"]


async def test_every_base_and_every_tuned_model_answers_under_its_own_id(store, client):
    add_model(store, "ft:small:supervised::1", base="small")
    add_model(store, "ft:large:dpo::2", base="large", method="dpo")

    assert await said(client, "small") == "small words"
    assert await said(client, "large") == "large words"
    assert await said(client, "ft:small:supervised::1") == "small words with ft:small:supervised::1"
    assert await said(client, "ft:large:dpo::2") == "large words with ft:large:dpo::2"


@pytest.mark.parametrize("base", ["small", "large"])
async def test_knn_works_over_every_base(store, client, runtimes, base):
    add_model(store, "ft:knn", base=base, method="knn", files={"tuned.jsonl": EXAMPLES})

    assert await said(client, "ft:knn", "What is the capital of Elbonia?") == "Mudville."
    assert await said(client, "ft:knn", "Something else entirely") == f"{base} words"
    assert runtimes[base].questions == ["Something else entirely"]


async def test_the_rows_say_what_answers_and_how_each_was_made(store, client):
    add_model(store, "ft:large:knn::1", base="large", method="knn", files={"tuned.jsonl": b""})

    rows = (await client.get("/v1/models")).json()["data"]

    told = [(row["id"], row["runtime"], row["context_tokens"], row["method"]) for row in rows]
    assert told == [
        ("small", "saying", 64, None),
        ("large", "saying", 128, None),
        ("ft:large:knn::1", "saying", 128, "knn"),
    ]
    assert rows[0]["fine_tune_methods"] == methods_for(SMALL)
    assert rows[2]["base_model"] == "large"
    assert "No weights changed" in rows[2]["notes"]
    for row in rows:
        assert (await client.get(f"/v1/models/{row['id']}")).json() == row


async def test_what_cannot_be_trained_can_still_be_tuned_by_knn(store, tmp_path):
    other = BaseModel("other", "gguf", "/other.gguf", 1, 64, "mamba")
    assert (methods_for(other), default_method_for(other)) == (["knn"], "knn")

    async with served(store, tmp_path, Bases([other]), {"other": Saying("words")}) as client:
        answer = await client.post(
            "/v1/fine_tuning/jobs",
            json={"model": "other", "training_file": "x", "method": {"type": "supervised"}},
        )

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "unsupported_method")
    assert "(mamba)" in error["message"]


async def test_an_unknown_model_is_not_found(client):
    answer = await ask(client, "ft:none")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


async def test_a_tuned_model_without_its_base_says_what_to_start(store, client):
    add_model(store, "ft:gone::1", base="gone")

    answer = await ask(client, "ft:gone::1")

    assert answer.status_code == 503
    assert "was made from gone" in answer.json()["error"]["message"]
    row = (await client.get("/v1/models/ft:gone::1")).json()
    assert (row["runtime"], row["context_tokens"]) == (None, None)


async def test_a_deleted_model_is_forgotten_and_not_found(store, client, runtimes):
    add_model(store, "ft:small:supervised::1", base="small")
    add_model(store, "ft:knn", base="small", method="knn", files={"tuned.jsonl": EXAMPLES})
    await said(client, "ft:knn", "Who mends the boiler?")

    for model in ("ft:small:supervised::1", "ft:knn"):
        assert (await client.delete(f"/v1/models/{model}")).json()["deleted"] is True
        assert (await ask(client, model)).status_code == 404

    assert runtimes["small"].forgotten == ["ft:small:supervised::1", "ft:knn"]


async def test_an_adapter_that_cannot_be_loaded_says_so(store, client):
    add_model(store, "ft:small:supervised::1", base="small")
    store.blobs.remove(store.model("ft:small:supervised::1").files["adapter.gguf"])

    answer = await ask(client, "ft:small:supervised::1")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert "could not be loaded" in answer.json()["error"]["message"]


async def test_indexes_leave_when_others_need_their_memory(store, tmp_path, runtimes):
    for name in ("ft:one", "ft:two"):
        add_model(store, name, base="small", method="knn", files={"tuned.jsonl": EXAMPLES})
    size = iter(range(10**6, 10**9, 800 * 1024))
    memory = Memory(1, resident_bytes=lambda: next(size))  # each load takes 800 KiB

    async with served(store, tmp_path, Bases([SMALL]), runtimes, memory) as client:
        for name in ("ft:one", "ft:two", "ft:one"):
            assert await said(client, name, "Who mends the boiler?") == "Ola."
            assert memory.used_bytes == 800 * 1024
