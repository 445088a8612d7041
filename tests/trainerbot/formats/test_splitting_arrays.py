"""JSON arrays, cut into elements in bounded memory."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainerbot.formats.jsonl import MAX_LINE_BYTES, Line
from trainerbot.formats.report import Problem
from trainerbot.formats.sources import splitting

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Dripping(io.BytesIO):
    """A file that gives three bytes at a time, so that every cut falls everywhere."""

    def read(self, n_bytes: int | None = -1) -> bytes:
        return super().read(3)


@given(st.lists(VALUES, min_size=1, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_the_elements_of_an_array_are_what_it_was_made_of(values, indent, ascii_only):
    content = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    )

    cut = list(splitting.split_array(Dripping(content)))

    assert [line.number for line in cut if isinstance(line, Line)] == list(
        range(1, len(values) + 1)
    )
    assert [json.loads(line.raw) for line in cut if isinstance(line, Line)] == values


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",\\a: \n', max_size=60).map(str.encode))
def test_no_bytes_are_too_odd_to_be_cut(content):
    for split in (splitting.split_array, splitting.split_values):
        assert list(split(Dripping(content))) == list(split(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("content", "numbers", "code"),
    [
        (b'[{"a": 1}, {"a": 2}', [1, 2], "invalid_json"),
        (b'[{"a": 1}, {"a": "2', [1], "invalid_json"),
        (b'[{"a": 1},]', [1], "invalid_json"),
        (b"[1] and more", [1], "invalid_json"),
        (b"[]", [], "empty_file"),
    ],
)
def test_an_array_that_breaks_off_gives_what_it_held_before(content, numbers, code):
    cut = list(splitting.split_array(io.BytesIO(content)))

    assert [line.number for line in cut if isinstance(line, Line)] == numbers[: len(cut) - 1]
    assert [each.code for each in cut if isinstance(each, Problem)] == [code]


def test_an_endless_element_is_passed_over(tmp_path):
    content = b'[1, "' + b"x" * (MAX_LINE_BYTES + 1) + b'", 3]'

    first, second, third = splitting.split_array(io.BytesIO(content))

    assert (first, third) == (Line(1, b"1"), Line(3, b"3"))
    assert isinstance(second, Problem)
    assert (second.line, second.code) == (2, "line_too_long")


def test_brackets_without_end_are_not_read_to_theirs():
    (problem,) = splitting.split_array(io.BytesIO(b"[" * 5_000_000))

    assert isinstance(problem, Problem)
    assert problem.code == "too_deep"
