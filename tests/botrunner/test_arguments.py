"""The words behind a command: datasets' names, pasted examples, flags, and whatever people type."""

import pytest
from discord.ext import commands
from hypothesis import given
from hypothesis import strategies as st

from botrunner import arguments
from botrunner.arguments import Lesson
from botrunner.quoting import in_a_line
from botrunner.replies import width

pytestmark = pytest.mark.origin(10)
PIECES = [*"ab =:`\"'{}[]<>@#*_~|\n", "positive=", "false", "```", "\u200b", "\u202e", "🎉"]
ODD = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
ANYTHING = st.one_of(st.text(max_size=200), ODD)


@pytest.mark.parametrize(
    ("words", "name", "positive"),
    [
        ("", "", None),
        ("positive=True", "", True),
        ("positive=False", "", False),
        ("Positive = no", "", False),
        ("positive:false", "", False),
        ("false", "", False),
        ("True", "", True),
        ("rooms", "rooms", None),
        ("rooms false", "rooms", False),
        ("rooms positive=False", "rooms", False),
        ("positive=False rooms", "rooms", False),
        ('"my rooms" positive=False', "my rooms", False),
        ("“my rooms” false", "my rooms", False),
        ("data=rooms positive=false", "rooms", False),
        ("data_dir = rooms", "rooms", None),
        ("`rooms`", "rooms", None),
        ('"false"', "false", None),
        ("/etc/passwd", "/etc/passwd", None),
    ],
)
def test_a_name_and_a_flag_are_found_in_any_order(words, name, positive):
    found = arguments.lesson(words)

    assert (found.text, found.positive) == (name, positive)


@pytest.mark.parametrize(
    "words", ["positive=perhaps", "rooms positive=", "positive=2 rooms", "rooms positive=tru"]
)
def test_a_flag_that_is_none_gives_the_usage(words):
    with pytest.raises(commands.UserInputError):
        arguments.lesson(words)


@pytest.mark.parametrize(
    ("positive", "label"), [(None, "positive"), (True, "positive"), (False, "negative")]
)
def test_the_label_is_positive_unless_somebody_says_otherwise(positive, label):
    assert Lesson(positive=positive).label == label


@pytest.mark.parametrize(
    ("words", "text", "positive"),
    [
        ('{"text": "a b"}', '{"text": "a b"}', None),
        ('{"text": "positive=False"} true', '{"text": "positive=False"}', True),
        ('```json\n{"text": "a"}\n```', '{"text": "a"}', None),
        ('```\n{"text": "a"}\n``` positive=False', '{"text": "a"}', False),
        ("```a single line``` false", "a single line", False),
        ("Add to basket and pay by card today", "Add to basket and pay by card today", None),
        ("What he told them all was quite true", "What he told them all was quite true", None),
    ],
)
def test_what_is_pasted_is_no_name(words, text, positive):
    found = arguments.lesson(words)

    assert (found.text, found.is_name, found.positive) == (text, False, positive)


def test_a_slash_command_names_its_options_itself():
    assert arguments.lesson("", folder=" 'rooms' ", positive=False) == Lesson("rooms", True, False)
    with pytest.raises(commands.UserInputError):
        arguments.lesson("rooms", folder="houses")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("rooms", ("rooms", None)),
        ("My rooms", ("My rooms", None)),
        ('"My rooms" positive=False', ("My rooms", False)),
        ("shops Positive = yes", ("shops", True)),
        ("positive", ("positive", None)),
    ],
)
def test_the_words_of_an_import_are_a_name_and_perhaps_a_flag(words, found):
    assert arguments.name_and_flag(words) == found


@pytest.mark.parametrize("words", ["", "positive=True", "''", "false"])
def test_an_import_needs_a_name(words):
    with pytest.raises(commands.UserInputError):
        arguments.name_and_flag(words)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("small", ("small", False)),
        ("small everywhere", ("small", True)),
        ("small everywhere:true", ("small", True)),
        ("everywhere", ("", True)),
        ("You are everywhere at once", ("You are everywhere at once", False)),
    ],
)
def test_everywhere_is_the_last_word(words, found):
    assert arguments.everywhere(words) == found


@given(ANYTHING)
def test_any_words_are_understood_or_give_the_usage(words):
    try:
        found = arguments.lesson(words)
    except commands.UserInputError:
        return
    assert found.positive in (None, True, False)


@given(ANYTHING)
def test_whatever_is_said_back_is_short_and_mentions_nobody(words):
    said = in_a_line(words + "@everyone <@123456789012345678> " + words)

    assert "\n" not in said
    assert "@everyone" not in said
    assert "<@123456789012345678>" not in said
    assert width(said) <= 200


@pytest.mark.parametrize(
    ("words", "cut"),
    [
        ("When does it open?", ("When does it open?", False)),
        ("When does it open? spoken:True", ("When does it open?", True)),
        ("spoken=yes When does it open?", ("When does it open?", True)),
        ("spoken: false When?", ("When?", False)),
        ("Is spoken:True a flag here?", ("Is spoken:True a flag here?", False)),
        ("spoken:True", ("", True)),
        ("unspoken:True", ("unspoken:True", False)),
    ],
)
def test_a_wish_to_hear_the_answer_stands_at_an_end(words, cut):
    assert arguments.spoken(words) == cut
