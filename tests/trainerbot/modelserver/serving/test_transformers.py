"""A base model that is no GGUF file, in a process of its own."""

import asyncio
import json
import math
import os
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainerbot.modelserver.training.tiny import make_base
from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.runtimes.base import (
    Adapter,
    Choice,
    ContextTooLong,
    Finish,
    Options,
    Piece,
    Shape,
    Start,
    Tools,
)
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.runtimes.transformers_runtime import Transformers

pytestmark = pytest.mark.train

QUESTION = [ChatMessage(Role.USER, "Hi")]
GREEDY = Options(temperature=0.0, max_tokens=6)
PERSON = Shape(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 4},
            "pets": {
                "type": "array",
                "items": {"enum": ["cat", "dog"]},
                "minItems": 1,
                "maxItems": 1,
            },
        },
        "required": ["name", "pets"],
    }
)


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


@pytest.fixture
def base(tmp_path):
    return make_base(tmp_path / "base")


@pytest.fixture
async def runtime(base, tmp_path):
    running = Transformers(base, Memory(4000), cache=tmp_path, n_threads=1)
    yield running
    await running.close()


async def events(runtime, options: Options = GREEDY, adapter=None, messages=QUESTION):
    async with aclosing(runtime.stream(messages, options, adapter)) as answer:
        return [event async for event in answer]


async def said(runtime, options: Options = GREEDY, adapter=None) -> str:
    told = await events(runtime, options, adapter)
    return "".join(event.text for event in told if isinstance(event, Piece))


async def test_one_process_serves_all_of_it(runtime, base, tmp_path):
    """One test, as a process takes seconds to start: the answers, one after another."""
    first, second = (
        make_adapter(tmp_path / name, f"ft:{name}", seed) for seed, name in enumerate("ab")
    )

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

    # Each token's probability, the model's own, with the likeliest in its place.
    told = await events(runtime, replace(GREEDY, top_logprobs=2))
    tokens = [token for event in told if isinstance(event, Piece) for token in event.logprobs]
    assert b"".join(token.data for token in tokens).decode("utf-8", "replace") == untouched
    assert len(tokens) == 6
    assert all(len(token.top) == 2 and token.top[0].logprob == token.logprob for token in tokens)
    assert all(token.top[1].logprob <= token.logprob < 0 for token in tokens)
    told = await events(runtime, replace(hot[0], stop=(stop,), top_logprobs=0))
    tokens = [token for event in told if isinstance(event, Piece) for token in event.logprobs]
    assert "".join(token.token for token in tokens).startswith(cut)
    assert len(tokens) <= len(cut) + 1

    # Random weights write no JSON by themselves: what comes is what the grammar leaves.
    for options in (Options(temperature=0.0), Options(temperature=1.5, seed=1)):
        answer = json.loads(await said(runtime, replace(options, shape=PERSON, max_tokens=150)))
        assert 1 <= len(answer["name"]) <= 4
        assert answer["pets"] in (["cat"], ["dog"])
        chosen = await said(runtime, replace(options, choice=Choice("is", ("a", "b"))), first)
        assert chosen in ('{"is":"a"}', '{"is":"b"}')
    *_, finish = await events(runtime, Options(temperature=0.0, shape=PERSON, max_tokens=3))
    assert finish.finish_reason == "length"
    forced = Options(temperature=0.0, tools=Tools(({"name": "look"},), True, several=False))
    _, call, finish = await events(runtime, forced, messages=[ChatMessage(Role.USER, "")])
    assert (call.name, json.loads(call.arguments)) == ("look", {})
    assert finish.finish_reason == "tool_calls"

    # Vectors are the untouched model's, also after an adapter was at work.
    one, other = (await runtime.embed(["abc", "xyz"])).vectors
    assert math.hypot(*one) == pytest.approx(1, abs=1e-5)
    assert sum(x * y for x, y in zip(one, other, strict=True)) < 0.999
    read = await runtime.embed([[68, 69, 70], [68]])
    assert (len(read.vectors), read.n_tokens) == (2, 4)
    with pytest.raises(InvalidInput, match="no such tokens"):
        await runtime.embed([[100_000]])
    with pytest.raises(ContextTooLong, match="for an input of embeddings"):
        await runtime.embed(["x" * 300])

    # A client that leaves frees the model for the next.
    async with aclosing(runtime.stream(QUESTION, Options(max_tokens=200, seed=1))) as left:
        await anext(left)
    assert await said(runtime) == untouched

    # A process that dies says so, and the next question starts another. That one finds that the
    # model's file was damaged meanwhile, and says it in words that tell no path.
    pid = runtime._process.process.pid
    async with aclosing(runtime.stream(QUESTION, Options(max_tokens=200, seed=1))) as cut_off:
        await anext(cut_off)
        os.truncate(Path(base.source) / "model.safetensors", 1000)
        os.kill(pid, 9)
        with pytest.raises(ProviderUnavailable, match="ended unexpectedly"):
            [event async for event in cut_off]
    with pytest.raises(ProviderUnavailable, match="tiny could not be loaded") as caught:
        await said(runtime)
    assert base.source not in str(caught.value)
    assert runtime.state == "not loaded"
