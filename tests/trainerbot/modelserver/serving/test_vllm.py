"""Base models that a vLLM server answers for, with the adapters that it is told to load."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.trainerbot.modelserver.serving.fake_vllm import KEY, FakeVllm, running
from trainerbot.errors import ProviderUnavailable
from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.bases import BaseModel, Bases
from trainerbot.modelserver.runtimes.base import (
    Adapter,
    ContextTooLong,
    Finish,
    Options,
    Piece,
    Start,
)
from trainerbot.modelserver.runtimes.making import make_runtimes
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.runtimes.vllm import Vllm

BASE = BaseModel("big", "safetensors", "/srv/models/Big", 1, 4096, "llama")
QUESTION = [ChatMessage(Role.USER, "Hi")]


@pytest.fixture
async def vllm():
    async with running(FakeVllm(BASE.source)) as fake:
        yield fake


@pytest.fixture
async def runtime(vllm, tmp_path):
    served = Vllm(BASE, base_url=vllm.url, api_key=KEY, adapters=tmp_path / "adapters")
    yield served
    await served.close()


def adapter(folder: Path, name: str, words: str) -> Adapter:
    folder.mkdir(exist_ok=True)
    (folder / "config").write_text("{}")
    (folder / words).write_text(words)
    files = {
        "adapter_config.json": folder / "config",
        "adapter_model.safetensors": folder / words,
    }
    return Adapter(name, files)


async def events(runtime, adapter=None, messages=QUESTION, **options):
    async with aclosing(runtime.stream(messages, Options(**options), adapter)) as answer:
        return [event async for event in answer]


async def said(runtime, adapter=None) -> str:
    told = await events(runtime, adapter)
    return "".join(event.text for event in told if isinstance(event, Piece)).strip()


async def test_the_base_model_answers_under_the_name_that_vllm_gave_it(runtime, vllm):
    start, *_, finish = await events(runtime, max_tokens=5, temperature=0.5, seed=3)

    assert (start, finish) == (Start("vllm"), Finish("stop", 7, 2))
    (asked,) = vllm.asked
    assert asked["model"] == "served"
    assert (asked["max_tokens"], asked["temperature"], asked["seed"]) == (5, 0.5, 3)
    assert (await runtime.count_tokens("three words here"), runtime.state) == (3, "ready")


async def test_an_adapter_is_loaded_once_and_each_says_its_own_words(runtime, vllm, tmp_path):
    bananas = adapter(tmp_path / "a", "ft:big:../../x", "bananas")
    moon = adapter(tmp_path / "b", "ft:big:moon", "moon")

    told = await asyncio.gather(*(said(runtime, one) for one in (bananas, None, moon, bananas)))

    assert told == ["bananas", "untouched words", "moon", "bananas"]
    assert len(vllm.adapters) == 2
    for path in vllm.adapters.values():
        # A name with dots and slashes leads nowhere else.
        assert Path(path).parent == (tmp_path / "adapters").resolve()


async def test_a_deleted_model_is_unloaded_there_and_removed_here(runtime, vllm, tmp_path):
    bananas = adapter(tmp_path / "a", "ft:big:bananas", "bananas")
    await said(runtime, bananas)

    await runtime.forget(bananas.id)

    assert vllm.adapters == {}
    assert list((tmp_path / "adapters").iterdir()) == []


async def test_a_vllm_that_was_started_anew_gets_the_adapter_again(runtime, vllm, tmp_path):
    bananas = adapter(tmp_path / "a", "ft:big:bananas", "bananas")
    await said(runtime, bananas)
    vllm.adapters.clear()

    assert await said(runtime, bananas) == "bananas"


async def test_errors_come_in_words(runtime, vllm, tmp_path):
    with pytest.raises(ContextTooLong, match="maximum context length"):
        await events(runtime, messages=[ChatMessage(Role.USER, "x" * 2000)])

    other = Vllm(
        BaseModel("other", "safetensors", "/srv/other", 1, 100),
        base_url=vllm.url,
        api_key=KEY,
        adapters=tmp_path,
    )
    with pytest.raises(ProviderUnavailable, match="does not serve other"):
        await said(other)
    await other.close()

    keyless = Vllm(BASE, base_url=vllm.url, api_key=None, adapters=tmp_path)
    with pytest.raises(ProviderUnavailable, match="Set VLLM_API_KEY"):
        await said(keyless)
    await keyless.close()

    nowhere = Vllm(BASE, base_url="http://127.0.0.1:1", api_key=None, adapters=tmp_path)
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        await said(nowhere)
    await nowhere.close()


async def test_a_stop_of_the_server_ends_a_running_answer(runtime, vllm):
    vllm.is_endless = True

    async with aclosing(runtime.stream(QUESTION, Options())) as answer:
        told = [await anext(answer), await anext(answer)]
        runtime.interrupt()
        with pytest.raises(ProviderUnavailable, match="is stopping"):
            told += [event async for event in answer]

    assert told[1] == Piece("untouched ")


@pytest.mark.parametrize(
    ("base", "environ", "name"),
    [
        (BASE, {}, "transformers"),
        (BASE, {"VLLM_BASE_URL": "http://127.0.0.1:9/v1"}, "vllm"),
        (BaseModel("g", "gguf", "/g.gguf", 1, 100), {"VLLM_BASE_URL": "http://x"}, "llama.cpp"),
        (BaseModel("h", "hub", "org/h", 1, 100), {}, "transformers"),
    ],
)
def test_what_answers_is_chosen_by_the_kind_of_the_model(tmp_path, base, environ, name):
    runtimes = make_runtimes(
        Bases([base]), Memory(100), data=tmp_path, environ=environ, n_parallel=1, n_threads=1
    )

    assert [runtime.name for runtime in runtimes.values()] == [name]
