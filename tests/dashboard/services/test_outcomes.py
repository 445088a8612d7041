"""What is kept of what an endpoint tells about a job."""

import json
from datetime import UTC, datetime

from dashboard.services import outcomes
from trainerbot.finetune import RemoteJob


def remote(**raw: object) -> RemoteJob:
    return RemoteJob("ftjob-1", "running", None, None, None, None, None, raw=raw)


def test_the_figures_of_the_end_become_sentences():
    general = {"asked": 30, "right_before": 30, "right_after": 27}
    held_out = {"asked": 12, "right_before": 2, "right_after": 10}

    kept = outcomes.told(remote(result={"general": general, "held_out": held_out}))

    assert [each.in_words for each in outcomes.read(kept).measures] == [
        "Of 30 general questions that the untouched model gets right, it still answers 27.",
        "Of 12 examples that it never saw, it answers 10 right; the untouched model 2.",
    ]


def test_the_chosen_numbers_are_kept_by_method_or_without():
    by_method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}}

    assert outcomes.told(remote(method=by_method))["hyperparameters"] == {"beta": 0.1}
    assert outcomes.told(remote(hyperparameters={"n_epochs": 3}))["hyperparameters"] == {
        "n_epochs": 3
    }


def test_of_an_endpoint_gone_wrong_nothing_is_kept_that_no_row_could_hold():
    odd = {
        "n_epochs": float("nan"),
        "batch_size": 10**400,
        "x" * 61: 1,
        "list": [1],
        "nul": "\x00",
        **{f"n{number}": number for number in range(200)},
    }
    bad = {"general": {"asked": "many"}, "held_out": [1], "none": {"asked": 0}}

    kept = outcomes.told(remote(hyperparameters=odd, result=bad, estimated_finish=1e400))

    assert len(kept["hyperparameters"]) < 40
    assert set(kept["hyperparameters"].values()) <= set(range(200))
    assert kept["result"] == {}
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept


def test_what_was_never_told_is_nothing():
    assert outcomes.read(None) == outcomes.Outcome()
    assert outcomes.read(outcomes.told(remote(result="?", method=3))) == outcomes.Outcome()


def test_the_time_of_the_end_is_told_where_it_is_one():
    assert outcomes.read(outcomes.told(remote(estimated_finish=1000))).done_by == datetime(
        1970, 1, 1, 0, 16, 40, tzinfo=UTC
    )
    assert outcomes.read(outcomes.told(remote(estimated_finish=2**52))).done_by is None
