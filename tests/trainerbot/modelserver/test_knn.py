"""Method knn without a server: scores, choices, and the trainer's reports."""

from pathlib import Path

import pytest

from tests.trainerbot.modelserver.training_data import capitals, orders
from trainerbot.errors import InvalidInput
from trainerbot.modelserver.examples import read_examples
from trainerbot.modelserver.trainers import knn
from trainerbot.modelserver.trainers.methods import METHODS, Size
from trainerbot.modelserver.trainers.scores import word_accuracy, word_f1
from trainerbot.modelserver.trainers.task import Done, Plan, Refused, Step, Task, Told

AUTO = METHODS["knn"].requested({})


def task(
    folder: Path, content: bytes, *, validation: bytes | None = None, **change: object
) -> Task:
    (folder / "train.jsonl").write_bytes(content)
    if validation is not None:
        (folder / "valid.jsonl").write_bytes(validation)
    values = {
        "method": "knn",
        "training_path": str(folder / "train.jsonl"),
        "validation_path": None if validation is None else str(folder / "valid.jsonl"),
        "work": str(folder),
        "hyperparameters": AUTO,
        "seed": 3,
        "done_steps": 0,
    }
    return Task(**{**values, **change})


@pytest.mark.parametrize(
    ("expected", "given", "f1", "accuracy"),
    [
        ("Paris, obviously.", "paris OBVIOUSLY", 1, 1),
        ("Paris, obviously.", "Rome, obviously.", 0.5, 0.5),
        ("one two three", "three two one", 1, 1 / 3),
        ("a a b", "a b b", 2 / 3, 2 / 3),
        ("yes", "", 0, 0),
        ("!", "?", 1, 1),
        ("!", "yes", 0, 0),
        ("Привет, мир", "привет мир и все", 2 * 2 / 6, 1),
    ],
)
def test_scores_are_counted_by_words(expected, given, f1, accuracy):
    assert word_f1(expected, given) == pytest.approx(f1)
    assert word_accuracy(expected, given) == pytest.approx(accuracy)


def test_the_index_grows_and_is_measured_step_by_step(tmp_path):
    plan, told, *steps, done = list(knn.train(task(tmp_path, capitals())))

    assert isinstance(plan, Plan)
    assert isinstance(told, Told)
    assert told.message.startswith("Measuring on 3 held-out examples with 9 indexed;")
    assert plan.hyperparameters == {
        "n_neighbors": 3,
        "n_steps": 10,
        "valid_fraction": 0.2,
        "n_eval_questions": 6,
        "max_eval_tokens": 48,
    }
    assert [step.step for step in steps if isinstance(step, Step)] == list(range(1, 10))
    # One indexed question has no other to be answered by.
    assert (steps[0].train_loss, steps[-1].train_loss) == (1, 0.5)
    assert isinstance(done, Done)
    held_in = read_examples(str(tmp_path / "held_in.jsonl"))
    questions = read_examples(str(tmp_path / "questions.jsonl"))
    tuned = read_examples(str(tmp_path / "tuned.jsonl"))
    assert len(held_in) == 9
    assert {e.line for e in held_in}.isdisjoint(e.line for e in questions)
    assert [e.line for e in tuned] == list(range(1, 13))


def test_the_same_task_reports_the_same_and_goes_on_where_it_stopped(tmp_path):
    whole = list(knn.train(task(tmp_path, orders(60))))

    again = list(knn.train(task(tmp_path, orders(60))))
    rest = list(knn.train(task(tmp_path, orders(60), done_steps=7)))
    other = list(knn.train(task(tmp_path, orders(60), seed=4)))

    assert again == whole
    assert rest == [*whole[:2], *whole[9:]]
    assert other[2:] != whole[2:]


def test_without_held_out_examples_the_valid_values_are_none(tmp_path):
    chosen = {**AUTO, "valid_fraction": 0.0, "n_steps": 1}

    _, _, step, _ = list(knn.train(task(tmp_path, capitals(), hyperparameters=chosen)))

    assert (step.valid_loss, step.valid_mean_token_accuracy) == (None, None)


def test_a_validation_file_leaves_all_training_examples_indexed(tmp_path):
    _, told, *_ = list(knn.train(task(tmp_path, capitals(), validation=capitals(2))))

    assert told.message.startswith("Measuring on 2 held-out examples with 12 indexed")


def test_too_few_examples_are_refused(tmp_path):
    (refused,) = knn.train(task(tmp_path, capitals(9)))

    assert isinstance(refused, Refused)
    assert refused.code == "invalid_n_examples"
    assert "has 9 example(s)" in refused.message


@pytest.mark.parametrize("value", [0, 9, 2.5, True, "3", None, float("nan"), float("inf")])
def test_a_hyperparameter_out_of_bounds_is_refused(value):
    with pytest.raises(InvalidInput, match="n_neighbors"):
        METHODS["knn"].requested({"n_neighbors": value})


def test_given_hyperparameters_stay_and_auto_is_chosen_by_size():
    requested = METHODS["knn"].requested({"n_neighbors": 5, "valid_fraction": "auto"})

    assert METHODS["knn"].chosen(requested, Size(1000)) == {
        "n_neighbors": 5,
        "n_steps": 10,
        "valid_fraction": 0.1,
        "n_eval_questions": 6,
        "max_eval_tokens": 48,
    }
