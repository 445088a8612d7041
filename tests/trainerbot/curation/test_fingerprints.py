"""What a record says, and when two records are one."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainerbot.curation import fingerprint, text_of, wording_of
from trainerbot.formats.rows import Kind


def a_chat(*contents: str, role: str = "user") -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for content in contents]}


def a_preference(chosen: str, rejected: str) -> dict[str, Any]:
    return {
        "input": a_chat("Say hello."),
        "preferred_output": [{"role": "assistant", "content": chosen}],
        "non_preferred_output": [{"role": "assistant", "content": rejected}],
    }


def an_unpaired(*, label: bool) -> dict[str, Any]:
    answer = [{"role": "assistant", "content": "Hello."}]
    return {"prompt": a_chat("Say hello.")["messages"], "completion": answer, "label": label}


def a_call(arguments: str, *, call_id: str = "call_1") -> dict[str, Any]:
    call = {"id": call_id, "type": "function", "function": {"name": "book", "arguments": arguments}}
    return {"messages": [{"role": "assistant", "content": None, "tool_calls": [call]}]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When do you open?", "  WHEN do\tyou\nopen? "),
        ("Straße", "STRASSE"),
        ("ﬁve rooms", "five rooms"),
        ("Good\u00a0day", "GOOD day"),
        ("Cafe\u0301", "Café"),
    ],
)
def test_records_that_differ_only_in_typing_are_one(one: str, other: str):
    assert fingerprint(a_chat(one), Kind.CHAT) == fingerprint(a_chat(other), Kind.CHAT)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (a_chat("a", "b"), a_chat("ab"), Kind.CHAT),
        (a_chat("a", "b"), a_chat("b", "a"), Kind.CHAT),
        (a_chat("a"), a_chat("a", role="assistant"), Kind.CHAT),
        (a_chat("a"), a_chat("a") | {"tools": [{"type": "function"}]}, Kind.CHAT),
        (a_chat("Room 3"), a_chat("Room 4"), Kind.CHAT),
        (a_call('{"day": 1}'), a_call('{"day": 2}'), Kind.CHAT),
        (a_preference("a", "b"), a_preference("b", "a"), Kind.PREFERENCE),
        (an_unpaired(label=True), an_unpaired(label=False), Kind.UNPAIRED),
        ({"text": "a", "label": "x"}, {"text": "a", "label": "y"}, Kind.LABELLED),
    ],
)
def test_records_that_teach_something_else_are_two(
    one: dict[str, Any], other: dict[str, Any], kind: Kind
):
    assert fingerprint(one, kind) != fingerprint(other, kind)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (a_chat("a"), a_chat("a") | {"metadata": {"source": "web"}}, Kind.CHAT),
        (a_call('{"day": 1}'), a_call('{ "day":1 }', call_id="call_2"), Kind.CHAT),
        ({"text": "a", "label": "x"}, {"label": "x", "text": "A", "name": "1.txt"}, Kind.LABELLED),
    ],
)
def test_what_is_not_taught_does_not_count(one: dict[str, Any], other: dict[str, Any], kind: Kind):
    assert fingerprint(one, kind) == fingerprint(other, kind)


def test_a_fingerprint_is_the_same_on_every_machine():
    record = a_chat("When do you open? Когда вы открыты?")

    assert fingerprint(record, Kind.CHAT) == 9104035513189563090
    assert (
        fingerprint({"text": "A shop.", "label": "positive"}, Kind.LABELLED) == 304041535459670055
    )


def test_everything_that_people_read_is_found_but_no_role_key_or_id():
    call = a_call('{"guest": "Anna", "nights": [2, true], "note": null}')["messages"]
    parts = [{"type": "text", "text": "A text part."}, {"type": "image_url", "image_url": {}}]
    record = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": parts},
            *call,
            {"role": "assistant", "content": None, "refusal": "I may not."},
        ]
    }

    assert text_of(record, Kind.CHAT).split("\n") == [
        "Be brief.", "A text part.", "book", "Anna", "2", "true", "I may not."
    ]  # fmt: skip


def test_every_kind_has_its_text():
    assert text_of(a_preference("Hello!", "Go."), Kind.PREFERENCE) == "Say hello.\nHello!\nGo."
    assert text_of(an_unpaired(label=True), Kind.UNPAIRED) == "Say hello.\nHello."
    assert text_of({"text": "A shop.", "label": "x", "name": "n"}, Kind.LABELLED) == "A shop."


def test_duplicates_are_not_judged_by_the_instructions_they_share():
    record = {"messages": [{"role": "system", "content": "Be brief."}, *a_chat("Hi")["messages"]]}

    assert wording_of(record, Kind.CHAT) == "Hi"


def test_arguments_that_are_no_json_are_read_as_they_are():
    assert text_of(a_call("{broken"), Kind.CHAT) == "book\n{broken"


def test_arguments_may_nest_deeper_than_the_stack():
    deep = "[" * 100_000 + "]" * 100_000

    assert text_of(a_call(deep), Kind.CHAT)
    assert fingerprint(a_call(deep), Kind.CHAT)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["messages", "role", "content", "text", "label", "input", "prompt", "completion",
             "tool_calls", "function", "arguments", "preferred_output", "refusal"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["messages", "text", "input"]), json_values), st.sampled_from(Kind))  # fmt: skip
def test_no_record_is_too_broken_to_be_read(record: dict[str, Any], kind: Kind):
    number = fingerprint(record, kind)

    assert -(2**63) <= number < 2**63
    assert isinstance(text_of(record, kind), str)
    assert fingerprint(dict(reversed(record.items())), kind) == number


@given(st.text(), st.sampled_from([" ", "\n", "\t ", "\u00a0"]))
def test_white_space_and_case_never_tell_records_apart(text: str, space: str):
    spaced = space + text.replace(" ", space + " ") + space

    assert fingerprint(a_chat(spaced), Kind.CHAT) == fingerprint(a_chat(text), Kind.CHAT)
    assert fingerprint(a_chat(text.casefold()), Kind.CHAT) == fingerprint(a_chat(text), Kind.CHAT)


def test_importing_the_room_loads_nothing_heavy():
    heavy = ["numpy", "sklearn", "phonenumbers", "stdnum", "django"]
    code = (
        "import json, sys, trainerbot.curation;"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert json.loads(loaded.stdout) == []
