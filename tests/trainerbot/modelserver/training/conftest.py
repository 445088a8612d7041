"""A tiny base model, and a way to train it in this process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.trainerbot.modelserver.training.tiny import greetings, make_base, write_jsonl
from trainerbot.modelserver.bases import BaseModel
from trainerbot.modelserver.trainers.methods import METHODS
from trainerbot.modelserver.trainers.task import Report, Task

Rows = Sequence[dict[str, Any]]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    """Two layers of random weights."""
    return make_base(tmp_path_factory.mktemp("base") / "tiny")


class Trainer:
    """Trains jobs of the tiny model in this process, in folders that stay from run to run."""

    def __init__(self, base: BaseModel, folder: Path) -> None:
        self._base = base
        self._folder = folder

    def work(self, name: str = "job") -> Path:
        """The work folder of a job."""
        return self._folder / name

    def __call__(
        self,
        rows: Rows | None = None,
        *,
        name: str = "job",
        method: str = "supervised",
        valid: Rows | None = None,
        after: Callable[[Report], None] | None = None,
        done_steps: int = 0,
        done_checkpoints: Sequence[int] = (),
        **hyperparameters: Any,
    ) -> list[Report]:
        """Run the job, or go on with it, and return what it told."""
        # Only tests that train may load PyTorch.
        from trainerbot.modelserver.trainers.lora.work import train

        work = self.work(name)
        work.mkdir(exist_ok=True)
        training = write_jsonl(self._folder / "train.jsonl", rows or greetings(12))
        validation = None
        if valid is not None:
            validation = str(write_jsonl(self._folder / "valid.jsonl", valid))
        quick = {"n_epochs": 2, "batch_size": 4, "rehearsal_ratio": 0.0, "lora_rank": 4}
        wanted = {**METHODS[method].requested({}), **quick, **hyperparameters}
        known = METHODS[method].hyperparameters
        told: list[Report] = []

        def tell(report: Report) -> None:
            told.append(report)
            if after is not None:
                after(report)

        train(
            Task(
                method=method,
                training_path=str(training),
                validation_path=validation,
                work=str(work),
                hyperparameters={key: value for key, value in wanted.items() if key in known},
                seed=3,
                done_steps=done_steps,
                base=self._base,
                done_checkpoints=list(done_checkpoints),
                cache=str(self._folder / "cache"),
            ),
            tell,
        )
        return told


@pytest.fixture
def trainer(base: BaseModel, tmp_path: Path) -> Trainer:
    """Trains in a folder of this test."""
    return Trainer(base, tmp_path)
