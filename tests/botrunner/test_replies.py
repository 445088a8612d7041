import random
import re

import pytest

from botrunner.replies import FENCE, close_fence, split, width

WORDS = ["word ", "a", "\n", "\n\n", "🙂", "e\u0301", "👩\u200d🚀", "  ", "\u202e rtl "]
BLOCKS = ["```py\n", "```\n"]


def made_up_text(seed: int, atoms: list[str]) -> str:
    chance = random.Random(seed)
    chosen = chance.choices(atoms, k=chance.randrange(900))
    return "".join(atom * chance.choice((1, 1, 1, 3, 40)) for atom in chosen)


def words_of(text: str) -> str:
    """What a reader keeps: everything but white space, fences and the language of a block."""
    return re.sub(r"[\s`py]", "", text)


def is_open(text: str) -> bool:
    return text.count(FENCE) % 2 == 1


@pytest.mark.parametrize("seed", range(60))
def test_any_text_is_cut_into_messages_that_discord_takes(seed):
    parts = split(made_up_text(seed, WORDS + BLOCKS + ["`", FENCE]), limit=200)

    assert all(0 < width(part) <= 200 for part in parts)
    assert all(part.strip() for part in parts)


@pytest.mark.parametrize("seed", range(60))
def test_any_text_keeps_all_its_words_in_order(seed):
    text = made_up_text(seed, WORDS + BLOCKS)

    assert words_of("".join(split(text, limit=200))) == words_of(text)


@pytest.mark.parametrize("seed", range(60))
def test_no_message_leaves_a_code_block_open(seed):
    assert not any(
        is_open(part)
        for part in split(made_up_text(seed, WORDS + BLOCKS + ["`", FENCE]), limit=200)
    )


def test_a_short_answer_is_one_message():
    assert split("Hello.") == ["Hello."]


@pytest.mark.parametrize("blank", ["", "  ", "\n\n\n"])
def test_nothing_is_no_message(blank):
    assert split(blank) == []


def test_a_long_answer_is_cut_at_line_ends():
    first, second = "a" * 1500, "b" * 1500

    assert split(f"{first}\n{second}") == [f"{first}\n", second]


def test_a_line_without_end_is_cut_between_words():
    parts = split("word " * 1000)

    assert all(part.endswith("word ") for part in parts)


def test_emoji_count_twice_and_are_never_torn():
    parts = split("👩\u200d🚀" * 900)

    assert all(width(part) <= 2000 for part in parts)
    assert set("".join(parts).split("👩\u200d🚀")) == {""}
    assert all(part.startswith("👩") and part.endswith("🚀") for part in parts)


def test_a_code_block_that_fits_moves_to_the_next_message_whole():
    block = "```py\n" + "x = 1\n" * 200 + "```"

    assert split("before " * 200 + "\n" + block) == ["before " * 200 + "\n", block]


def test_a_code_block_too_long_for_one_message_goes_on_in_the_next_with_its_language():
    text = "```py\n" + "x = 1\n" * 600 + "```"

    first, second = split(text)

    assert first.endswith("\n```")
    assert second.startswith("```py\nx = 1\n")
    assert "".join([first[:-3], second[6:]]) == text


def test_a_block_is_not_opened_just_to_show_nothing():
    text = "w" * 1985 + "\n```py\n" + "x = 1\n" * 600 + "```"

    assert split(text)[0] == "w" * 1985 + "\n"


def test_an_open_block_is_closed_on_a_line_of_its_own():
    assert close_fence("```py\nx = 1") == "```py\nx = 1\n```"
    assert close_fence("```py\nx = 1\n") == "```py\nx = 1\n```"
    assert close_fence("all `closed`") == "all `closed`"


def test_a_last_short_line_is_never_torn():
    mark = "-# corrected · #1"

    parts = split("a" * 1990 + "\n" + mark)

    assert parts == ["a" * 1990 + "\n", mark]
