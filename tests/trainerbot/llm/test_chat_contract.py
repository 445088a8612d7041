"""What every chat provider promises."""

import asyncio
import json
import time
from dataclasses import replace

import pytest

from tests.fakes.openai_endpoint import API_KEY, FakeOpenAI, Reply, error_body
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.llm import ChatModel, Completion, Delta, ModelInfo, Usage, open_chat
from trainerbot.messages import ChatMessage, Role

HELLO = (ChatMessage(Role.SYSTEM, "Be brief."), ChatMessage(Role.USER, "Hi"))


async def ask(chat: ChatModel, **kwargs: float) -> tuple[list[str], Completion]:
    """Return the deltas and the completion of one answer."""
    *deltas, completion = [piece async for piece in chat.stream(HELLO, model="small", **kwargs)]
    assert isinstance(completion, Completion)
    return [delta.text for delta in deltas if isinstance(delta, Delta)], completion


async def test_an_answer_comes_in_pieces_and_then_whole(fake: FakeOpenAI, chat: ChatModel):
    fake.default = Reply(pieces=("An", " answer"), system_fingerprint="knn:base")

    deltas, completion = await ask(chat)

    assert "".join(deltas) == "An answer"
    assert completion == Completion(
        text="An answer",
        model="small",
        usage=Usage(prompt_tokens=7, completion_tokens=2),
        finish_reason="stop",
        system_fingerprint="knn:base",
    )


async def test_the_request_says_what_was_asked_and_nothing_else(fake, chat):
    await ask(chat)
    await ask(chat, temperature=0.5, max_tokens=20)

    assert fake.chats[0] == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "model": "small",
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert fake.chats[1]["temperature"] == 0.5
    assert fake.chats[1]["max_tokens"] == 20


async def test_choices_are_sent_as_the_schema_of_the_answer(fake, chat):
    fake.default = Reply(pieces=('{"label": "yes"}',))

    *_, completion = [
        piece async for piece in chat.stream(HELLO, model="small", choices=("yes", "no"))
    ]

    assert completion.is_constrained
    assert fake.chats[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "label",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"label": {"type": "string", "enum": ["yes", "no"]}},
                "required": ["label"],
                "additionalProperties": False,
            },
        },
    }


@pytest.mark.parametrize(
    "told",
    [
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported.",
        "This type is unavailable now",
    ],
)
async def test_an_endpoint_that_takes_no_choices_is_asked_without_them_from_then_on(
    fake, chat, told
):
    fake.default = Reply(pieces=("Yes.",), refuses={"response_format": told})

    for _ in range(2):
        *_, completion = [
            piece async for piece in chat.stream(HELLO, model="small", choices=("yes", "no"))
        ]
        assert (completion.text, completion.is_constrained) == ("Yes.", False)

    assert ["response_format" in body for body in fake.chats] == [True, False, False]


async def test_a_refusal_of_the_text_is_not_taken_for_one_of_the_choices(fake, chat):
    too_long = error_body("This model's maximum context length is 9 tokens.", "400")
    fake.replies = [Reply(status=400, error=too_long)]

    with pytest.raises(ProviderRefused) as caught:
        [piece async for piece in chat.stream(HELLO, model="small", choices=("yes", "no"))]

    assert (caught.value.code, caught.value.status) == ("context_length_exceeded", 400)


async def test_pieces_arrive_while_the_endpoint_still_speaks(fake, chat):
    fake.default = Reply(pieces=("a", "b"), delay_s=0.2)
    arrivals = []

    async for piece in chat.stream(HELLO, model="small"):
        arrivals.append((time.monotonic(), piece))

    assert arrivals[1][0] - arrivals[0][0] > 0.1


@pytest.mark.parametrize(
    "text",
    ["line\u2028separator", "next\u0085line", "a\x0bb\x1cc", "😀 é \n\n data: [DONE]\n", " "],
)
async def test_any_text_comes_through_unbroken(fake, chat, text):
    fake.default = Reply(pieces=(text, text))

    deltas, completion = await ask(chat)

    assert "".join(deltas) == text * 2
    assert completion.text == text * 2


async def test_an_endpoint_that_does_not_stream_is_understood(fake, chat):
    whole = {
        "model": "small-2",
        "choices": [{"index": 0, "message": {"content": "All."}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    fake.default = Reply(body=json.dumps(whole).encode(), content_type="application/json")

    deltas, completion = await ask(chat)

    assert deltas == ["All."]
    assert completion == Completion("All.", "small-2", Usage(3, 1), "length", None)


async def test_comments_single_line_ends_and_a_missing_done_do_no_harm(fake, chat):
    chunk = '{"choices":[{"delta":{"content":"x"}}]}'
    last = '{"choices":[{"delta":{},"finish_reason":"stop"}]}'
    body = f": ping\r\n\r\nevent: message\r\ndata:{chunk}\r\ndata: {chunk}\n\ndata: {last}"
    fake.default = Reply(body=body.encode())

    deltas, completion = await ask(chat)

    assert "".join(deltas) == "xx"
    assert completion.finish_reason == "stop"


async def test_done_without_a_reason_is_an_end(fake, chat):
    fake.default = Reply(finish_reason=None)

    _, completion = await ask(chat)

    assert completion.finish_reason is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, error_body("Bad roles."), ProviderRefused, "refused: Bad roles."),
        (400, {"detail": "Bad roles."}, ProviderRefused, "refused: Bad roles."),
        (400, "plain words", ProviderRefused, "HTTP 400"),
        (400, error_body("x", "context_length_exceeded"), ProviderRefused, "too long"),
        (400, error_body("max_tokens is too large", None, "max_tokens"), ProviderRefused, "large"),
        (403, error_body("no"), ProviderRefused, "may not use model small"),
        (404, error_body("no", "model_not_found"), ProviderRefused, "does not know model small"),
        (429, error_body("slow down", "rate_limit_exceeded"), ProviderUnavailable, "Wait"),
        (429, error_body("pay", "insufficient_quota"), ProviderRefused, "no credit"),
        (500, error_body("oops"), ProviderUnavailable, "HTTP 500"),
        (503, "<html>", ProviderUnavailable, "HTTP 503"),
    ],
)
async def test_a_refusal_is_an_error_in_words_and_never_an_answer(
    fake, chat, status, body, kind, said
):
    fake.default = Reply(status=status, error=body)

    with pytest.raises(kind, match=said) as caught:
        await ask(chat, max_tokens=5)

    if "conversation" not in str(caught.value):
        assert "Fake (127.0.0.1:" in str(caught.value)
    assert caught.value.retryable == (kind is ProviderUnavailable)
    assert len(fake.chats) == 1


