"""Which methods there are, what they may be asked, and what "auto" becomes."""

import importlib.util

import pytest

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.api.errors import as_api_error
from trainerbot.modelserver.trainers.methods import (
    METHODS,
    Size,
    TrainingNotInstalled,
    available_methods,
    default_method,
    require_method,
    training_installed,
)

SMALL = Size(n_examples=72, n_parameters=135_000_000, context_tokens=2048)


@pytest.fixture
def not_installed(monkeypatch):
    """A machine without PyTorch."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name)
    )
    training_installed.cache_clear()
    yield
    training_installed.cache_clear()


def test_without_what_trains_only_knn_is_offered_and_the_others_say_how_to_get_it(not_installed):
    assert (available_methods(), default_method()) == (["knn"], "knn")
    for name in ("supervised", "dpo"):
        with pytest.raises(TrainingNotInstalled, match=r"python3 run\.py --with train") as caught:
            require_method(name)
        error = as_api_error(caught.value)
        assert (error.status, error.code) == (501, "training_not_installed")


@pytest.mark.train
def test_with_what_trains_a_job_is_supervised_unless_it_says_otherwise():
    assert available_methods() == ["knn", "supervised", "dpo"]
    assert default_method() == "supervised"
    assert require_method("dpo").rows == "preference"


@pytest.mark.parametrize("name", ["supervised", "dpo"])
def test_auto_becomes_a_number_within_the_limits_whatever_the_size(name):
    method = METHODS[name]

    for n_examples in (1, 10, 39, 40, 72, 5000, 100_000, 3_000_000):
        for n_parameters in (1000, 135_000_000, 700_000_000, 8_000_000_000):
            size = Size(n_examples, n_parameters, 2048)
            chosen = method.chosen(method.requested({}), size)
            for key, value in chosen.items():
                assert method.hyperparameters[key].checked(key, value) == value


def test_more_examples_need_fewer_passes_and_larger_batches():
    method = METHODS["supervised"]
    few = method.chosen(method.requested({}), SMALL)
    many = method.chosen(method.requested({}), Size(20_000, 135_000_000, 2048))

    assert few["n_epochs"] > many["n_epochs"]
    assert few["batch_size"] < many["batch_size"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"n_epochs": float("nan")}, "must lie between"),
        ({"learning_rate_multiplier": float("inf")}, "must lie between"),
        ({"batch_size": 0}, "must lie between"),
        ({"batch_size": 2.5}, "whole number"),
        ({"lora_rank": True}, "must be a number"),
        ({"n_neighbors": 3}, "no hyperparameter 'n_neighbors'"),
    ],
)
def test_a_wrong_hyperparameter_is_refused_in_words(given, complaint):
    with pytest.raises(InvalidInput, match=complaint):
        METHODS["supervised"].requested(given)


def test_only_dpo_has_beta_and_it_rehearses_nothing():
    assert "beta" in METHODS["dpo"].hyperparameters
    assert "beta" not in METHODS["supervised"].hyperparameters
    assert "rehearsal_ratio" not in METHODS["dpo"].hyperparameters
