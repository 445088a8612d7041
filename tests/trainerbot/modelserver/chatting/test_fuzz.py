"""Whatever a parameter of a chat or of embeddings is: refused in OpenAI's shape, or let through."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainerbot.modelserver.inprocess import MODEL, in_process
from tests.trainerbot.modelserver.test_fuzz import MANY, NASTY_TEXTS, NASTY_VALUES
from trainerbot.modelserver.api.chat.bodies import ChatBody, MessageBody
from trainerbot.modelserver.runtimes.base import Shape, Unsupported
from trainerbot.modelserver.runtimes.grammars import check

HELLO = [{"role": "user", "content": "Hi"}]
KEYWORDS = (
    "type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems",
    "maxItems", "minLength", "maxLength", "format", "minimum", "maximum", "enum", "const", "anyOf",
    "allOf", "$ref", "$defs",
)  # fmt: skip
TYPES = st.sampled_from(
    ["object", "array", "string", "integer", "number", "null", "#", "#/$defs/a"]
)
SCHEMAS = st.recursive(
    st.one_of(NASTY_VALUES, TYPES, st.integers(0, 5)),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=4),
        st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)
FUNCTION = st.fixed_dictionaries(
    {"name": st.one_of(st.just("f"), NASTY_VALUES)}, optional={"parameters": SCHEMAS}
)
LIKELY = {
    "tools": st.lists(st.fixed_dictionaries({"type": st.just("function"), "function": FUNCTION}), max_size=2),
    "functions": st.lists(FUNCTION, max_size=2),
    "tool_choice": st.one_of(st.sampled_from(["none", "auto", "required"]), NASTY_VALUES),
    "logit_bias": st.dictionaries(NASTY_TEXTS, st.integers(-200, 200), max_size=2),
    "response_format": st.fixed_dictionaries(
        {"type": st.just("json_schema")},
        optional={"json_schema": st.fixed_dictionaries({"name": st.just("x"), "schema": SCHEMAS})},
    ),
    "messages": st.lists(
        st.dictionaries(
            st.sampled_from([field.name for field in msgspec.structs.fields(MessageBody)]),
            st.one_of(NASTY_VALUES, st.sampled_from(["user", "assistant", "tool"])),
        ),
        max_size=3,
    ),
}  # fmt: skip
CHATS = st.lists(
    st.sampled_from([field.name for field in msgspec.structs.fields(ChatBody)]), max_size=5
).flatmap(
    lambda names: st.fixed_dictionaries(
        {name: st.one_of(LIKELY.get(name, NASTY_VALUES), NASTY_VALUES) for name in names}
    )
)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with in_process(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


def is_fine(reply) -> bool:
    # There is no model to answer: what nothing is wrong with ends in 501.
    return reply.status in (400, 404, 413, 501) and bool(reply.error["message"])


@MANY
@given(body=CHATS)
def test_no_parameter_however_wrong_breaks_a_chat(here, body):
    reply = here.send_json(
        "POST", "/v1/chat/completions", {"model": MODEL, "messages": HELLO, **body}
    )

    assert is_fine(reply), (body, reply)


@MANY
@given(given_input=NASTY_VALUES, dimensions=st.one_of(st.none(), NASTY_VALUES))
def test_no_input_however_wrong_breaks_embeddings(here, given_input, dimensions):
    reply = here.send_json(
        "POST",
        "/v1/embeddings",
        {"model": MODEL, "input": given_input, "dimensions": dimensions},
    )

    assert is_fine(reply), (given_input, reply)


@MANY
@given(schema=SCHEMAS, is_strict=st.booleans())
def test_a_schema_is_a_grammar_or_is_refused_in_words(schema, is_strict):
    with contextlib.suppress(Unsupported):
        check(Shape(schema, "x", is_strict), None)
