"""/v1/chat/completions and /v1/models with the real model, through the real SDK."""

import json
import threading
import time

import httpx2
import openai
import pytest
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

MODEL = "smollm2-135m-instruct"
HELLO = [{"role": "user", "content": "Say hello."}]

pytestmark = pytest.mark.model


def test_the_base_model_is_listed_with_what_it_can_be_tuned_by(client):
    (model,) = [model for model in client.models.list() if model.id == MODEL]

    Model.model_validate(model.to_dict(), strict=True)
    assert "knn" in model.fine_tune_methods
    assert client.models.retrieve(MODEL) == model
    with pytest.raises(openai.PermissionDeniedError, match="cannot be deleted"):
        client.models.delete(MODEL)


def test_an_unknown_model_is_not_found(client):
    for call in (client.models.retrieve, client.models.delete):
        with pytest.raises(openai.NotFoundError, match="does not exist") as caught:
            call("ft:no-such:model")
        assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="`gpt-9` does not exist") as caught:
        client.chat.completions.create(model="gpt-9", messages=HELLO)
    assert caught.value.code == "model_not_found"


def test_an_answer_has_every_field_of_openais(client):
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=8)

    ChatCompletion.model_validate(answer.to_dict(), strict=True)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.prompt_tokens > 10
    assert 1 <= answer.usage.completion_tokens <= 8
    assert answer.model == MODEL
    assert answer.system_fingerprint == "llama.cpp"


def test_a_stream_tells_the_same_piece_by_piece(client):
    options = {"model": MODEL, "messages": HELLO, "temperature": 0, "seed": 1, "max_tokens": 12}
    whole = client.chat.completions.create(**options)

    chunks = list(
        client.chat.completions.create(
            **options, stream=True, stream_options={"include_usage": True}
        )
    )

    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.to_dict(), strict=True)
    *told, usage = chunks
    pieces = [chunk.choices[0].delta.content or "" for chunk in told]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len(pieces) > 4
    assert told[0].choices[0].delta.role == "assistant"
    assert told[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert (usage.choices, usage.usage.completion_tokens) == ([], whole.usage.completion_tokens)
    assert all(chunk.usage is None for chunk in told)


def test_the_wire_is_server_sent_events_ending_in_done(server):
    answer = httpx2.post(
        f"{server.url}/v1/chat/completions",
        json={"model": MODEL, "messages": HELLO, "max_tokens": 2, "stream": True},
        headers={"Authorization": f"Bearer {server.key}"},
    )

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    *events, done, empty = answer.text.split("\n\n")
    assert (done, empty) == ("data: [DONE]", "")
    assert all("usage" not in json.loads(event.removeprefix("data: ")) for event in events)


def test_a_seed_repeats_an_answer_and_a_limit_ends_it(client):
    options = {"model": MODEL, "messages": HELLO, "temperature": 1.2, "top_p": 0.95, "seed": 7}

    first, second = (
        client.chat.completions.create(**options, max_completion_tokens=10) for _ in range(2)
    )

    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.choices[0].finish_reason == "length"
    assert first.usage.completion_tokens == 10


def test_a_stop_text_ends_the_answer_and_is_not_told(client):
    options = {"model": MODEL, "messages": HELLO, "temperature": 0, "max_tokens": 20}
    text = client.chat.completions.create(**options).choices[0].message.content
    word = text.split()[1]

    stopped = client.chat.completions.create(**options, stop=[word, "\n\n\n"])

    assert stopped.choices[0].finish_reason == "stop"
    assert stopped.choices[0].message.content == text.split(word)[0]


def test_text_parts_and_developer_messages_are_read(client):
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Say hello."}]},
        ],
        max_tokens=3,
    )

    assert answer.choices[0].message.content


