# ruff: noqa: RUF001 (signs that look like letters)
"""Text made fit to be heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainerbot.speech.speakable import speakable


@pytest.mark.origin(48)
@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "**Bold**, *slanted*, __under__, ~~gone~~ ||hidden||",
            "Bold, slanted, under, gone hidden",
        ),
        ("# Title\nText", "Title. Text"),
        ("- one\n- two\n* [x] done", "one. two. done"),
        ("> quoted\n-# small", "quoted. small"),
        ("1. first\n2. second", "1. first. 2. second"),
        ("See [the docs](https://example.org/a_(b)) now", "See the docs now"),
        ("Look: https://example.org/x?y=z. Done", "Look: Done"),
        ("Mail (https://example.org) me", "Mail me"),
        ("Hi <@123> and <@!4> in <#5>, role <@&6> <:cat:7> <a:cat:8> <t:1:R>", "Hi and in, role"),
        ("Use </join:123>!", "Use join!"),
        ("Use `print` here", "Use print here"),
        ("Before\n```py\nprint('x')\n```\nafter", "Before. after"),
        ("Cut ```py\nprint(", "Cut"),
        ("a | b\n--- | ---\n1 | 2", "a | b. 1 | 2"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b. 1, 2"),
        ("snake_case and 3*4 and 2**3", "snake case and 3*4 and 2**3"),
        ("Nice 😀👍🏽 day 🇩🇪 :smile:", "Nice day"),
        ("ℹ️ Note ▶️ go ↔ back Ⓜ️ ㊙ 〰 ■ end", "Note go back end"),
        ("Acme™ and Acme®'s, © 2026‼️ Why⁉", "Acme and Acme's, © 2026!! Why!?"),
        ("At 12:30:45 it is 20 °C, 5 < 6", "At 12:30:45 it is 20 °C, 5 < 6"),
        ("<b>Bold</b><br>text", "Bold text"),
        ("Привет, **мир**!", "Привет, мир!"),
        (r"\*literal\*", "*literal*"),
        ("line one\nline two.\n\nline three", "line one. line two. line three"),
    ],
)
def test_marks_of_writing_are_not_read_aloud(written, said):
    assert speakable(written) == said


@pytest.mark.origin(48)
@pytest.mark.parametrize(
    "written",
    [
        "",
        "   \n",
        "😀🎉",
        "ℹ️",
        "ℹ️ ™",
        "```\ncode\n```",
        "***",
        "---",
        "<@1>",
        "https://a.b/c",
        "?!…",
    ],
)
def test_nothing_is_said_where_nothing_is_left(written):
    assert speakable(written) == ""


@pytest.mark.origin(48)
def test_a_long_text_is_cut_at_the_end_of_a_sentence():
    assert speakable("One two three. " * 20, most_characters=50) == " ".join(["One two three."] * 3)


def test_a_sentence_that_is_too_long_is_cut_between_words():
    said = speakable("word " * 100, most_characters=22)

    assert said == "word word word word…"


@given(st.text(st.sampled_from("aя. *_`|~>#-[]()<@:1😀\n\\/h"), max_size=60))
def test_whatever_is_written_comes_out_on_one_line_and_clean(text):
    said = speakable(text)

    assert "\n" not in said
    assert "```" not in said
    assert said == "" or any(map(str.isalnum, said))
    assert len(speakable(text, most_characters=10)) <= 11
