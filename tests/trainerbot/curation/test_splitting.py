"""Which rows train and which judge."""

from collections import Counter
from collections.abc import Mapping
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainerbot.curation import split
from trainerbot.errors import InvalidInput

THREE_WAYS = {"train": 0.8, "validation": 0.1, "test": 0.1}


def sizes(parts: Mapping[int, str]) -> dict[str, int]:
    return dict(Counter(parts.values()))


@pytest.mark.parametrize(
    ("n_keys", "expected"),
    [
        (1, {"train": 1}),
        (4, {"train": 4}),
        (5, {"train": 4, "validation": 1}),
        (10, {"train": 9, "validation": 1}),
        (14, {"train": 13, "validation": 1}),
        (1005, {"train": 904, "validation": 101}),
    ],
)
def test_small_sets_get_exact_shares(n_keys: int, expected: dict[str, int]):
    assert sizes(split(range(n_keys))) == expected


def test_there_may_be_a_test_part():
    assert sizes(split(range(20), shares=THREE_WAYS)) == {"train": 16, "validation": 2, "test": 2}


def test_nothing_is_split_into_nothing():
    assert split([]) == {}


def test_train_is_never_empty():
    assert sizes(split([1], shares={"train": 0.1, "test": 0.9})) == {"train": 1}
    everything_alike = dict.fromkeys(range(10), 0)
    assert sizes(split(range(10), groups=everything_alike)) == {"train": 10}
    mostly_tested = split(range(10), groups=everything_alike, shares={"train": 0.1, "test": 0.9})
    assert sizes(mostly_tested) == {"train": 10}


def test_the_same_seed_gives_the_same_parts_on_every_machine():
    parts = split(range(1, 21), seed=7)

    assert [key for key, part in parts.items() if part == "validation"] == [5, 4]
    assert parts == split(reversed(range(1, 21)), seed=7)
    assert parts != split(range(1, 21), seed=8)


def test_labels_keep_their_balance():
    labels = {key: "rare" if key % 10 == 0 else "common" for key in range(1000)}

    parts = split(range(1000), stratify=labels, shares=THREE_WAYS)

    counted = Counter((part, labels[key]) for key, part in parts.items())
    assert counted == {
        ("train", "common"): 720, ("train", "rare"): 80,
        ("validation", "common"): 90, ("validation", "rare"): 10,
        ("test", "common"): 90, ("test", "rare"): 10,
    }  # fmt: skip


def test_many_rare_labels_still_give_exact_shares():
    parts = split(range(100), stratify={key: str(key) for key in range(100)}, shares=THREE_WAYS)

    assert sizes(parts) == {"train": 80, "validation": 10, "test": 10}


def test_a_group_too_large_for_its_part_goes_to_train():
    parts = split(range(100), groups=dict.fromkeys(range(50), 0))

    assert {parts[key] for key in range(50)} == {"train"}
    assert sizes(parts) == {"train": 90, "validation": 10}


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"validation": 1.0}, "named train"),
        ({"train": 0.5, "other": 0.5}, "named train"),
        ({"train": 0.0, "test": 1.0}, "more than 0"),
        ({"train": 1.1, "test": -0.1}, "below 0"),
        ({"train": 0.5, "test": 0.4}, "add up to 1"),
        ({"train": float("nan"), "test": 0.4}, "between 0 and 1"),
        ({"train": float("inf")}, "between 0 and 1"),
    ],
)
def test_shares_that_are_no_parts_of_a_whole_are_refused(shares: dict[str, float], said: str):
    with pytest.raises(InvalidInput, match=said):
        split([1, 2, 3], shares=shares)


@given(
    st.sets(st.integers(), min_size=1, max_size=60),
    st.integers(0, 5),
    st.integers(1, 12),
    st.sampled_from([{"train": 0.9, "validation": 0.1}, THREE_WAYS, {"train": 0.5, "test": 0.5}]),
)
def test_groups_stay_together_and_every_key_has_a_part(
    keys: set[int], seed: int, n_groups: int, shares: dict[str, float]
):
    groups = {key: key % n_groups for key in keys if key % 2}
    labels = {key: str(key % 3) for key in keys}

    parts = split(keys, groups=groups, shares=shares, seed=seed, stratify=labels)

    assert parts.keys() == keys
    assert "train" in parts.values()
    grouped = sorted(groups, key=lambda key: groups[key])
    for _, members in groupby(grouped, key=lambda key: groups[key]):
        assert len({parts[key] for key in members}) == 1
    assert parts == split(sorted(keys), groups=groups, shares=shares, seed=seed, stratify=labels)


@given(st.sets(st.integers(), min_size=1, max_size=200), st.integers(1, 8))
def test_without_groups_sizes_are_exact_and_labels_within_one_row(keys: set[int], n_labels: int):
    labels = {key: str(key % n_labels) for key in keys}

    parts = split(keys, stratify=labels)

    n_judging = sum(part == "validation" for part in parts.values())
    assert n_judging == min(int(len(keys) / 10 + 0.5), len(keys) - 1)
    for label, n_rows in Counter(labels.values()).items():
        n_its = sum(parts[key] == "validation" and labels[key] == label for key in keys)
        assert abs(n_its - n_rows * n_judging / len(keys)) <= 1