def test_a_conversation_over_the_context_is_refused_with_openais_code(client):
    long = [{"role": "user", "content": "word " * 3000}]
    for stream in (False, True):
        with pytest.raises(
            openai.BadRequestError, match="maximum context length is 2048"
        ) as caught:
            client.chat.completions.create(model=MODEL, messages=long, stream=stream)
        assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"temperature": 3}, "temperature", "decimal_above_max_value"),
        ({"top_p": -0.5}, "top_p", "decimal_below_min_value"),
        ({"max_tokens": -1}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": "many"}, "max_tokens", "invalid_type"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "invalid_type"),
        ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role", "invalid_value"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
            "invalid_value",
        ),
        ({"model": None}, "model", "invalid_type"),
        ({"stop": list("abcde")}, "stop", "array_above_max_length"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"top_k": 5}, "top_k", "unknown_parameter"),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter"),
        ({"modalities": []}, "modalities", "empty_array"),
        ({"web_search_options": {}}, "web_search_options", "unsupported_parameter"),
        (
            {"moderation": {"model": "m", "policy": {"input": {"mode": "block"}}}},
            "moderation.policy.input",
            "unsupported_parameter",
        ),
        ({"stream_options": {"include_usage": True}}, "stream_options", None),
        ({"top_logprobs": 2}, "top_logprobs", None),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
        ({"logit_bias": {"hello": 5}}, "logit_bias", None),
        ({"logit_bias": {"5": 101}}, "logit_bias.5", "decimal_above_max_value"),
        ({"verbosity": "huge"}, "verbosity", "invalid_value"),
        ({"safety_identifier": "x" * 129}, "safety_identifier", "string_above_max_length"),
        ({"metadata": {"x" * 65: "y"}}, "metadata", "invalid_value"),
    ],
)
def test_a_wrong_request_is_refused_by_the_name_of_its_parameter(server, change, param, code):
    answer = httpx2.post(
        f"{server.url}/v1/chat/completions",
        json={"model": MODEL, "messages": HELLO, **change},
        headers={"Authorization": f"Bearer {server.key}"},
    )

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)
    assert error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"model": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(server, body):
    answer = httpx2.post(
        f"{server.url}/v1/chat/completions",
        content=body,
        headers={"Authorization": f"Bearer {server.key}"},
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_body_over_the_limit_is_refused(server):
    answer = httpx2.post(
        f"{server.url}/v1/chat/completions",
        content=b" " * (9 * 1024 * 1024),
        headers={"Authorization": f"Bearer {server.key}"},
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_a_long_answer_blocks_nobody(server, client):
    client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=1)  # loaded
    stories = [{"role": "user", "content": "Tell a very long story."}]
    streams = [
        client.chat.completions.create(model=MODEL, messages=stories, max_tokens=2000, stream=True)
        for _ in range(2)
    ]
    try:
        begun = time.monotonic()
        assert httpx2.get(f"{server.url}/healthz", timeout=60).json()["model_state"] == "ready"
        assert time.monotonic() - begun < 15  # as below
    finally:
        for stream in streams:
            stream.close()


def test_clients_that_leave_give_their_places_back(server, client):
    stories = [{"role": "user", "content": "Tell a very long story."}]
    for _ in range(4):  # twice as many as there are places
        stream = client.chat.completions.create(
            model=MODEL, messages=stories, max_tokens=2000, stream=True
        )
        next(iter(stream))
        stream.close()

    waiting = client.with_options(timeout=1)
    with pytest.raises(openai.APITimeoutError):  # not streamed, and left as well
        waiting.chat.completions.create(model=MODEL, messages=stories, max_tokens=2000)
    begun = time.monotonic()
    client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=1)

    assert time.monotonic() - begun < 15  # 2000 tokens would take longer
    assert "Traceback" not in "".join(server.lines)


def test_more_answers_than_places_wait_for_their_turn(client):
    texts = []

    def ask() -> None:
        answer = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=4)
        texts.append(answer.choices[0].message.content)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(texts) == 5
