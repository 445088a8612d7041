"""A LoRA job of a real server that dies, whose trainer dies, that is paused and goes on."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.trainerbot.modelserver.running import RunningServer, all_events, finished
from tests.trainerbot.modelserver.training.conftest import Trainer
from tests.trainerbot.modelserver.training.tiny import greetings
from trainerbot.modelserver.trainers.task import Step

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore")]

# A trainer imports PyTorch first, which takes minutes where many others work.
PATIENCE_S = 400

_ROWS = greetings(40)
_CHOSEN = {
    "n_epochs": 5,
    "batch_size": 4,
    "lora_rank": 4,
    "rehearsal_ratio": 0,
    "valid_fraction": 0.2,
}


def submitted(server: RunningServer, **change: Any) -> str:
    content = "".join(json.dumps(row) + "\n" for row in _ROWS).encode()
    file = server.client.files.create(file=("t.jsonl", io.BytesIO(content)), purpose="fine-tune")
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": _CHOSEN}}
    values: dict[str, Any] = {"model": "tiny", "method": method, "seed": 3, **change}
    return server.client.fine_tuning.jobs.create(training_file=file.id, **values).id


def measured(server: RunningServer, job_id: str) -> list[dict[str, Any]]:
    return [e.data for e in all_events(server.client, job_id) if e.type == "metrics"]


def curve(server: RunningServer, job_id: str) -> list[tuple[int, float, float | None]]:
    """The steps, without the figures of the end."""
    return [
        (data["step"], data["train_loss"], data["valid_loss"])
        for data in measured(server, job_id)
        if "held_out_asked" not in data
    ]


def wait_for_steps(server: RunningServer, job_id: str, n_steps: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while len(curve(server, job_id)) < n_steps:
        assert time.monotonic() < end, all_events(server.client, job_id)[-1].message
        time.sleep(0.02)


def wait_for_status(server: RunningServer, job_id: str, status: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while server.client.fine_tuning.jobs.retrieve(job_id).status != status:
        assert time.monotonic() < end
        time.sleep(0.02)


def wait_until_empty(folder: Path) -> None:
    # The job is over a moment before its folder is gone.
    end = time.monotonic() + PATIENCE_S
    while any(folder.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.02)


def kill_the_trainer(server: RunningServer) -> None:
    found = subprocess.run(
        ["pgrep", "-P", str(server.process.pid), "-f", "modelserver.trainers"],
        capture_output=True,
        text=True,
        check=True,
    )
    os.kill(int(found.stdout.split()[0]), signal.SIGKILL)


def test_a_job_that_is_killed_killed_again_and_paused_ends_as_if_nothing_had_been(
    base, tmp_path, tmp_path_factory
):
    whole = Trainer(base, tmp_path_factory.mktemp("whole"))(_ROWS, **_CHOSEN)
    expected = [(s.step, s.train_loss, s.valid_loss) for s in whole if isinstance(s, Step)]
    data, given = tmp_path / "data", ("--model", base.source, "--no-packaged-model")

    with RunningServer(data, *given) as server:
        job_id, cancelled_id = submitted(server), submitted(server)
        wait_for_steps(server, job_id, 3)  # the first step, and before any checkpoint
        server.kill()
    with RunningServer(data, *given) as server:
        wait_for_steps(server, job_id, 11)  # between two checkpoints
        kill_the_trainer(server)
        wait_for_steps(server, job_id, 13)
        server.client.fine_tuning.jobs.pause(job_id)
        server.client.fine_tuning.jobs.pause(cancelled_id)
        wait_for_status(server, job_id, "paused")
        server.client.fine_tuning.jobs.cancel(cancelled_id)
        server.client.fine_tuning.jobs.resume(job_id)
        job = finished(server.client, job_id, timeout_s=PATIENCE_S)
        told, last = curve(server, job_id), measured(server, job_id)[-1]
        messages = [event.message for event in all_events(server.client, job_id)]
        checkpoints = server.client.fine_tuning.jobs.checkpoints.list(job_id).data
        models = {model.id for model in server.client.models.list()}
        wait_until_empty(data / "work")

    assert job.status == "succeeded"
    assert told == expected
    assert last["step"] == 40
    result = job.to_dict()["result"]["held_out"]
    assert {f"held_out_{name}": n for name, n in result.items()}.items() <= last.items()
    assert len(messages) == len(set(messages))
    assert messages.count("Fine-tuning job paused") == 1
    assert [checkpoint.step_number for checkpoint in checkpoints] == [40, 32, 24]
    assert models == {
        "tiny",
        job.fine_tuned_model,
        *(checkpoint.fine_tuned_model_checkpoint for checkpoint in checkpoints),
    }
    assert checkpoints[0].metrics.full_valid_loss == expected[-1][2]
    # What was killed in the middle of writing has left nothing behind.
    assert list((data / "drafts").iterdir()) == []


def test_neither_the_server_nor_a_search_for_methods_imports_what_trains():
    code = (
        "import sys, trainerbot.modelserver.__main__\n"
        "from trainerbot.modelserver.trainers.methods import available_methods\n"
        "print(available_methods(), [name for name in "
        "('torch', 'transformers', 'peft', 'trl', 'datasets') if name in sys.modules])"
    )

    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=180, check=True
    )

    assert told.stdout.strip() == "['knn', 'supervised', 'dpo'] []"
