"""Every parameter of a chat with the real model, through the real SDK."""

import json

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

MODEL = "smollm2-135m-instruct"
HELLO = [{"role": "user", "content": "Say hello."}]
WEATHER = {
    "name": "get_weather",
    "description": "Get the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
# As OpenAI's own tests of its SDK send them, all at once.
EVERYTHING = {
    "audio": {"format": "wav", "voice": "alloy"},
    "frequency_penalty": -2,
    "function_call": "none",
    "functions": [{"name": "name", "description": "x", "parameters": {"foo": "bar"}}],
    "logit_bias": {"foo": 0},
    "logprobs": True,
    "max_completion_tokens": 0,
    "max_tokens": 0,
    "metadata": {"foo": "string"},
    "modalities": ["text"],
    "moderation": {"model": "m", "policy": {"input": {"mode": "score"}}},
    "n": 1,
    "parallel_tool_calls": True,
    "prediction": {"content": "string", "type": "content"},
    "presence_penalty": -2,
    "prompt_cache_key": "prompt-cache-key-1234",
    "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
    "prompt_cache_retention": "in_memory",
    "reasoning_effort": "none",
    "response_format": {"type": "text"},
    "safety_identifier": "safety-identifier-1234",
    "seed": -9007199254740991,
    "service_tier": "auto",
    "stop": "\n",
    "stream_options": {"include_obfuscation": True, "include_usage": True},
    "temperature": 1,
    "tool_choice": "none",
    "tools": [{"type": "function", "function": WEATHER}],
    "top_logprobs": 0,
    "top_p": 1,
    "user": "user-1234",
    "verbosity": "low",
    "web_search_options": {"search_context_size": "low"},
}

pytestmark = pytest.mark.model


def test_every_parameter_at_once_is_taken_whole(client):
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, stream=False, **EVERYTHING)

    ChatCompletion.model_validate(answer.to_dict(), strict=True)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("", "length")
    assert (answer.usage.completion_tokens, answer.usage.prompt_tokens > 10) == (0, True)
    assert answer.moderation.input.code == "moderation_unavailable"


def test_every_parameter_at_once_is_taken_streamed(client):
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=HELLO,
            stream=True,
            **{**EVERYTHING, "max_tokens": 2} | {"max_completion_tokens": 2},
        )
    )

    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.to_dict(), strict=True)
    *_, moderation, usage = chunks
    assert moderation.moderation.output.code == "moderation_unavailable"
    assert usage.usage.completion_tokens <= 2
    assert all(chunk.obfuscation for chunk in chunks[:3])


def test_several_answers_share_one_reading_of_the_conversation(client):
    answer = client.chat.completions.create(
        model=MODEL, messages=HELLO, n=3, max_tokens=4, temperature=2, seed=1
    )
    again = client.chat.completions.create(
        model=MODEL, messages=HELLO, n=3, max_tokens=4, temperature=2, seed=1
    )
    one = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=4)

    texts = [choice.message.content for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len(set(texts)) > 1
    assert texts == [choice.message.content for choice in again.choices]
    assert answer.usage.prompt_tokens == one.usage.prompt_tokens
    assert answer.usage.completion_tokens > one.usage.completion_tokens


def test_several_answers_are_streamed_one_after_another(client):
    chunks = client.chat.completions.create(
        model=MODEL, messages=HELLO, n=2, max_tokens=2, stream=True
    )

    told = [(chunk.choices[0].index, chunk.choices[0].finish_reason) for chunk in chunks]
    assert [index for index, _ in told] == sorted(index for index, _ in told)
    assert [index for index, reason in told if reason] == [0, 1]


def test_probabilities_are_those_of_the_tokens_told(client):
    options = {"model": MODEL, "messages": HELLO, "max_tokens": 3, "temperature": 0}
    wish = {"logprobs": True, "top_logprobs": 2}

    choice = client.chat.completions.create(**options, **wish).choices[0]
    streamed = [
        token
        for chunk in client.chat.completions.create(**options, **wish, stream=True)
        for token in (chunk.choices[0].logprobs.content if chunk.choices[0].logprobs else [])
    ]

    tokens = choice.logprobs.content
    assert "".join(token.token for token in tokens) == choice.message.content
    assert all(len(token.top_logprobs) == 2 and token.logprob <= 0 for token in tokens)
    # Without sampling the token told is the likeliest.
    assert all(token.token == token.top_logprobs[0].token for token in tokens)
    assert [token.token for token in streamed] == [token.token for token in tokens]


def test_a_bias_bans_a_token(client):
    options = {"model": MODEL, "messages": HELLO, "max_tokens": 1, "temperature": 0}
    word = client.chat.completions.create(**options).choices[0].message.content
    # Every token's id at once: what begins the answer is not among those left.
    banned = {str(token): -100 for token in range(0, 49_152, 2)}

    other = client.chat.completions.create(**options, logit_bias=banned)
    odd = {str(token): -100 for token in range(1, 49_152, 2)}
    another = client.chat.completions.create(**options, logit_bias=odd)

    texts = [other.choices[0].message.content, another.choices[0].message.content]
    assert texts.count(word) == 1


def test_a_tool_that_must_be_called_is_called(client):
    tools = [{"type": "function", "function": WEATHER}]
    choice = {"type": "function", "function": {"name": "get_weather"}}

    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=False,
        temperature=0,
    )

    ChatCompletion.model_validate(answer.to_dict(), strict=True)
    (call,) = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)


