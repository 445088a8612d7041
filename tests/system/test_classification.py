"""Learn from some pages, test on others: base against tuned, with the real model.

Whether it gains by that is measured on sixty pages in docs/classification.md;
here are as few as show that every step of it works.
"""

import json
import shutil
from typing import Any

import pytest

from tests.system.running import manage, rows, system
from tests.system.shops import labelled

pytestmark = pytest.mark.model
N_TESTED = 4


def classified(env: dict[str, str], name: str, *more: str) -> Any:
    limit = str(N_TESTED)
    done = manage(env, "classify", name, "--limit", limit, *more, "--wait", "--json")
    return rows(done)[0]


def test_a_model_that_learned_from_labelled_pages_is_tested_on_others(tmp_path, migrated_database):
    shutil.copy(migrated_database, tmp_path)
    with system(tmp_path) as running:
        env = running.env
        for name, part in (("learned", labelled(0, 6)), ("held out", labelled(15, 21))):
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps(part), encoding="utf-8")
            rows(manage(env, "importdataset", str(path), "--name", name, "--json"))
        (job,) = rows(manage(env, "finetune", "learned", "--wait", "--json"))
        assert job["status"] == "succeeded"

        base = classified(env, "held out")
        tuned = classified(env, "held out", "--model", job["model"])
        known = classified(env, "learned", "--model", job["model"])

        for found in (base, tuned, known):
            assert (found["status"], found["n_done"], found["is_constrained"]) == (
                "succeeded",
                N_TESTED,
                True,
            )
            assert found["labels"] == ["negative", "positive"]
            # Bound to the labels, no model says anything else.
            assert found["n_unknown"] == 0
            assert len(found["mismatches"]) == N_TESTED - found["n_right"]
        # What it learned it knows by heart, word for word.
        assert known["scores"]["accuracy"] == 1

        given = json.dumps(labelled(0, 1)[0])
        (one,) = rows(
            manage(env, "classify", "--json-records", given, "--model", job["model"], "--json")
        )
        assert one["records"][0]["right"] is True
