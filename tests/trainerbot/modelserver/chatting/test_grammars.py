"""JSON schemas and calls as grammars: what is refused, and by which name."""

import pytest

from trainerbot.modelserver.runtimes.base import Choice, Shape, Tools, Unsupported
from trainerbot.modelserver.runtimes.grammars import check, written


def of(schema, *, is_strict=False):
    return written(None, Shape(schema, "person", is_strict), None)


def test_no_wish_needs_no_grammar():
    assert written(None, None, None) is None
    assert written(None, None, Tools(({"name": "look"},))) is None


def test_a_choice_is_its_answers_and_nothing_else():
    choice = Choice("label", ("yes", 'a "no"'))

    root = written(choice, None, None).splitlines()[0]

    assert root == r'root ::= "{\"label\":\"yes\"}" | "{\"label\":\"a \\\"no\\\"\"}"'


def test_properties_come_in_their_order_and_the_optional_may_be_missing():
    grammar = of(
        {
            "properties": {"a": {"type": "null"}, "b": {"type": "boolean"}},
            "required": ["b"],
        }
    )

    assert r'"\"a\"" ":" space null' in grammar
    assert r'"\"b\"" ":" space boolean' in grammar
    assert ")?" in grammar


def test_a_schema_may_refer_to_itself():
    grammar = of(
        {
            "$ref": "#/$defs/node",
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                }
            },
        }
    )

    assert grammar.startswith("root ::= ref0")


def test_a_narrow_range_of_integers_is_counted_out():
    assert '"3" | "4" | "5"' in of({"type": "integer", "exclusiveMinimum": 2, "maximum": 5})


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "bogus"}, '"bogus" is not a type'),
        ({"type": "object", "properties": []}, "'properties' must be an object"),
        ({"type": "object", "required": "name"}, "'required' must be an array of strings"),
        ({"properties": {"a": 5}}, r"context=\('properties', 'a'\), a schema must be an object"),
        ({"enum": []}, "'enum' must be an array of at least one value"),
        ({"anyOf": {}}, "'anyOf' must be an array"),
        ({"allOf": [{}, {}]}, "'allOf' is not permitted"),
        ({"$ref": "#/$defs/x"}, "was not found"),
        ({"$ref": "http://example.com"}, "must begin with '#'"),
        ({"$ref": 5}, "must begin with '#'"),
        ({"type": "string", "maxLength": 10**9}, "must be at most 1000"),
        ({"type": "string", "minLength": -1}, "must be a number of 0 or more"),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "'minItems' is above 'maxItems'"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "no integer lies"),
        ({"type": "integer", "minimum": 0.5}, "'minimum' must be an integer"),
        ({"const": "x" * 130_000}, "it is too large"),
    ],
)
def test_what_is_no_schema_is_refused_in_openais_words(schema, reason):
    with pytest.raises(Unsupported, match=reason) as caught:
        of(schema)
    assert str(caught.value).startswith("Invalid schema for response_format 'person': In context=")
    assert (caught.value.param, caught.value.code) == ("response_format", None)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "a+"},
        {"type": "string", "format": "email"},
        {"type": "number", "minimum": 3},
        {"type": "integer", "minimum": 3},
        {"type": "array", "uniqueItems": True},
        {"not": {}},
        {"type": "object", "patternProperties": {}},
    ],
)
def test_a_keyword_that_no_grammar_keeps_is_refused_in_strict_mode_only(schema):
    of(schema)

    with pytest.raises(Unsupported, match="is not permitted"):
        of(schema, is_strict=True)


def test_a_schema_nested_without_end_is_refused():
    schema: dict = {"type": "null"}
    for _ in range(100):
        schema = {"type": "array", "items": schema}

    with pytest.raises(Unsupported, match="nested more than"):
        of(schema)


def test_a_call_is_written_with_the_arguments_of_its_function():
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = Tools(({"name": "weather", "parameters": city},), must_call=True, several=False)

    grammar = written(None, None, tools)

    assert grammar.startswith("root ::= call\n")
    assert r'"{\"name\": \"weather\", \"arguments\": "' in grammar


def test_bad_parameters_are_refused_by_the_name_of_their_function():
    with pytest.raises(Unsupported, match="Invalid schema for function 'look'") as caught:
        check(None, Tools(({"name": "look", "parameters": {"type": "bogus"}},)))
    assert caught.value.param == "tools[0].function.parameters"
    assert caught.value.code == "invalid_function_parameters"
