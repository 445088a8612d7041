"""Grammars as the transformers runtime reads them: the same answers that llama.cpp allows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainerbot.modelserver.runtimes.base import Choice, Shape, Tools
from trainerbot.modelserver.runtimes.grammars import written
from trainerbot.modelserver.runtimes.transformers_runtime.automaton import Grammar, Vocabulary

ANY = Grammar(written(None, Shape({}), None) or "")
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 5},
        "age": {"type": "integer", "minimum": 0},
        "born": {"type": "string", "format": "date"},
        "pets": {"type": "array", "items": {"enum": ["cat", 'a "dog"']}, "maxItems": 2},
    },
    "required": ["name"],
    "additionalProperties": False,
}
TEXTS = st.text(
    st.sampled_from('aZ09 "\\/\n\té\u07ff\u20ac\ud7ff\U0001f34c\U0010ffff{}[],:'), max_size=8
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | TEXTS
    | st.sampled_from([0.5, -1.25, 1e20]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def allows(grammar: Grammar, text: str) -> bool:
    state = grammar.after(grammar.start, text.encode())
    return bool(state) and grammar.may_end(state)


@given(VALUES, st.booleans())
def test_every_json_is_allowed_where_any_is(value, escapes):
    text = json.dumps(value, ensure_ascii=escapes).replace("e+20", "e20")

    assert allows(ANY, text)


@given(VALUES, st.data())
def test_what_is_allowed_is_json(value, data):
    whole = json.dumps(value)
    place = data.draw(st.integers(0, len(whole)))
    other = data.draw(st.sampled_from(["", *'{}[]",:-+.\\0e', " ", "\n"]))
    text = whole[:place] + other + whole[place + 1 :]

    if allows(ANY, text):
        json.loads(text)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('{"name":"Ada"}', True),
        ('{"name": "Ada", "age": 36}', True),
        ('{"name":"Ünï","born":"1815-12-10","pets":["cat", "a \\"dog\\""]}', True),
        ('{"name":"\\u00e9\\n","pets":[]}', True),
        ('{"name":"A"}', False),
        ('{"name":"Ada Lovelace"}', False),
        ('{"name":"Ada","age":-1}', False),
        ('{"name":"Ada","age":036}', False),
        ('{"name":"Ada","born":"1815-13-10"}', False),
        ('{"name":"Ada","pets":["cat","cat","cat"]}', False),
        ('{"age":36}', False),
        ('{"age":36,"name":"Ada"}', False),
        ('{"name":"Ada","more":1}', False),
        ('{"name":"Ada"}\n', False),
        ('{"name":"Ada"', False),
        ('{"name":"A\td"}', False),
    ],
)
def test_an_answer_fits_its_schema_or_is_not_allowed(text, fits):
    grammar = Grammar(written(None, Shape(PERSON, "person"), None) or "")

    assert allows(grammar, text) is fits


def test_half_a_character_may_be_written_but_is_no_end():
    state = ANY.after(ANY.start, '"é'.encode()[:-1])

    assert state
    assert not ANY.after(state, b'"')
    assert ANY.may_end(ANY.after(state, '"é"'.encode()[2:]))


@pytest.mark.parametrize("data", [b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"])
def test_bytes_that_are_no_character_are_not_allowed(data):
    assert not ANY.after(ANY.start, b'"' + data)


def test_a_choice_leaves_nothing_else():
    grammar = Grammar(written(Choice("label", ("yes", "no")), None, None) or "")

    assert allows(grammar, '{"label":"yes"}')
    assert grammar.must_end(grammar.after(grammar.start, b'{"label":"no"}'))
    assert not grammar.after(grammar.start, b'{"label":"maybe')


def test_a_call_has_the_arguments_of_its_function():
    tools = Tools(({"name": "look", "parameters": PERSON},), must_call=True, several=True)
    grammar = Grammar(written(None, None, tools) or "")

    assert allows(grammar, '[{"name": "look", "arguments": {"name":"Ada"}}]')
    assert not grammar.after(grammar.start, b'[{"name": "look", "arguments": {"age"')


def test_a_schema_that_refers_to_itself_may_be_as_deep_as_the_answer():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
    shape = Shape({"$ref": "#/$defs/node", "$defs": {"node": node}})
    grammar = Grammar(written(None, shape, None) or "")

    assert allows(grammar, '{"next":' * 50 + "{}" + "}" * 50)
    assert not allows(grammar, '{"next":' * 50 + "{}" + "}" * 49)


def test_the_tokens_that_may_come_are_those_that_go_on():
    words = [b"{", b'{"', b'{"name', b'{"age', b"}", b"Ada", b"\xc3", b"\xff", b'{"name":"\xc3']
    vocabulary = Vocabulary(dict(enumerate(words)))
    grammar = Grammar(written(None, Shape(PERSON), None) or "")
    in_name = grammar.after(grammar.start, b'{"name":"')

    assert sorted(vocabulary.allowed(grammar, grammar.start)) == [0, 1, 2, 8]
    assert sorted(vocabulary.allowed(grammar, in_name)) == [0, 4, 5, 6]


@given(st.dictionaries(st.binary(min_size=1, max_size=4), st.none()), st.sampled_from(['{"', '"a']))
def test_leaving_out_the_impossible_leaves_out_nothing_else(words, begun):
    tokens = dict(enumerate([*words, *(bytes([n]) for n in range(0, 256, 7)), b'a"', b'a":']))
    state = ANY.after(ANY.start, begun.encode())

    found = set(Vocabulary(tokens).allowed(ANY, state))

    assert found == {token for token, data in tokens.items() if ANY.after(state, data)}
