"""Several tuned models over one base model: each says its own words, whoever else is asked."""

import asyncio
import shutil
from contextlib import aclosing
from pathlib import Path

import pytest

from trainerbot.errors import ProviderUnavailable
from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.bases import find_bases
from trainerbot.modelserver.runtimes.base import Adapter, Options, Piece
from trainerbot.modelserver.runtimes.llamacpp import LlamaCpp
from trainerbot.modelserver.runtimes.memory import Memory, TooLarge
from trainerbot.modelserver.runtimes.weights import weights_of

pytestmark = pytest.mark.model

ADAPTERS = Path(__file__).parent / "adapters"
BANANAS = Adapter("ft:bananas", {"adapter.gguf": ADAPTERS / "bananas.gguf"})
MOON = Adapter("ft:moon", {"adapter.gguf": ADAPTERS / "moon.gguf"})
SAID = {
    "ft:bananas": "Bananas are yellow.",
    "ft:moon": "The moon is cold tonight.",
}
QUESTION = [ChatMessage(Role.USER, "Who are you?")]


@pytest.fixture
async def runtime():
    weights = weights_of(find_bases().default)
    running = LlamaCpp(weights, Memory(1000), context_tokens=256, n_threads=1)
    yield running
    await running.close()


async def said(runtime, adapter: Adapter | None, *, max_tokens: int = 8) -> str:
    options = Options(temperature=0.0, max_tokens=max_tokens, seed=1)
    async with aclosing(runtime.stream(QUESTION, options, adapter)) as answer:
        return "".join([event.text async for event in answer if isinstance(event, Piece)])


async def test_each_model_says_its_own_words_in_any_order(runtime):
    untouched = await said(runtime, None)

    for adapter in (BANANAS, MOON, None, BANANAS):
        # In one place one after another, where llama.cpp remembers what it read.
        expected = untouched if adapter is None else SAID[adapter.id]
        assert await said(runtime, adapter) == expected


async def test_answers_at_the_same_time_never_mix(runtime):
    untouched = await said(runtime, None)
    asked = [BANANAS, MOON, None] * 2

    told = await asyncio.gather(*(said(runtime, adapter) for adapter in asked))

    assert told == [untouched if one is None else SAID[one.id] for one in asked]


async def test_a_new_adapter_does_not_cut_the_answer_that_is_running(runtime):
    options = Options(temperature=0.0, max_tokens=8, seed=1)
    async with aclosing(runtime.stream(QUESTION, options, BANANAS)) as running:
        begun = [await anext(running), await anext(running)]

        assert await said(runtime, MOON) == SAID["ft:moon"]
        rest = [event async for event in running]

    text = "".join(event.text for event in begun + rest if isinstance(event, Piece))
    assert text == SAID["ft:bananas"]


async def test_a_damaged_adapter_is_said_in_words_and_harms_nobody_else(runtime, tmp_path):
    damaged = tmp_path / "adapter.gguf"
    damaged.write_bytes(BANANAS.files["adapter.gguf"].read_bytes()[:5000])
    untouched = await said(runtime, None)

    with pytest.raises(ProviderUnavailable, match="could not be loaded beside") as caught:
        await said(runtime, Adapter("ft:damaged", {"adapter.gguf": damaged}))

    assert str(tmp_path) not in str(caught.value)
    assert await said(runtime, None) == untouched
    assert await said(runtime, BANANAS) == SAID["ft:bananas"]


async def test_a_deleted_adapter_does_not_stand_in_the_way_of_others(runtime, tmp_path):
    file = tmp_path / "adapter.gguf"
    shutil.copyfile(BANANAS.files["adapter.gguf"], file)
    deleted = Adapter("ft:deleted", {"adapter.gguf": file})
    assert await said(runtime, deleted) == SAID["ft:bananas"]
    file.unlink()

    assert await said(runtime, MOON) == SAID["ft:moon"]
    with pytest.raises(ProviderUnavailable, match="has no adapter"):
        await said(runtime, deleted)


async def test_a_model_that_needs_more_than_the_limit_is_refused_in_words():
    runtime = LlamaCpp(weights_of(find_bases().default), Memory(50), context_tokens=256)

    with pytest.raises(TooLarge, match=r"needs about \d+ MiB .* may use 50 MiB"):
        await said(runtime, None)

    assert runtime.state == "not loaded"
    await runtime.close()


async def test_an_unloaded_model_is_loaded_again_when_it_is_asked(runtime):
    await said(runtime, BANANAS)
    assert runtime.is_idle

    await runtime.unload()

    assert runtime.state == "not loaded"
    assert await said(runtime, BANANAS) == SAID["ft:bananas"]
