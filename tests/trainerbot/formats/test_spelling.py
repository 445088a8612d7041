"""One record has one spelling, however it is written."""

import json

from hypothesis import given
from hypothesis import strategies as st

from trainerbot.formats import canonical
from trainerbot.formats.chat import parse_prompt
from trainerbot.formats.glance import glance
from trainerbot.formats.rows import Kind

# What a reader lets in: no NUL, no half of a surrogate pair.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ROLES = st.sampled_from(["system", "user", "assistant", "developer"])
PLAIN = st.fixed_dictionaries(
    {"messages": st.lists(st.fixed_dictionaries({"role": ROLES, "content": TEXT}), min_size=1)}
)


def by_hand(record: object) -> str:
    row = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return row + "\n"


@given(PLAIN)
def test_the_quick_spelling_of_a_plain_row_is_that_of_json(record):
    assert canonical(record) == by_hand(record)


def test_numbers_are_spelled_by_json():
    record = {"messages": [{"role": "user", "content": "x"}], "metadata": {"n": 1e16, "m": 0.1}}
    assert canonical(record) == by_hand(record)
    assert '"n":1e+16' in canonical(record)


def test_keys_come_in_one_order():
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == '{"a":{"c":3,"d":2},"b":1}\n'


@given(PLAIN)
def test_a_glance_at_a_plain_row_sees_what_its_prompt_is(record):
    seen = glance(record, Kind.CHAT)
    asked = parse_prompt(record["messages"])
    assert (seen.question, seen.answer) == (asked.question or "", asked.answer or "")
