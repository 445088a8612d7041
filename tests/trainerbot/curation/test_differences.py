"""What changed between two texts."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trainerbot.curation import Change, differences

SAME, REMOVED, ADDED = Change.SAME, Change.REMOVED, Change.ADDED


def test_changed_words_are_shown_among_those_that_stayed():
    assert differences("We open at nine today.", "We open at ten today.") == [
        (SAME, "We open at"),
        (REMOVED, " nine"),
        (ADDED, " ten"),
        (SAME, " today."),
    ]


def test_a_text_that_goes_on_has_lost_nothing():
    assert differences("Привет", "Привет, мир") == [(SAME, "Привет"), (ADDED, ", мир")]


def test_equal_texts_are_one_piece_and_empty_ones_none():
    assert differences("a b", "a b") == [(SAME, "a b")]
    assert differences("", "") == []
    assert differences("", "new") == [(ADDED, "new")]


def test_long_texts_are_compared_by_line_and_then_by_word():
    lines = [f"Line {number} of the long text says this.\n" for number in range(1000)]
    changed = [*lines[:500], "Line 500 of the long text says that.\n", *lines[501:]]

    found = differences("".join(lines), "".join(changed))

    assert found[1:3] == [(REMOVED, " this"), (ADDED, " that")]
    assert [piece.change for piece in found] == [SAME, REMOVED, ADDED, SAME]


def test_texts_with_nothing_in_common_are_not_searched_for_long():
    before = " ".join(f"a{number % 7}" for number in range(100_000))
    after = " ".join(f"b{number % 7}" for number in range(100_000))

    assert differences(before, after) == [(REMOVED, before), (ADDED, after)]


texts = st.text(st.sampled_from("ab,. \n\tя\u2028"), max_size=60)


@given(texts, texts)
def test_the_pieces_joined_are_the_texts(before: str, after: str):
    found = differences(before, after)

    assert "".join(piece.text for piece in found if piece.change is not ADDED) == before
    assert "".join(piece.text for piece in found if piece.change is not REMOVED) == after
    assert all(piece.text for piece in found)
    assert all(one.change is not other.change for one, other in pairwise(found))


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(before: str, after: str):
    found = differences(before, after)

    assert "".join(piece.text for piece in found if piece.change is not ADDED) == before
    assert "".join(piece.text for piece in found if piece.change is not REMOVED) == after
