"""What llama.cpp is asked, and how its chunks are told: no model is needed."""

from typing import Any

import pytest

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.runtimes import asking
from trainerbot.modelserver.runtimes.base import (
    CallPiece,
    ContextTooLong,
    Finish,
    Options,
    Piece,
    Shape,
    Start,
    ToolCall,
    Tools,
    Turn,
    Unsupported,
)

WEATHER = {"name": "weather", "description": "Tells the weather.", "strict": True}
TOOLS = Tools((WEATHER,))
HELLO = [ChatMessage(Role.USER, "Hello.")]
CALLED = [
    ChatMessage(Role.DEVELOPER, "Be brief."),
    ChatMessage(Role.USER, "Rain in Riga?"),
    Turn(Role.ASSISTANT, "", tool_calls=(ToolCall("call_1", "weather", '{"city": "Riga"}'),)),
    Turn(Role.TOOL, "sunny", tool_call_id="call_1"),
]


def asked(messages=HELLO, options=None, *, knows_tools=False, **more: Any) -> dict[str, Any]:
    return asking.request(
        messages, options or Options(**more), Options(temperature=0.2), knows_tools=knows_tools
    )


async def told(*chunks: dict[str, Any], options=None, reads_calls=False) -> list[Any]:
    async def source():
        for chunk in chunks:
            yield chunk

    events = asking.events(source(), options or Options(), reads_calls=reads_calls)
    return [event async for event in events]


def delta(finish_reason=None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def test_only_what_is_asked_for_is_sent_and_the_models_defaults_fill_in():
    body = asked(top_p=0.5, logit_bias=((7, -100.0),))

    assert body.pop("messages") == [{"role": "user", "content": "Hello."}]
    assert body == {
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.2,
        "top_p": 0.5,
        "logit_bias": [[7, -100.0]],
    }


def test_the_tokens_own_probability_is_asked_for_even_without_others():
    assert asked(top_logprobs=0)["top_logprobs"] == 1
    assert asked(top_logprobs=5)["top_logprobs"] == 5


def test_a_template_that_knows_tools_is_given_them_as_they_are():
    body = asked(CALLED, Options(tools=Tools((WEATHER,), must_call=True)), knows_tools=True)

    assert body["tools"] == [{"type": "function", "function": WEATHER}]
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", True)
    assert "grammar" not in body
    assert body["messages"][2]["tool_calls"][0]["function"]["name"] == "weather"
    assert body["messages"][3] == {"role": "tool", "content": "sunny", "tool_call_id": "call_1"}


def test_a_template_that_knows_tools_takes_no_shape_beside_them():
    with pytest.raises(Unsupported, match="together with 'tools'"):
        asked(options=Options(tools=TOOLS, shape=Shape({})), knows_tools=True)


def test_tools_are_described_where_the_template_knows_none():
    body = asked(CALLED, Options(tools=TOOLS))

    system, question, call, result = body["messages"]
    assert system["role"] == "system"
    assert system["content"].startswith("Be brief.\n\nYou have these functions:\n")
    assert '{"name": "weather", "description": "Tells the weather."}' in system["content"]
    assert question["content"] == "Rain in Riga?"
    assert call["content"] == '{"name": "weather", "arguments": {"city": "Riga"}}'
    assert result == {"role": "user", "content": "Result of weather: sunny"}
    assert "tools" not in body


def test_a_call_that_must_be_made_has_a_grammar():
    assert "weather" in asked(options=Options(tools=Tools((WEATHER,), must_call=True)))["grammar"]


async def test_chunks_become_events():
    usage = {
        "choices": [],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 8},
        },
    }

    events = await told(delta(content=None), delta(content="Hi"), delta("length"), usage)

    assert events == [Start("llama.cpp"), Piece("Hi"), Finish("length", 9, 2, cached_tokens=8)]


async def test_probabilities_are_cut_to_as_many_as_were_asked_for():
    token = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
    chunk = delta(content="Hi")
    chunk["choices"][0]["logprobs"] = {"content": [{**token, "top_logprobs": [token, token]}]}

    for n_top in (0, 1):
        events = await told(chunk, options=Options(top_logprobs=n_top))
        (first,) = events[1].logprobs
        assert (first.token, first.data, len(first.top)) == ("Hi", b"Hi", n_top)


async def test_calls_that_llama_cpp_parsed_are_told_as_they_come():
    first = {"index": 0, "id": "abc", "function": {"name": "weather", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": "{}"}}

    events = await told(delta(tool_calls=[first]), delta(tool_calls=[more]), delta("tool_calls"))

    assert events[1:3] == [CallPiece(0, "", id="abc", name="weather"), CallPiece(0, "{}")]
    assert events[-1].finish_reason == "tool_calls"


async def test_a_call_in_the_text_is_told_as_a_call():
    text = ['{"name": "wea', 'ther", "arguments": {"city": "Riga"}}']

    events = await told(
        *(delta(content=part) for part in text),
        delta("stop"),
        options=Options(tools=TOOLS),
        reads_calls=True,
    )

    (call,) = events[1:-1]
    assert (call.name, call.arguments) == ("weather", '{"city": "Riga"}')
    assert call.id.startswith("call_")
    assert events[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    "text",
    ["Hello.", '{"name": "unknown"}', "{broken", "[]", '[{"name": "weather", "arguments": 5}]', ""],
)
async def test_text_that_is_no_call_stays_text(text):
    events = await told(
        *(delta(content=letter) for letter in text),
        delta("stop"),
        options=Options(tools=TOOLS),
        reads_calls=True,
    )

    assert "".join(event.text for event in events if isinstance(event, Piece)) == text
    assert events[-1].finish_reason == "stop"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "exceed_context_size_error", "n_prompt_tokens": 9}, ContextTooLong),
        ({"code": 400, "message": "no"}, InvalidInput),
        ({"code": 500, "message": "no"}, ProviderUnavailable),
        ({"type": asking.STOPPING}, ProviderUnavailable),
    ],
)
def test_llama_cpps_errors_have_our_words(error, kind):
    assert isinstance(asking.failure(error, 2048), kind)