async def test_the_words_of_a_refusal_keep_the_key_to_themselves(fake, chat):
    fake.default = Reply(status=400, error=error_body(f"Key {API_KEY} and sk-proj-abcdefgh bad"))

    with pytest.raises(ProviderRefused) as caught:
        await ask(chat)

    assert "[key] and [key] bad" in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(cut=True), ProviderUnavailable, "broke off"),
        (Reply(fault={"error": {"message": "gone", "code": 503}}), ProviderUnavailable, "503"),
        (Reply(fault={"error": "gone"}), ProviderUnavailable, "failed"),
        (Reply(fault={"error": {"message": "gone", "code": 400}}), ProviderRefused, "gone"),
        (Reply(body=b"data: oops\n\n"), ProviderRefused, "not an OpenAI-compatible API"),
        (
            Reply(body=b"<html>", content_type="text/html"),
            ProviderRefused,
            "not an OpenAI-compatible API",
        ),
        (
            Reply(body=b"[1]", content_type="application/json"),
            ProviderRefused,
            "not an OpenAI-compatible API",
        ),
        (Reply(delay_s=5), ProviderUnavailable, "said nothing for 0.3 s"),
        (Reply(status=200, body=b"", delay_s=5), ProviderUnavailable, "said nothing for 0.3 s"),
    ],
)
async def test_a_stream_that_goes_wrong_ends_in_an_error(fake, endpoint, reply, kind, said):
    fake.default = reply
    chat = open_chat(replace(endpoint, timeout_s=0.3) if reply.delay_s else endpoint)

    with pytest.raises(kind, match=said):
        await ask(chat)
    await chat.close()


@pytest.mark.parametrize("then", [b'data: {"error": "gone"}\n\n', b"data: oops\n\n"])
async def test_words_that_come_together_with_a_fault_are_still_heard(fake, chat, then):
    fake.default = Reply(body=b'data: {"choices": [{"delta": {"content": "So"}}]}\n\n' + then)
    heard = []

    async def listen() -> None:
        async for piece in chat.stream(HELLO, model="small"):
            heard.append(piece)

    with pytest.raises((ProviderUnavailable, ProviderRefused)):
        await listen()

    assert heard == [Delta("So")]


async def test_words_that_come_together_are_handed_on_together(fake, chat):
    events = b"".join(
        b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % word for word in (b"a", b"b")
    )
    fake.default = Reply(body=events + b"data: [DONE]\n\n")

    deltas, completion = await ask(chat)

    assert deltas == ["ab"]
    assert completion.text == "ab"


async def test_what_comes_after_the_end_does_not_spoil_an_answer(fake, chat):
    said = b'data: {"choices": [{"delta": {"content": "So"}}]}\n\n'
    fake.default = Reply(body=said + b"data: [DONE]\n\ndata: bye\n\n" + said)

    deltas, completion = await ask(chat)

    assert deltas == ["So"]
    assert completion.text == "So"


async def test_closing_the_answer_stops_the_endpoint(fake, chat):
    fake.default = Reply(pieces=("x",) * 1000, delay_s=0.01)

    stream = chat.stream(HELLO, model="small")
    await anext(stream)
    await stream.aclose()

    assert await asyncio.to_thread(fake.stopped.wait, 2)


async def test_many_answers_at_once_do_not_mix(fake, chat):
    fake.replies = [Reply(pieces=(str(n), "-", str(n)), delay_s=0.01) for n in range(20)]

    answers = await asyncio.gather(*(ask(chat) for _ in range(20)))

    assert sorted(c.text for _, c in answers) == sorted(f"{n}-{n}" for n in range(20))


async def test_the_models_come_with_what_else_their_rows_say(fake, chat):
    fake.models[1]["fine_tune_methods"] = ["knn"]

    assert await chat.models() == [
        ModelInfo("small", "fake", 1, {}),
        ModelInfo("large", "fake", 1, {"fine_tune_methods": ["knn"]}),
    ]


async def test_a_list_of_models_that_is_none_is_refused(fake, chat):
    fake.failures = [(200, {"hello": "world"}), (500, "x")]

    with pytest.raises(ProviderRefused, match="not an OpenAI-compatible API"):
        await chat.models()
    with pytest.raises(ProviderUnavailable, match="HTTP 500"):
        await chat.models()
