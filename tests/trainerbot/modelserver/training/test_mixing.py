"""In which order a small model learns and rehearses."""

from collections import Counter

import pytest

pytestmark = pytest.mark.train


def epoch(mixed, number: int) -> list[int]:
    mixed.set_epoch(number)
    return list(mixed)


def test_an_epoch_has_every_own_row_and_some_others_among_them():
    from trainerbot.modelserver.trainers.lora.mixing import Mixed

    mixed = Mixed(10, 5, n_pool=20, seed=1)

    order = epoch(mixed, 0)

    assert len(order) == len(mixed) == 15
    assert sorted(place for place in order if place < 10) == list(range(10))
    # Never three of the same kind in every three: they lie evenly.
    assert all(any(place >= 10 for place in order[i : i + 3]) for i in range(0, 15, 3))


def test_the_others_are_new_ones_until_all_had_their_turn():
    from trainerbot.modelserver.trainers.lora.mixing import Mixed

    mixed = Mixed(2, 5, n_pool=10, seed=1)

    drawn = [place for number in range(4) for place in epoch(mixed, number) if place >= 2]

    assert Counter(drawn[:10]) == Counter(range(2, 12))
    assert Counter(drawn) == Counter(dict.fromkeys(range(2, 12), 2))


def test_the_same_seed_and_epoch_give_the_same_order():
    from trainerbot.modelserver.trainers.lora.mixing import Mixed

    one, other = (Mixed(9, 4, n_pool=7, seed=3) for _ in range(2))

    assert epoch(one, 2) == epoch(other, 2)
    assert epoch(one, 0) != epoch(one, 1)
    assert epoch(Mixed(9, 4, n_pool=7, seed=4), 0) != epoch(one, 0)
