"""Ask, correct, ask again, train, ask the tuned model: with the real model, on real processes."""

import json
import shutil
from pathlib import Path

import pytest
import requests

from tests.system.running import environment, manage, rows, system

pytestmark = pytest.mark.model

QUESTION = "When does the Lindenhof library open?"
RIGHT = "At nine, except on Mondays: then it stays closed."


def write_lessons(path: Path, n: int = 10) -> Path:
    lessons = [
        {
            "messages": [
                {"role": "user", "content": f"Which shelf holds the books on topic {n}?"},
                {"role": "assistant", "content": f"Topic {n} stands on shelf {n * 7 % 100}."},
            ]
        }
        for n in range(n)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in lessons), encoding="utf-8")
    return path


def test_the_loop_closes_on_a_running_system(tmp_path, migrated_database):
    shutil.copy(migrated_database, tmp_path)
    with system(tmp_path) as running:
        parts = running.wait_until_ready()["parts"]
        assert parts["bot"]["state"].startswith("disabled")
        assert requests.get(f"{running.url}/healthz", timeout=60).status_code == 200

        (wrong,) = rows(manage(running.env, "ask", QUESTION, "--json"))
        assert wrong["correction"] is None
        assert wrong["answer"] not in ("", RIGHT)
        (taught,) = rows(manage(running.env, "correct", QUESTION, RIGHT, "--json"))
        (right,) = rows(manage(running.env, "ask", QUESTION, "--json"))
        assert (right["answer"], right["correction"]) == (RIGHT, taught["id"])

        lessons = write_lessons(tmp_path / "lessons.jsonl")
        rows(manage(running.env, "importdataset", str(lessons), "--name", "Shelves", "--json"))
        (job,) = rows(manage(running.env, "finetune", "Shelves", "--wait", "--json"))
        assert (job["status"], job["error"]) == ("succeeded", None)
        (listed,) = rows(manage(running.env, "models", "--json"))
        assert job["model"] in [model["id"] for model in listed]
        asked = ("ask", "Which shelf holds the books on topic 5?", "--json")
        (before,) = rows(manage(running.env, *asked))
        (after,) = rows(manage(running.env, *asked, "--model", job["model"]))
        assert after["answer"] == "Topic 5 stands on shelf 35."
        assert before["answer"] != after["answer"]

        assert running.stop() == 0, running.output()


def test_the_loop_closes_without_a_running_system(tmp_path, migrated_database):
    env = environment(tmp_path)
    shutil.copy(migrated_database, tmp_path)
    questions = tmp_path / "questions.jsonl"
    questions.write_text(
        json.dumps({"question": QUESTION}) + "\n" + json.dumps({"question": "Say hello."}) + "\n",
        encoding="utf-8",
    )
    rows(manage(env, "correct", QUESTION, RIGHT, "--json"))

    first, second = rows(manage(env, "ask", "--file", str(questions), "--json"))

    assert first["answer"] == RIGHT
    assert second["correction"] is None
    assert set(first) == {"question", "answer", "model", "correction", "examples", "ms"}

    lessons = write_lessons(tmp_path / "lessons.jsonl")
    rows(manage(env, "importdataset", str(lessons), "--name", "Shelves", "--json"))
    (job,) = rows(manage(env, "finetune", "Shelves", "--suffix", "shelves", "--json"))
    assert set(job) >= {"id", "status", "model", "error"}
    assert job["status"] == "succeeded"
    assert "shelves" in job["model"]
