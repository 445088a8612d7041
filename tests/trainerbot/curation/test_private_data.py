"""What is private in a text, and how it is masked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainerbot.curation.private_texts import (
    BLOCK,
    DISCORD,
    HARMLESS,
    JWT,
    OPENAI,
    PRIVATE,
)
from trainerbot.curation import find_private, mask, mask_record
from trainerbot.formats.rows import Kind

# What is missed, and said to be: 3 of 77 things. Nothing else may be.
MISSED = (
    "anna at example dot com",
    "0033 1 42 68 53 00 is my phone",
    "the password is swordfish",
)


def found(text: str) -> list[tuple[str, str]]:
    return [
        (str(finding.kind), text[finding.start : finding.end]) for finding in find_private(text)
    ]


def test_all_is_found_but_what_is_known_to_be_missed():
    wrong = [(text, found(text)) for text, wanted in PRIVATE if found(text) != wanted]

    assert wrong == [(text, []) for text in MISSED]


def test_nothing_is_found_in_dates_versions_orders_and_programs():
    assert [(text, found(text)) for text in HARMLESS if found(text)] == []


def test_findings_among_much_other_text_are_found_in_order():
    filler = " ".join(HARMLESS[:20])
    told = [(text, wanted) for text, wanted in PRIVATE if text not in MISSED]
    text = "\n\n".join(f"{one}\n\n{filler}" for one, _ in told)

    assert found(text) == [one for _, wanted in told for one in wanted]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to anna@example.com.", "Write to [e-mail]."),
        ("a@b.io, c@d.org, A@b.io", "[e-mail 1], [e-mail 2], [e-mail 1]"),
        ("Call +7 912 345-67-89 or 8 (912) 345-67-89", "Call [phone 1] or [phone 1]"),
        ("4111 1111 1111 1111", "[card]"),
        ("GB29 NWBK 6016 1331 9268 19", "[IBAN]"),
        ("from 91.198.174.192", "from [IP address]"),
        ("Пароль: Qwerty123", "Пароль: [password]"),
        ("postgres://admin:pa55w0rd@db.example.com/x", "postgres://[login]@db.example.com/x"),
        (f"key {OPENAI} and {DISCORD}", "key [key 1] and [key 2]"),
        ("was [e-mail], now a@b.io", "was [e-mail], now [e-mail 2]"),
        ("[phone 3] but not +44 20 7946 0958", "[phone 3] but not [phone 4]"),
        ("Nothing here.", "Nothing here."),
    ],
)
def test_placeholders_say_what_was_there_and_number_what_is_the_same(text: str, masked: str):
    assert mask(text).text == masked


def test_the_same_value_has_the_same_number_all_over_a_record():
    record = {
        "messages": [
            {"role": "user", "content": "I am anna@example.com, my friend is bob@example.com."},
            {"role": "assistant", "content": [{"type": "text", "text": "Hi, ANNA@example.com!"}]},
        ]
    }

    masked, n_masked = mask_record(record, Kind.CHAT)

    assert n_masked == 3
    assert masked["messages"][0]["content"] == "I am [e-mail 1], my friend is [e-mail 2]."
    assert masked["messages"][1]["content"][0]["text"] == "Hi, [e-mail 1]!"
    assert "anna@example.com" in record["messages"][0]["content"]


def test_arguments_of_tool_calls_stay_json_and_keys_tell_what_values_are():
    given_arguments = {
        "to": ["anna@example.com"],
        "password": "Qwerty123",
        "card": 4111111111111111,
        "phone": "89123456789",
        "text": 'Say "hi" to\nbob@example.com',
        "n_guests": 2,
        "ok": True,
        "carol@example.com": None,
    }
    call = {"id": "call_89123456789", "function": {"name": "a@b.io", "arguments": json.dumps(given_arguments)}}  # fmt: skip
    record = {
        "messages": [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a@b.io", "content": '{"card": 4111111111111111}'},
        ]
    }

    masked, n_masked = mask_record(record, Kind.CHAT)

    walked = masked["messages"][0]["tool_calls"][0]
    assert n_masked == 6
    assert walked["id"] == "call_89123456789"
    assert walked["function"]["name"] == "a@b.io"
    assert json.loads(walked["function"]["arguments"]) == {
        "to": ["[e-mail 1]"],
        "password": "[password]",
        "card": "[card 1]",
        "phone": "[phone]",
        "text": 'Say "hi" to\n[e-mail 2]',
        "n_guests": 2,
        "ok": True,
        "carol@example.com": None,
    }
    assert masked["messages"][1] == {
        "role": "tool", "tool_call_id": "a@b.io", "content": '{"card": "[card 1]"}'
    }  # fmt: skip


def test_json_without_anything_private_keeps_its_spaces():
    record = {"messages": [{"role": "tool", "content": '{ "a" : 1.50, "a": "x@y.io" , "b":2}'}]}
    harmless = {"messages": [{"role": "tool", "content": '{ "a" : 1.50 }'}, {"content": "x@y.io"}]}

    assert mask_record(record, Kind.CHAT)[1] == 1
    assert mask_record(harmless, Kind.CHAT)[0]["messages"][0] == harmless["messages"][0]


def test_prose_in_brackets_and_deep_json_are_masked_like_any_text():
    deep = "[" * 5_000 + '"a@b.io"' + "]" * 5_000
    record = {"messages": [{"content": "[Anna: a@b.io]"}, {"content": deep}]}

    masked, n_masked = mask_record(record, Kind.CHAT)

    assert n_masked == 2
    assert masked["messages"][0]["content"] == "[Anna: [e-mail 1]]"
    assert '"[e-mail 1]"' in masked["messages"][1]["content"]


@pytest.mark.parametrize(
    ("record", "kind", "masked"),
    [
        (
            {"text": "Ask a@b.io", "label": "a@b.io", "name": "a@b.io"},
            Kind.LABELLED,
            {"text": "Ask [e-mail]", "label": "a@b.io", "name": "a@b.io"},
        ),
        (
            {
                "input": {"messages": [{"role": "user", "content": "a@b.io?"}]},
                "preferred_output": [{"role": "assistant", "content": "a@b.io!"}],
                "non_preferred_output": [{"role": "assistant", "content": "c@d.io!"}],
            },
            Kind.PREFERENCE,
            {
                "input": {"messages": [{"role": "user", "content": "[e-mail 1]?"}]},
                "preferred_output": [{"role": "assistant", "content": "[e-mail 1]!"}],
                "non_preferred_output": [{"role": "assistant", "content": "[e-mail 2]!"}],
            },
        ),
        (
            {"prompt": [{"content": "x"}], "completion": [{"content": JWT}], "label": True},
            Kind.UNPAIRED,
            {"prompt": [{"content": "x"}], "completion": [{"content": "[key]"}], "label": True},
        ),
    ],
)
def test_every_kind_of_record_is_masked_where_people_read(
    record: dict[str, Any], kind: Kind, masked: dict[str, Any]
):
    assert mask_record(record, kind)[0] == masked


def test_a_record_without_anything_private_is_returned_itself():
    record = {"messages": [{"role": "user", "content": "When do you open?"}]}

    masked, n_masked = mask_record(record, Kind.CHAT)

    assert masked is record
    assert n_masked == 0


def test_keys_that_run_into_each_other_are_one_finding():
    text = f"{JWT}{BLOCK} and {BLOCK[:50]} {OPENAI}"

    assert [finding.kind for finding in find_private(text)] == ["key", "key"]
    assert mask(text).text == "[key 1] and [key 2]"


def test_masking_goes_on_while_shorter_texts_bring_words_near():
    text = "Fax +49 (0)30 901820 The secret is kindness 123-45-67"

    assert mask(text).text == "Fax [phone] The secret is kindness [phone 2]"


def test_long_texts_full_of_beginnings_are_searched_in_bounded_steps():
    for piece in (
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "a@",
        "password=",
        "://a:",
        "1 ",
        "::",
        "+1 (",
    ):
        assert isinstance(find_private(piece * 3_000), list)


pieces = st.sampled_from(
    [text for text, _ in PRIVATE]
    + [value for _, wanted in PRIVATE for _, value in wanted]
    + [*HARMLESS, BLOCK[:40], "password=", "token: ", "тел. ", "order ", "://", "@", "[e-mail 1]"]
    + ["[phone]", "[", "]", " ", ",", "\n", "+", "1", "555", "-", ".", ":", "a", "я", '"', "{", "}"]
)
joined = st.lists(pieces, max_size=8).flatmap(
    lambda parts: st.sampled_from(["", " ", "\n"]).map(lambda space: space.join(parts))
)


@given(joined | st.text())
def test_masking_hides_every_finding_and_once_is_enough(text: str):
    findings = find_private(text)

    masked = mask(text)

    assert masked.findings == findings
    end = 0
    for finding in findings:
        assert end <= finding.start < finding.end <= len(text)
        end = finding.end
    assert mask(masked.text) == (masked.text, [])


@given(st.lists(joined, min_size=1, max_size=3), st.sampled_from(["content", "parts", "call"]))
def test_a_masked_record_has_nothing_left_to_mask(texts: list[str], place: str):
    def message(text: str) -> dict[str, Any]:
        if place == "content":
            return {"role": "user", "content": text}
        if place == "parts":
            return {"role": "user", "content": [{"type": "text", "text": text}]}
        arguments = json.dumps({"password": text, "to": [text], "n": len(text)})
        return {"role": "assistant", "tool_calls": [{"function": {"arguments": arguments}}]}

    masked, n_masked = mask_record({"messages": [message(text) for text in texts]}, Kind.CHAT)

    assert mask_record(masked, Kind.CHAT) == (masked, 0)
    if place == "call":
        for one in masked["messages"]:
            json.loads(one["tool_calls"][0]["function"]["arguments"])
    elif not any(text.lstrip()[:1] in ("{", "[") for text in texts):
        assert n_masked >= sum(len(find_private(text)) for text in texts)
