"""Texts that say the same with a few words changed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainerbot.curation import Near, near_duplicates, near_groups
from trainerbot.curation.near import rows_a_band
from trainerbot.errors import InvalidInput

ENGLISH = (
    "Our shop is open from nine to five on weekdays, and on Saturdays until noon; on public "
    "holidays it stays closed, but orders sent by mail are still answered within a day."
)
RUSSIAN = (
    "Наш магазин открыт по будням между девятью и пятью, по субботам до полудня; в праздники он "
    "закрыт, но на письменные заказы мы всё равно отвечаем в течение одного дня."
)
OTHER = "The hotel has forty rooms, a garden with old trees and a kitchen that serves fish."


def found(*texts: str, threshold: float = 0.8) -> list[Near]:
    return near_duplicates(enumerate(texts), threshold=threshold)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (ENGLISH, ENGLISH.replace("noon", "midday")),
        (RUSSIAN, RUSSIAN.replace("полудня", "обеда")),
        (ENGLISH, "Hello! " + ENGLISH),
    ],
)
def test_a_word_changed_in_a_longer_text_is_a_near_duplicate(text: str, changed: str):
    (near,) = found(text, OTHER, changed)

    assert (near.key, near.of) == (2, 0)
    assert 0.8 <= near.score < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello there friend", "hello, THERE — friend!"),
        ("Don't do that", "don\u2019t do that"),
        ("Когда работает ваш магазин?", "когда работает ваш магазин"),
    ],
)
def test_short_texts_that_differ_in_typing_are_near_duplicates(one: str, other: str):
    assert found(one, other) == [Near(1, 0, 1.0)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Room 3 is on floor 1", "Room 4 is on floor 1"),
        ("Room 3 is on floor 1", "Room 1 is on floor 3"),
        ("It costs 3.5", "It costs 35"),
        ("It is -5 outside", "It is 5 outside"),
        ("I write C++", "I write C#"),
        ("Yes please", "No please"),
        ("Hello there friend", "Hello there foe"),
        ("You may come in", "You may not come in"),
        ("Собак брать можно", "Собак брать нельзя"),
        (ENGLISH + " Call 5.", ENGLISH + " Call 6."),
        (ENGLISH, ENGLISH.replace("it stays", "it never stays")),
        (RUSSIAN + " Да.", RUSSIAN.replace("он закрыт", "он не закрыт") + " Да."),
        (ENGLISH + " Take plan B.", ENGLISH + " Take plan C."),
    ],
)
def test_other_numbers_and_negations_make_other_texts(one: str, other: str):
    assert found(one, other) == []


def test_a_number_in_a_long_text_does_not_tell_it_apart():
    long = " ".join(f"word{chr(97 + at % 26)}{chr(97 + at // 26)}" for at in range(200))

    (near,) = found(long + " 2025", long + " 2026")

    assert near.score > 0.95


def test_texts_without_words_are_near_to_nothing():
    assert found("", "", "?!", "?!", "…") == []
    assert found() == []


def test_the_first_of_a_group_is_kept_and_scores_are_its_own():
    changed = ENGLISH.replace("noon", "midday")

    nears = found(OTHER, ENGLISH, changed, ENGLISH.upper(), changed)

    assert [(near.key, near.of) for near in nears] == [(2, 1), (3, 1), (4, 1)]
    assert nears[1].score == 1


def a_chain() -> list[str]:
    """Return texts each like the next, of which the first is not like the last."""
    words = [f"w{chr(97 + at)}" for at in range(26)] * 2
    chain = [" ".join(words)]
    for at in range(0, 50, 5):
        words[at] = words[at] + "x"
        chain.append(" ".join(words))
    return chain


def test_nothing_is_reported_as_near_to_a_text_that_it_is_not_like():
    texts = a_chain()

    nears = found(*texts)
    groups = near_groups(enumerate(texts))

    leaders = {near.of for near in nears}
    assert len(leaders) > 1
    assert leaders.isdisjoint(near.key for near in nears)
    assert groups == dict.fromkeys(range(len(texts)), 0)


def test_keys_are_returned_as_given():
    assert near_duplicates([(70, ENGLISH), (-3, ENGLISH)]) == [Near(-3, 70, 1.0)]
    assert near_groups([(70, ENGLISH), (-3, ENGLISH), (1, OTHER)]) == {70: 70, -3: 70}


def test_progress_may_stop_the_search():
    class Stopped(Exception):
        pass

    seen: list[int] = []

    def stop(n_read: int) -> None:
        seen.append(n_read)
        if len(seen) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        near_duplicates(enumerate([ENGLISH] * 5_000), progress=stop)
    assert seen == [1_000, 2_000, 3_000]


@pytest.mark.parametrize("threshold", [0.0, 0.49, 1.01, float("nan")])
def test_a_likeness_without_sense_is_refused(threshold: float):
    with pytest.raises(InvalidInput, match="between"):
        near_duplicates([], threshold=threshold)


def test_every_threshold_has_bands_that_miss_little():
    for percent in range(50, 101):
        rows = rows_a_band(percent / 100)
        assert (1 - (percent / 100) ** rows) ** (126 // rows) <= 0.002


def test_planted_duplicates_among_many_are_all_found_and_nothing_else():
    chance = random.Random(5)
    words = [f"{chance.choice('бвгд')}{number:x}".translate(str.maketrans("0123456789", "klmnopqrst")) for number in range(3_000)]  # fmt: skip
    texts = [" ".join(chance.choices(words, k=60)) for _ in range(1_000)]
    planted = chance.sample(range(1_000), 200)
    for at in planted:
        copy = texts[at].split()
        copy[chance.randrange(1, 59)] = "changed"
        texts.append(" ".join(copy))

    nears = found(*texts)

    assert {(near.key, near.of) for near in nears} == {
        (1_000 + number, at) for number, at in enumerate(planted)
    }


word = st.sampled_from(["red", "fox", "not", "3", "4", "дом", "и", "the", "ran"])


@settings(max_examples=60)
@given(st.lists(st.lists(word, max_size=25).map(" ".join), max_size=12))
def test_leaders_are_kept_and_groups_hold_every_pair(texts: list[str]):
    nears = found(*texts)
    groups = near_groups(enumerate(texts))

    gone = {near.key for near in nears}
    for near in nears:
        assert near.of < near.key
        assert near.of not in gone
        assert 0.8 <= near.score <= 1
        assert groups[near.key] == groups[near.of]
    assert gone <= groups.keys()
