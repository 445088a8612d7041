"""Words and shapes on a picture: where they are, how they end, which way they run."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.trainerbot.pictures.png import columns, pixels
from trainerbot.pictures import Canvas, Style, cut, lettering, width, wrap

STYLE = Style(24)
INK = "#000000"


def written(line: str, *, align: str = "left", x: int = 10) -> bytes:
    canvas = Canvas(600, 60, background="#ffffff")
    canvas.text(x, 40, line, STYLE, INK, align=align)
    return canvas.png()


def letters(line: str) -> str:
    """From left to right, as they are drawn."""
    from_right = lettering.runs_right(line)
    return "".join(run for _, run in lettering.visual(line, STYLE, from_right=from_right))


def test_a_picture_is_a_sound_png_of_its_colours():
    canvas = Canvas(40, 20, background="#102030")
    canvas.box(10, 5, 20, 10, "#ff0000")

    found = pixels(canvas.png())

    assert found.shape == (20, 40, 3)
    assert tuple(found[0, 0]) == (0x10, 0x20, 0x30)
    assert tuple(found[10, 20]) == (255, 0, 0)
    assert (found == (255, 0, 0)).all(axis=2).sum() == 200


def test_a_rounded_box_leaves_its_corners():
    canvas = Canvas(40, 40, background="#ffffff")
    canvas.box(0, 0, 40, 40, INK, radius=20)

    found = pixels(canvas.png())

    assert tuple(found[0, 0]) == (255, 255, 255)
    assert tuple(found[20, 20]) == (0, 0, 0)
    # Pi r squared, of 1600 pixels.
    assert (255 - found[..., 0].astype(float)).sum() / 255 == pytest.approx(1256.6, rel=0.01)


def test_a_line_is_as_wide_as_it_was_measured():
    line = "Taught once, given 14 times"

    inked = columns(written(line))

    assert inked.min() >= 10
    assert inked.max() - 10 == pytest.approx(width(line, STYLE), abs=3)


def test_a_line_may_end_at_a_place():
    inked = columns(written("to the right", align="right", x=590))

    assert inked.max() == pytest.approx(590, abs=3)


@pytest.mark.parametrize("word", ["Iil", "Щука", "éßÅ", "ελ", "שלום", "سلام", "ქართ", "🎉❤👍"])
def test_letters_of_many_scripts_and_emoji_are_drawn(word):
    assert lettering.UNKNOWN not in letters(word)
    assert columns(written(word)).size > 5


def test_what_no_font_has_is_a_sign():
    assert letters("中文 and 中") == "▯▯ and ▯"
    assert written("中") == written("文")


def test_what_has_no_shape_takes_no_place():
    plain = written("👍 ok")

    assert written("👍🏽 o\u200bk\ufe0f\x00") == plain
    assert width("\u200d\u202e\x07", STYLE) == 0


def test_a_long_line_ends_in_an_ellipsis_within_its_width():
    for text in ("many words " * 500, "x" * 4_000, "слово " * 90, "🎉" * 300):
        shown = cut(text, STYLE, 300)

        assert shown.endswith("…")
        assert width(shown, STYLE) <= 300
    assert cut("short", STYLE, 300) == "short"


def test_a_paragraph_breaks_at_spaces_and_says_that_there_is_more():
    text = "The library opens at nine. " * 30

    lines = wrap(text, STYLE, 300, n_lines=3)

    assert len(lines) == 3
    assert all(width(line, STYLE) <= 300 for line in lines)
    assert text.startswith(" ".join(lines[:2]))
    assert lines[2].endswith("…")
    assert wrap("Two words", STYLE, 300, n_lines=3) == ["Two words"]
    assert wrap(" \n ", STYLE, 300, n_lines=3) == []


def test_a_word_longer_than_the_line_goes_on_in_the_next():
    lines = wrap("y" * 60, STYLE, 200, n_lines=9)

    assert "".join(lines) == "y" * 60
    assert all(width(line, STYLE) <= 200 for line in lines)


@pytest.mark.parametrize(
    ("logical", "shown"),
    [
        ("hello", "hello"),
        ("אבג", "גבא"),
        ("אבג 123 דה", "הד 123 גבא"),
        ("אב (12) cd", "cd (12) בא"),
        ("אב 12:30", "12:30 בא"),
        ("say אב גד now", "say דג בא now"),
        ("אב!", "!בא"),
    ],
)
def test_hebrew_runs_from_the_right_and_numbers_and_latin_within_it_do_not(logical, shown):
    assert letters(logical) == shown


@pytest.mark.parametrize(("bare", "marked"), [("של", "שׁל"), ("سلم", "سَلم"), ("xo", "x\u0323o")])
def test_a_mark_is_drawn_over_its_own_letter(bare, marked):
    without, drawn = pixels(written(bare)), pixels(written(marked))

    changed = (without != drawn).any(axis=(0, 2)).nonzero()[0]

    assert width(marked, STYLE) == width(bare, STYLE)
    first, end = columns(written(bare)).min(), columns(written(bare)).max()
    middle = (first + end) / 2
    # The first letter: on the right where words run from there.
    assert changed.size
    assert (changed.mean() > middle) == lettering.runs_right(bare)
    assert first - 3 <= changed.min() <= changed.max() <= end + 3


def test_arabic_letters_take_the_form_of_their_place():
    forms = [unicodedata.name(each).split()[-2:] for each in reversed(letters("سلم"))]

    assert [" ".join(each) for each in forms] == ["INITIAL FORM", "MEDIAL FORM", "FINAL FORM"]
    assert letters("لا") == "\ufefb"
    assert letters("باب") == "\ufe8f\ufe8e\ufe91"
    assert lettering.UNKNOWN not in letters("الله")


def test_a_non_joiner_parts_arabic_letters_and_takes_no_place():
    assert unicodedata.name(letters("بی\u200cسر")[-2]).endswith("FINAL FORM")
    assert unicodedata.name(letters("بیسر")[-2]).endswith("MEDIAL FORM")


def test_what_runs_from_the_right_begins_on_the_right():
    canvas = Canvas(600, 60, background="#ffffff")
    canvas.paragraph(50, 40, ["שלום"], STYLE, INK, width=500)

    inked = columns(canvas.png())

    assert inked.max() == pytest.approx(550, abs=4)
    assert inked.min() > 450


def test_what_lies_outside_of_a_picture_is_left_out():
    canvas = Canvas(50, 20, background="#ffffff")
    canvas.text(-20, 200, "far below", STYLE, INK)
    canvas.text(40, 18, "beyond the edge", STYLE, INK)
    canvas.box(45, 15, 400, 400, INK, radius=5)

    assert pixels(canvas.png()).shape == (20, 50, 3)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\ud800\udfff", "\x00\x1b\u2029\x1c", "\u202e\u2066אב\u2069", "\u200d\u200c", "\uffff",
     "e" + "\u0301\u0323" * 50_000, "م" * 100_000, "א(1" * 33_000, "\U0010ffff" * 9, "ﷺ" * 100_000],
    ids=lambda text: ascii(text[:4]),
)  # fmt: skip
def test_whatever_is_written_is_drawn_within_its_room(text):
    lines = wrap(text, STYLE, 300, n_lines=2)
    canvas = Canvas(600, 60, background="#ffffff")
    canvas.paragraph(50, 25, lines, STYLE, INK, width=300)
    canvas.text(0, 50, text, STYLE, INK)

    assert len(lines) <= 2
    assert all(width(line, STYLE) <= 300 for line in [*lines, cut(text, STYLE, 300)])


def test_threads_draw_the_same():
    words = ["Taught once", "Щука", "שלום", "🎉❤👍"] * 4

    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(written, words))

    assert drawn == [written(each) for each in words]
