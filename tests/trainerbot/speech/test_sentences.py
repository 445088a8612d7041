# ruff: noqa: RUF001 (Russian words are written in Cyrillic letters)
"""Whole sentences out of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainerbot.speech.sentences import Sentences


def cut(text: str, size: int = 3) -> list[str]:
    """The sentences of `text` when it comes in pieces of `size` characters."""
    sentences = Sentences()
    found = [s for at in range(0, len(text), size) for s in sentences.feed(text[at : at + size])]
    rest = sentences.rest()
    return [*found, rest] if rest else found


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    "sentences",
    [
        ["Hello there.", "How are you?", "Fine!"],
        ["Pi is 3.14 today.", "Version 2.0.1 is out."],
        ["Ask Dr. Smith, e.g. on p. 5 of vol. 2.", "He knows."],
        ["He said no.", "Then he left."],
        ["Apples, pears etc. are fruit.", "Apples etc.", "All fruit."],
        ["А. С. Пушкин родился в 1799 г. в Москве.", "Это было давно."],
        ["Т.е. так и т.д.", "Потом иначе."],
        ["Really?!", '"Yes."', "(So it is.)", "Well..."],
        ["中文。", "很好！", "是吗？"],
        ["A title", "- one", "- two", "Then text."],
        ["Look:", "```py\nx = 'a. B'\n\nprint(x)\n```", "That is it."],
    ],
)
def test_a_stream_is_cut_where_sentences_end(sentences, size):
    gap = "\n" if "A title" in sentences or "Look:" in sentences else " "

    assert cut(gap.join(sentences), size) == sentences


def test_a_sentence_comes_as_soon_as_the_next_word_begins():
    sentences = Sentences()

    assert sentences.feed("It is done.") == []
    assert sentences.feed(" Now") == ["It is done."]
    assert sentences.feed(" what? ") == ["Now what?"]
    assert sentences.rest() == ""


def test_a_block_of_code_that_never_ends_is_left_to_the_rest():
    sentences = Sentences()

    assert sentences.feed("See. ```py\nprint(1). X\n\nmore. Y ") == ["See."]
    assert sentences.rest() == "```py\nprint(1). X\n\nmore. Y"
    assert sentences.rest() == ""


def test_what_never_ends_is_given_with_a_pause_all_the_same():
    found = cut("some words, and " * 100)

    assert all(len(each) <= 300 and each.endswith(",") for each in found[:-1])
    assert len(cut("x" * 1000)) == 4


@given(
    st.text(st.sampled_from("aБ1.!? \n`,г"), max_size=80),
    st.integers(min_value=1, max_value=9),
)
def test_no_character_is_lost_and_pieces_do_not_matter(text, size):
    found = cut(text, size)

    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(each == each.strip() and each for each in found)
