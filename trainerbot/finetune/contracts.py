"""What a fine-tuning endpoint is to the rest of the project."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from trainerbot.endpoints import ModelInfo


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What to train.

    `method` is the endpoint's word (supervised, dpo, knn); `hyperparameters`
    go to it as they are. `suffix` becomes part of the model's name. `metadata`
    is kept at the endpoint (16 pairs, key 64, value 512 characters at OpenAI)
    and is how `find` knows the job again.
    """

    base_model: str
    method: str
    suffix: str | None = None
    seed: int | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job as the endpoint last told it.

    `status` is the endpoint's own word; unknown ones come (OpenAI pauses jobs
    without a status for it), so only `ended` is decided here. `finished_at` is
    in Unix seconds. `raw` is the whole row.
    """

    id: str
    status: str
    fine_tuned_model: str | None
    error_code: str | None
    error_message: str | None
    trained_tokens: int | None
    finished_at: int | None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class RemoteEvent:
    """One line of a job's log; `created_at` in Unix seconds.

    `type` is "message" or "metrics"; `data` of metrics holds step, total_steps,
    train_loss and whatever else the endpoint measures.
    """

    id: str
    created_at: int
    level: str
    message: str
    type: str
    data: dict[str, Any] = field(default_factory=dict)


class FineTuneProvider(Protocol):
    """A way to train at one endpoint. Blocks; safe to share among threads.

    Every call raises ProviderUnavailable when the endpoint cannot be reached,
    is silent too long, busy or broken (trying again may help), and
    ProviderRefused when it says no.
    """

    def upload(self, path: str | os.PathLike[str]) -> str:
        """Send a training file and return its id there.

        Read from disk as it goes out, never whole in memory. Raises OSError
        when the file cannot be read.
        """
        ...

    def create(
        self, spec: JobSpec, *, training_file: str, validation_file: str | None = None
    ) -> RemoteJob:
        """Start a job on uploaded files.

        Tried once only: when the answer is lost the job may exist all the
        same, and may cost money. Ask `find` before trying again.
        """
        ...

    def find(self, metadata: Mapping[str, str]) -> RemoteJob | None:
        """Return the newest job that carries all of `metadata`, or None.

        Looks through the newest 1,000 jobs, whether the endpoint filters or not.
        """
        ...

    def retrieve(self, job_id: str) -> RemoteJob:
        """Return the job as it stands now."""
        ...

    def cancel(self, job_id: str) -> RemoteJob:
        """Ask the endpoint to stop the job. One that has ended is refused."""
        ...

    def events(self, job_id: str, *, after: str | None = None) -> list[RemoteEvent]:
        """Return the job's events oldest first, each once; those newer than event `after`."""
        ...

    def base_models(self) -> list[ModelInfo]:
        """Return the models that may be trained on.

        Where rows say so (`fine_tune_methods`), those; else all but the results
        of earlier training.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
