"""What a fine-tuning endpoint is to the rest of the project."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from trainerbot.endpoints import ModelInfo
from trainerbot.errors import ProviderRefused


class NotOffered(ProviderRefused):
    """The endpoint knows no such request: not every one can pause, or hands out weights."""


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

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """As the endpoint told them: a number for each "auto" once it has chosen one."""
        method = self.raw.get("method")
        own = method.get(str(method.get("type"))) if isinstance(method, dict) else None
        told = own.get("hyperparameters") if isinstance(own, dict) else None
        told = told or self.raw.get("hyperparameters")
        return told if isinstance(told, dict) else {}

    @property
    def result(self) -> dict[str, Any]:
        """What our own model server measured at the end; empty elsewhere."""
        told = self.raw.get("result")
        return told if isinstance(told, dict) else {}


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


@dataclass(frozen=True, slots=True)
class RemoteCheckpoint:
    """A model as it stood after `step` steps. It answers under the id `model`.

    `metrics` holds what was measured then, as in an event. `created_at` is in
    Unix seconds.
    """

    id: str
    model: str
    step: int
    created_at: int
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way from the endpoint, to be read once and closed.

    `n_bytes` is None where the endpoint does not tell. Reading blocks, and
    raises ProviderUnavailable when the endpoint breaks off.
    """

    filename: str
    n_bytes: int | None
    pieces: Iterator[bytes] = field(repr=False)
    close: Callable[[], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Preparing:
    """A file that the endpoint is still making; `progress` in 0..1."""

    progress: float


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

    def pause(self, job_id: str) -> RemoteJob:
        """Ask the endpoint to stop the job for a while and keep what it has learned.

        One that is running may go on to its next step first. Raises NotOffered
        where jobs cannot be paused.
        """
        ...

    def resume(self, job_id: str) -> RemoteJob:
        """Let a paused job go on. Raises NotOffered where jobs cannot be paused."""
        ...

    def checkpoints(
        self, job_id: str, *, after: str | None = None, limit: int = 10
    ) -> tuple[list[RemoteCheckpoint], bool]:
        """Return checkpoints newest first, those older than checkpoint `after`; whether more follow.

        Raises NotOffered where there are none to be listed.
        """
        ...

    def export(
        self, job_id: str, *, form: str, checkpoint: str | None = None
    ) -> Download | Preparing:
        """Open what the job made, or one of its checkpoints, as a file.

        `form` is the endpoint's word (adapter, gguf, merged, merged-gguf). A
        file that takes a while is begun, and asked for again until it is there.
        Raises NotOffered where none are handed out.
        """
        ...

    def delete_model(self, model: str) -> None:
        """Delete a tuned model for good. Raises NotOffered where that cannot be done."""
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
