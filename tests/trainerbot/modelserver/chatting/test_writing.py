"""The writer of chunks, with answers that no model gives on demand."""

import json
import math

import pytest

from trainerbot.errors import ProviderUnavailable, StorageFull
from trainerbot.modelserver.api.chat.bodies import ChatBody, StreamOptions
from trainerbot.modelserver.api.chat.writing import Writer
from trainerbot.modelserver.runtimes.base import Finish, Piece, Start, TokenLogprob


def body(**more) -> ChatBody:
    return ChatBody(model="m", messages=[], **more)


async def answers(*events):
    for event in events:
        if isinstance(event, Exception):
            raise event
        yield 0, event


async def streamed(writer: Writer, *events) -> list[str]:
    chunks = [c async for c in writer.chunks((0, Start("f")), answers(*events))]
    text = b"".join(chunks).decode()
    assert text.endswith("\n\n")
    return [event.removeprefix("data: ") for event in text.split("\n\n")[:-1]]


async def test_an_error_in_the_middle_is_told_and_ends_the_stream():
    *_, last = await streamed(Writer(body()), Piece("Hel"), ProviderUnavailable("It broke."))

    error = json.loads(last)["error"]
    assert (error["message"], error["type"]) == ("It broke.", "server_error")


async def test_a_stream_that_cannot_be_stored_says_so_before_its_end():
    async def keep(completion):
        raise StorageFull("The disk is full.")

    *_, last = await streamed(Writer(body(store=True), keep), Piece("Hi"), Finish("stop", 1, 1))

    assert json.loads(last)["error"]["code"] == "insufficient_storage"


async def test_the_whole_is_kept_before_the_end_is_told():
    kept = []

    async def keep(completion):
        kept.append(completion)

    *_, done = await streamed(Writer(body(), keep), Piece("Hi"), Finish("stop", 1, 1))

    assert done == "[DONE]"
    assert kept[0]["choices"][0]["message"]["content"] == "Hi"


@pytest.mark.parametrize("text", ['"', "\\", "\n", "\u2028", "🙂", "</script>", "\x00"])
async def test_any_text_is_told_as_it_is(text):
    _, piece, *_ = await streamed(Writer(body()), Piece(text), Finish("stop", 1, 1))

    assert json.loads(piece)["choices"][0]["delta"] == {"content": text}


async def test_an_impossible_token_has_openais_least_number():
    impossible = TokenLogprob("x", -math.inf, b"\xff")
    writer = Writer(body(logprobs=True))

    whole = await writer.whole(answers(Piece("x", (impossible,)), Finish("stop", 1, 1)))

    (token,) = whole["choices"][0]["logprobs"]["content"]
    assert (token["logprob"], token["bytes"], token["top_logprobs"]) == (-9999.0, [255], [])


async def test_the_usage_comes_last_and_is_null_before():
    writer = Writer(body(stream_options=StreamOptions(include_usage=True)))

    *told, usage, _ = await streamed(writer, Piece("Hi"), Finish("length", 7, 2, cached_tokens=6))

    assert all(json.loads(chunk)["usage"] is None for chunk in told)
    numbers = json.loads(usage)["usage"]
    assert (numbers["total_tokens"], numbers["prompt_tokens_details"]["cached_tokens"]) == (9, 6)
