"""The numbers of a fine-tune: ranges as the endpoint has them, complaints in words."""

import pytest

from dashboard.services import hyperparameters
from trainerbot.errors import InvalidInput
from trainerbot.modelserver.trainers.methods import METHODS


@pytest.mark.parametrize("method", METHODS)
def test_names_and_ranges_are_those_of_our_model_server(method):
    ours = {each.name: (each.low, each.high, each.whole) for each in hyperparameters.of(method)}

    theirs = METHODS[method].hyperparameters

    assert ours == {name: (each.low, each.high, each.whole) for name, each in theirs.items()}


def test_what_openai_names_too_is_told_apart():
    dpo = [each.name for each in hyperparameters.of("dpo") if not each.ours]

    assert dpo == ["n_epochs", "batch_size", "learning_rate_multiplier", "beta"]


@pytest.mark.parametrize(
    ("name", "typed", "number"),
    [
        ("n_epochs", "", None),
        ("n_epochs", " Auto ", None),
        ("n_epochs", "3", 3),
        ("n_epochs", "3.0", 3),
        ("n_epochs", 4, 4),
        ("learning_rate_multiplier", "0.5", 0.5),
        ("learning_rate_multiplier", "2e-1", 0.2),
        ("beta", 0.1, 0.1),
    ],
)
def test_a_number_is_read_as_it_was_meant(name, typed, number):
    (kind,) = (each for each in hyperparameters.of("dpo") if each.name == name)

    assert kind.checked(typed) == number
    assert type(kind.checked(typed)) is type(number)


@pytest.mark.parametrize(
    "typed",
    [
        "nan",
        "inf",
        "-inf",
        "three",
        "0x10",
        "1_0",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "3,5",
        "9" * 4000,
        "1e9999",
        True,
        None,
        [],
    ],
    ids=str,
)
def test_what_is_no_number_is_refused_with_an_example(typed):
    (kind, *_) = hyperparameters.of("supervised")

    with pytest.raises(InvalidInput, match="Write a whole number such as 3"):
        kind.checked(typed)


@pytest.mark.parametrize("typed", ["0", "-1", "51", "1e300", "1e999", 10**400, float("nan")])
def test_a_number_out_of_range_is_refused_with_the_range(typed):
    (kind, *_) = hyperparameters.of("supervised")

    with pytest.raises(InvalidInput, match=r"Choose a number from 1 to 50\."):
        kind.checked(typed)


def test_half_an_epoch_is_none():
    (kind, *_) = hyperparameters.of("supervised")

    with pytest.raises(InvalidInput, match="not a part of one"):
        kind.checked("2.5")


def test_a_method_that_we_do_not_know_is_left_to_its_endpoint():
    hyperparameters.check("reinforcement", {"n_epochs": -1})
    hyperparameters.check("supervised", {"something_new": "x", "n_epochs": "auto"})

    with pytest.raises(InvalidInput, match=r"Batch size \(batch_size\): Choose"):
        hyperparameters.check("supervised", {"batch_size": 0})
