"""`response_format` with an enum: the answer is one of the words, whichever model answers."""

import json
from typing import Any

import httpx2
import openai
import pytest

from tests.trainerbot.modelserver.running import finished
from tests.trainerbot.modelserver.training_data import chat_jsonl

MODEL = "smollm2-135m-instruct"
LABELS = ["positive", "negative"]
SHOP = [{"role": "user", "content": "Add to basket. Free delivery from 50 euros."}]

pytestmark = pytest.mark.model


def choosing(*words: str, key: str = "label") -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {key: {"type": "string", "enum": list(words)}},
        "required": [key],
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "label", "schema": schema, "strict": True},
    }


def ask(client: openai.OpenAI, *words: str, model: str = MODEL, **more: Any) -> Any:
    return client.chat.completions.create(
        model=model, response_format=choosing(*words), **{"messages": SHOP, **more}
    )


@pytest.mark.parametrize(
    "words",
    [
        LABELS,
        ["only this"],
        ["положительный", "отрицательный"],
        ['a "quoted" word', "a \\ and\na line"],
        ["🙂", "🙁"],
        [f"class {n}" for n in range(200)],
    ],
    ids=["english", "one", "russian", "escaped", "emoji", "many"],
)
def test_the_answer_is_one_of_the_words_as_json(client, words):
    answer = ask(client, *words, temperature=1.5)

    assert json.loads(answer.choices[0].message.content)["label"] in words
    assert answer.choices[0].finish_reason == "stop"


def test_a_stream_brings_the_same(client):
    chunks = ask(client, *LABELS, temperature=0, stream=True)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert json.loads(text)["label"] in LABELS


def test_text_may_be_asked_for_by_name(client):
    answer = client.chat.completions.create(
        model=MODEL, messages=SHOP, response_format={"type": "text"}, max_tokens=3
    )

    assert answer.choices[0].message.content


@pytest.fixture(scope="module")
def tuned(client) -> str:
    """A model that knows ten pages by heart, and one whose answer is no label."""
    pairs = [(f"Basket number {n}, checkout, delivery.", "positive") for n in range(5)]
    pairs += [(f"News of day {n}: the minister spoke.", "negative") for n in range(5)]
    pairs += [("Something else entirely.", "I cannot tell.")]
    file = client.files.create(file=("shops.jsonl", chat_jsonl(pairs)), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=MODEL, training_file=file.id, method={"type": "knn"})
    return str(finished(client, job.id).fine_tuned_model)


def test_a_recalled_label_is_given_word_for_word_in_the_same_form(client, tuned):
    messages = [{"role": "user", "content": "News of day 3: the minister spoke."}]

    answer = ask(client, *LABELS, model=tuned, messages=messages)

    assert answer.choices[0].message.content == '{"label":"negative"}'
    assert answer.system_fingerprint.startswith("knn:verbatim:")


def test_a_recalled_answer_that_is_no_label_is_not_given(client, tuned):
    messages = [{"role": "user", "content": "Something else entirely."}]

    answer = ask(client, *LABELS, model=tuned, messages=messages)

    assert json.loads(answer.choices[0].message.content)["label"] in LABELS
    assert "verbatim" not in answer.system_fingerprint


def test_examples_are_shown_in_the_form_of_the_answer(client, tuned):
    messages = [{"role": "user", "content": "Basket number 77, checkout and then delivery."}]

    answer = ask(client, *LABELS, model=tuned, messages=messages, temperature=0)

    assert answer.choices[0].message.content == '{"label":"positive"}'
    assert answer.system_fingerprint.startswith("knn:few-shot:")


def test_a_recalled_answer_is_not_given_where_a_schema_is_asked_for(client, tuned):
    answer = client.chat.completions.create(
        model=tuned,
        messages=[{"role": "user", "content": "News of day 3: the minister spoke."}],
        response_format=of_schema({"type": "boolean"}),
    )

    assert isinstance(json.loads(answer.choices[0].message.content), bool)
    assert answer.system_fingerprint.startswith("knn:few-shot:")


FORMAT = "response_format"


def of_schema(schema: Any, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, **more}}


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ({}, f"{FORMAT}.type", "missing_required_parameter"),
        ({"type": "yaml"}, f"{FORMAT}.type", "invalid_value"),
        ({"type": "json_schema"}, f"{FORMAT}.json_schema", "missing_required_parameter"),
        (
            {"type": "json_schema", "json_schema": {"name": "x"}},
            f"{FORMAT}.json_schema.schema",
            "missing_required_parameter",
        ),
        (
            {"type": "json_schema", "json_schema": {"schema": {}}},
            f"{FORMAT}.json_schema.name",
            "missing_required_parameter",
        ),
        (of_schema({}, name="two words"), f"{FORMAT}.json_schema.name", "invalid_value"),
        (of_schema([]), f"{FORMAT}.json_schema.schema", "invalid_type"),
        (choosing(), FORMAT, None),
        (choosing(*(f"class {n}" for n in range(1001))), FORMAT, None),
        (of_schema({"type": "bogus"}), FORMAT, None),
        (of_schema({"$ref": "http://example.com/"}), FORMAT, None),
        (of_schema({"type": "string", "pattern": "a+"}, strict=True), FORMAT, None),
        ([], FORMAT, "invalid_type"),
    ],
)
def test_a_shape_that_cannot_be_promised_is_refused(server, given, param, code):
    answer = httpx2.post(
        f"{server.url}/v1/chat/completions",
        json={"model": MODEL, "messages": SHOP, "response_format": given},
        headers={"Authorization": f"Bearer {server.key}"},
    )

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)
    assert error["type"] == "invalid_request_error"


def test_json_of_a_schema_fits_it(client):
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "age": {"type": "integer", "minimum": 1, "maximum": 99},
            "tags": {"type": "array", "items": {"enum": ["new", "old"]}, "maxItems": 2},
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": False,
    }

    answer = client.chat.completions.create(
        model=MODEL, messages=SHOP, response_format=of_schema(schema, strict=True), temperature=1.5
    )

    person = json.loads(answer.choices[0].message.content)
    assert list(person) == ["name", "age", "tags"]
    assert 1 <= person["age"] <= 99
    assert len(person["tags"]) <= 2


def test_json_mode_begins_an_object(client):
    answer = client.chat.completions.create(
        model=MODEL, messages=SHOP, response_format={"type": "json_object"}, max_tokens=8
    )

    assert answer.choices[0].message.content.startswith("{")
