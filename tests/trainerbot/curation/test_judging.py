"""Balance of labels, odd lengths, and scores."""

import pytest

from trainerbot.curation import LabelScore, Outliers, balance, outliers, scores
from trainerbot.errors import InvalidInput


def test_labels_are_counted_most_first():
    found = balance(["b", "a", "b", "a", *["c"] * 3] * 10)

    assert list(found.counts.items()) == [("c", 30), ("a", 20), ("b", 20)]
    assert found.ratio == 1.5
    assert found.said is None


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["да"] * 5, "Every example is “да”"),
        (["да"] * 90 + ["нет"] * 10, "“да” has 9.0 times as many examples as “нет” (90 and 10)"),
        (["a"] * 9 + ["b"] * 9, "No label has more than 9 examples"),
        (["a"] * 20 + ["b"] * 9, "“b” has only 9 of the examples"),
    ],
)
def test_what_is_wrong_with_a_balance_is_said(labels: list[str], said: str):
    told = balance(labels).said

    assert told is not None
    assert said in told


def test_no_labels_are_balanced():
    assert balance([]).ratio == 1
    assert balance([]).said is None


def test_lengths_far_from_the_others_stand_out_on_both_sides():
    lengths = [100, 110, 90, 120, 95, 105, 100, 3, 5_000]

    found = outliers(lengths)

    assert (found.short, found.long) == ([7], [8])
    assert 3 < found.low <= 90
    assert 120 <= found.high < 5_000


def test_an_even_set_has_no_outliers():
    assert outliers([100] * 50 + [150] + [60]) == Outliers([], [], low=35, high=284)


def test_few_lengths_are_not_judged():
    assert outliers([1, 1_000_000]) == Outliers([], [], 1, 1_000_000)
    assert outliers([]) == Outliers([], [], 0, 0)


def test_predictions_are_scored_with_the_unknown_ones_as_wrong():
    expected = ["магазин", "магазин", "магазин", "блог", "блог"]
    predicted = ["магазин", "блог", "не знаю", "блог", "магазин"]

    found = scores(expected, predicted, ["магазин", "блог"])

    assert (found.n_rows, found.n_right, found.n_unknown) == (5, 2, 1)
    assert found.accuracy == 0.4
    assert (round(found.accuracy_low, 4), round(found.accuracy_high, 4)) == (0.1176, 0.7693)
    assert found.by_label == (
        LabelScore("магазин", 1 / 2, 1 / 3, pytest.approx(0.4), 3),
        LabelScore("блог", 1 / 2, 1 / 2, 1 / 2, 2),
    )
    assert found.macro_f1 == pytest.approx(0.45)
    assert found.weighted_f1 == pytest.approx(0.44)
    assert found.confusion == ((1, 1, 1), (1, 1, 0))


def test_one_class_alone_can_be_scored():
    found = scores(["a", "a"], ["a", "a"], ["a"])

    assert (found.accuracy, found.macro_f1, found.weighted_f1) == (1, 1, 1)
    assert found.accuracy_high == 1
    assert found.confusion == ((2, 0),)


def test_a_label_that_never_comes_up_does_not_lower_the_mean():
    found = scores(["a", "b"], ["a", "b"], ["a", "b", "c"])

    assert found.macro_f1 == 1
    assert found.by_label[2] == LabelScore("c", 0, 0, 0, 0)


def test_when_everything_is_unknown_all_is_zero():
    found = scores(["a", "b"], ["", "?"], ["a", "b"])

    assert (found.accuracy, found.macro_f1, found.weighted_f1) == (0, 0, 0)
    assert found.accuracy_low == 0
    assert found.confusion == ((0, 0, 1), (0, 0, 1))


def test_a_label_may_be_named_unknown():
    found = scores(["unknown", "a"], ["unknown", "neither"], ["a", "unknown"])

    assert (found.n_right, found.n_unknown) == (1, 1)
    assert found.confusion == ((0, 0, 1), (0, 1, 0))


@pytest.mark.parametrize(
    ("expected", "predicted", "labels", "said"),
    [
        ([], [], ["a"], "nothing to score"),
        (["a"], [], ["a"], "1 examples but 0 predictions"),
        (["a"], ["a"], ["a", "a"], "listed twice"),
        (["b"], ["a"], ["a"], "labelled “b”"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    expected: list[str], predicted: list[str], labels: list[str], said: str
):
    with pytest.raises(InvalidInput, match=said):
        scores(expected, predicted, labels)