def test_a_call_is_streamed_and_its_result_is_read(client):
    tools = [{"type": "function", "function": WEATHER}]
    question = {"role": "user", "content": "What is the weather in Paris?"}
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=[question], tools=tools, tool_choice="required", stream=True
        )
    )

    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert calls[0].function.name == "get_weather"
    told = {"id": calls[0].id, "type": "function"}
    function = {"name": "get_weather", "arguments": calls[0].function.arguments}
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[
            question,
            {"role": "assistant", "tool_calls": [{**told, "function": function}]},
            {"role": "tool", "tool_call_id": calls[0].id, "content": "sunny, 25 degrees"},
        ],
        tools=tools,
        max_tokens=4,
    )
    assert answer.choices[0].finish_reason in ("length", "stop", "tool_calls")


def test_a_function_of_the_older_form_is_called_in_the_older_form(client):
    options = {
        "model": MODEL,
        "messages": HELLO,
        "functions": [WEATHER],
        "function_call": {"name": "get_weather"},
        "temperature": 0,
    }

    choice = client.chat.completions.create(**options).choices[0]
    *_, call, end = client.chat.completions.create(**options, stream=True)

    assert choice.finish_reason == "function_call"
    assert choice.message.function_call.name == "get_weather"
    assert choice.message.tool_calls is None
    told = call.choices[0].delta.function_call
    # The arguments may differ: a prompt read anew and one remembered round differently.
    assert told.name == "get_weather"
    assert json.loads(told.arguments).keys() == {"city"}
    assert json.loads(choice.message.function_call.arguments).keys() == {"city"}
    assert end.choices[0].finish_reason == "function_call"


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"tools": []}, "tools", "empty_array"),
        ({"tools": [{"type": "custom"}]}, "tools[0].type", "unsupported_value"),
        ({"tools": [{"type": "web"}]}, "tools[0].type", "invalid_value"),
        (
            {"tools": [{"type": "function"}]},
            "tools[0].function",
            "missing_required_parameter",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "two words"}}]},
            "tools[0].function.name",
            "invalid_value",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": 5}}}]},
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
        ({"tool_choice": "auto"}, "tool_choice", None),
        ({"parallel_tool_calls": False}, "parallel_tool_calls", None),
        ({"function_call": "auto"}, "function_call", None),
        ({"functions": [WEATHER], "function_call": {"name": "x"}}, "function_call", None),
        ({"functions": [WEATHER], "function_call": "required"}, "function_call", "invalid_value"),
        (
            {"messages": [{"role": "tool", "tool_call_id": "c", "content": "x"}]},
            "messages[0].role",
            None,
        ),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "messages[0].tool_call_id",
            "missing_required_parameter",
        ),
        ({"messages": [{"role": "assistant", "tool_calls": [CALL]}]}, "messages[0].role", None),
        (
            {"messages": [{"role": "user", "content": "x", "tool_calls": [CALL]}]},
            "messages[0].tool_calls",
            None,
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text",
            "missing_required_parameter",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "messages[0].content[0].type",
            "invalid_value",
        ),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
    ],
)
def test_tools_and_messages_that_do_not_fit_are_refused(server, change, param, code):
    answer = httpx2.post(
        f"{server.url}/v1/chat/completions",
        json={"model": MODEL, "messages": HELLO, **change},
        headers={"Authorization": f"Bearer {server.key}"},
    )

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)
    assert error["message"]


def test_a_wrong_type_is_named_in_openais_words(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens="many")

    assert caught.value.body["message"] == (
        "Invalid type for 'max_tokens': expected an integer, but got a string instead."
    )
