"""Intervals, paired differences and agreement, against figures that are known."""

import tracemalloc

import pytest

from trainerbot.judging.statistics import agreement, mean_interval, paired_difference


def test_the_interval_of_a_share_holds_what_the_textbook_says():
    found = mean_interval([1.0] * 80 + [0.0] * 20)

    # The normal approximation: 0.8 with 1.96 * sqrt(0.8 * 0.2 / 100) to each side.
    assert found.mean == 0.8
    assert found.low == pytest.approx(0.8 - 0.0784, abs=0.012)
    assert found.high == pytest.approx(0.8 + 0.0784, abs=0.012)


def test_the_same_answers_always_have_the_same_interval():
    values = [0.25, 0.5, 0.75, 1.0] * 9

    assert mean_interval(values) == mean_interval(list(reversed(values)))


def test_three_right_answers_are_no_certainty():
    found = mean_interval([1.0] * 3)

    assert (found.mean, found.high) == (1.0, 1.0)
    assert found.low < 0.5


def test_one_wrong_answer_promises_no_more_than_none():
    all_right, all_but_one = mean_interval([1.0] * 20), mean_interval([1.0] * 19 + [0.0])

    assert all_but_one.low < all_right.low
    assert all_but_one.high == 1.0


@pytest.mark.parametrize(("wins", "ties"), [(1, 1), (2, 0), (3, 0), (3, 1), (3, 2)])
def test_three_wins_are_no_clear_difference_whatever_else_is_equal(wins, ties):
    found = paired_difference([1.0] * wins + [0.0] * ties, [0.0] * (wins + ties))
    turned = paired_difference([0.0] * (wins + ties), [1.0] * wins + [0.0] * ties)

    assert found.low == 0 or (found.low < 0 < found.mean)
    assert turned.high == 0 or (turned.mean < 0 < turned.high)


@pytest.mark.parametrize("ties", [0, 4, 20])
def test_four_wins_and_no_loss_are_a_clear_difference(ties):
    assert paired_difference([1.0] * 4 + [0.0] * ties, [0.0] * (4 + ties)).low > 0


def test_few_wins_and_losses_that_chance_would_make_are_no_clear_difference():
    found = paired_difference([1.0] * 6 + [0.0] * 1, [0.0] * 6 + [1.0] * 1)

    assert found.low <= 0 < found.mean


def test_scores_between_right_and_wrong_are_compared_by_how_much_they_differ():
    assert paired_difference([0.9, 0.8, 0.9, 0.8], [0.1, 0.1, 0.2, 0.2]).low > 0


def test_thousands_of_wins_are_counted_as_well():
    assert paired_difference([1.0] * 9_000 + [0.0] * 11_000, [0.0] * 20_000).low > 0.4


def test_no_values_have_no_mean():
    with pytest.raises(ValueError, match="nothing"):
        mean_interval([])


def test_what_is_hard_for_both_cancels_out_of_a_difference():
    # Each hard case is hard for both; only one in ten tells them apart.
    theirs = [1.0, 0.0] * 50
    ours = [1.0 if at % 10 == 1 else value for at, value in enumerate(theirs)]

    found = paired_difference(ours, theirs)

    assert found.mean == 0.1
    assert 0.03 < found.low < found.high < 0.18


def test_equal_answers_differ_by_nothing_as_far_as_their_number_tells():
    few, many = paired_difference([1.0] * 5, [1.0] * 5), paired_difference([1.0] * 500, [1.0] * 500)

    assert few.mean == many.mean == 0
    assert few.low < many.low <= 0 <= many.high < few.high


def test_kappa_is_that_of_the_textbook():
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: kappa 0.4.
    ours = ["yes"] * 25 + ["no"] * 25
    theirs = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15

    found = agreement(ours, theirs)

    assert (found.n, found.share, found.kappa) == (50, 0.7, 0.4)


def test_judges_who_only_ever_say_one_thing_tell_nothing():
    assert agreement(["a"] * 4, ["a"] * 4).kappa is None
    assert agreement([], []).share is None


def test_thousands_of_different_scores_are_drawn_piece_by_piece():
    tracemalloc.start()
    try:
        mean_interval([number / 3_000 for number in range(3_000)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 50 * 2**20
