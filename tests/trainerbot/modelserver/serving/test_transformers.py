"""A base model that is no GGUF file, in a process of its own."""

import asyncio
import json
import os
import shutil
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.trainerbot.modelserver.training.tiny import make_base
from trainerbot.errors import ProviderUnavailable
from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.runtimes.base import (
    Adapter,
    ContextTooLong,
    Finish,
    Options,
    Piece,
    Shape,
    Start,
    Unsupported,
)
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.runtimes.transformers_runtime import Transformers

pytestmark = pytest.mark.train

QUESTION = [ChatMessage(Role.USER, "Hi")]
GREEDY = Options(temperature=0.0, max_tokens=6)


def make_adapter(folder: Path, name: str, seed: int) -> Adapter:
    """An adapter of random weights, strong enough to change every answer."""
    import numpy as np
    from safetensors.numpy import save_file

    random = np.random.default_rng(seed)
    shapes = {"self_attn.o_proj": (32, 32), "mlp.down_proj": (32, 64)}
    tensors = {}
    for layer in range(2):
        for module, (n_out, n_in) in shapes.items():
            key = f"base_model.model.model.layers.{layer}.{module}.lora_"
            tensors[f"{key}A.weight"] = random.normal(size=(4, n_in)).astype(np.float32)
            tensors[f"{key}B.weight"] = random.normal(size=(n_out, 4)).astype(np.float32)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": 4,
        "lora_alpha": 64,
        "target_modules": ["o_proj", "down_proj"],
        "base_model_name_or_path": "tiny",
    }
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config))
    files = ("adapter_config.json", "adapter_model.safetensors")
    return Adapter(name, {file: folder / file for file in files})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    base = make_base(folder / "base")
    adapters = [make_adapter(folder / name, f"ft:{name}", seed) for seed, name in enumerate("ab")]
    return base, adapters


@pytest.fixture
async def runtime(made, tmp_path):
    base, _ = made
    running = Transformers(base, Memory(4000), cache=tmp_path, n_threads=1)
    yield running
    await running.close()


async def events(runtime, options: Options = GREEDY, adapter=None, messages=QUESTION):
    async with aclosing(runtime.stream(messages, options, adapter)) as answer:
        return [event async for event in answer]


async def said(runtime, options: Options = GREEDY, adapter=None) -> str:
    told = await events(runtime, options, adapter)
    return "".join(event.text for event in told if isinstance(event, Piece))


async def test_one_process_serves_all_of_it(runtime, made):
    """One test, as a process takes seconds to start: the answers, one after another."""
    _, (first, second) = made

    start, *pieces, finish = await events(runtime)
    assert start == Start("transformers")
    assert isinstance(finish, Finish)
    assert (finish.finish_reason, finish.completion_tokens) == ("length", 6)
    assert finish.prompt_tokens > 10
    untouched = "".join(piece.text for piece in pieces)

    # Several adapters, each its own words, also when they are asked at once.
    words = [await said(runtime, GREEDY, adapter) for adapter in (first, second)]
    assert len({untouched, *words}) == 3
    mixed = await asyncio.gather(*(said(runtime, GREEDY, one) for one in (first, None, second)))
    assert mixed == [words[0], untouched, words[1]]
    await runtime.forget(first.id)
    assert await said(runtime) == untouched
    assert await said(runtime, GREEDY, first) == words[0]

    # A seed repeats an answer, another one does not.
    hot = [Options(temperature=1.5, top_p=0.9, seed=seed, max_tokens=12) for seed in (1, 1, 2)]
    one, same, other = [await said(runtime, options) for options in hot]
    assert one == same != other

    # A stop text ends the answer and is not told.
    stop = one[3:5]
    cut = await said(
        runtime, Options(temperature=1.5, top_p=0.9, seed=1, max_tokens=12, stop=(stop,))
    )
    assert cut == one[: one.index(stop)]

    assert await runtime.count_tokens("abc") == 3
    with pytest.raises(ContextTooLong, match="maximum context length is 256 tokens"):
        await events(runtime, messages=[ChatMessage(Role.USER, "x" * 300)])
    with pytest.raises(Unsupported, match="runtime is transformers"):
        await events(runtime, Options(shape=Shape({"type": "object"})))

    # A client that leaves frees the model for the next.
    async with aclosing(runtime.stream(QUESTION, Options(max_tokens=200, seed=1))) as left:
        await anext(left)
    assert await said(runtime) == untouched

    # A process that dies says so, and the next question starts another.
    pid = runtime._process.process.pid
    async with aclosing(runtime.stream(QUESTION, Options(max_tokens=200, seed=1))) as cut_off:
        await anext(cut_off)
        os.kill(pid, 9)
        with pytest.raises(ProviderUnavailable, match="ended unexpectedly"):
            [event async for event in cut_off]
    assert await said(runtime) == untouched

    await runtime.unload()
    assert runtime.state == "not loaded"


def damage(source: Path, folder: Path) -> Path:
    """A copy of the model whose weights are cut short."""
    shutil.copytree(source, folder)
    os.truncate(folder / "model.safetensors", 1000)
    return folder


async def test_a_damaged_model_is_said_in_words(made, tmp_path):
    base, _ = made
    folder = damage(Path(base.source), tmp_path / "damaged")
    damaged = Transformers(
        type(base)("damaged", "safetensors", str(folder), 1, 256),
        Memory(4000),
        cache=tmp_path,
        n_threads=1,
    )

    with pytest.raises(ProviderUnavailable, match="damaged could not be loaded") as caught:
        await said(damaged)

    assert str(tmp_path) not in str(caught.value)
    await damaged.close()
