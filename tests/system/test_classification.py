"""Learn thirty pages, test on thirty others: base against tuned, with the real model."""

import json

import pytest

from tests.system.running import manage, rows, system
from tests.system.shops import labelled

pytestmark = pytest.mark.model


def test_a_model_that_learned_from_labelled_pages_is_tested_on_others(tmp_path):
    with system(tmp_path) as running:
        env = running.env
        for name, part in (("learned", labelled(0, 15)), ("held out", labelled(15, 30))):
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps(part), encoding="utf-8")
            rows(manage(env, "importdataset", str(path), "--name", name, "--json"))
        (job,) = rows(manage(env, "finetune", "learned", "--wait", "--json"))
        assert job["status"] == "succeeded"

        (base,) = rows(manage(env, "classify", "held out", "--wait", "--json"))
        (tuned,) = rows(
            manage(env, "classify", "held out", "--model", job["model"], "--wait", "--json")
        )
        (known,) = rows(
            manage(env, "classify", "learned", "--model", job["model"], "--wait", "--json")
        )

        for found in (base, tuned, known):
            assert (found["status"], found["n_done"], found["is_constrained"]) == (
                "succeeded",
                30,
                True,
            )
            assert found["labels"] == ["negative", "positive"]
            # Bound to the labels, no model says anything else.
            assert found["n_unknown"] == 0
            assert len(found["mismatches"]) == 30 - found["n_right"]
        # What it learned it knows by heart, word for word.
        assert known["scores"]["accuracy"] == 1
        assert tuned["scores"]["accuracy"] >= base["scores"]["accuracy"]

        given = json.dumps(labelled(0, 1)[0])
        (one,) = rows(
            manage(env, "classify", "--json-records", given, "--model", job["model"], "--json")
        )
        assert one["records"][0]["right"] is True
