"""The rows of the store, as values."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")

# A paused job is not over: it can go on, be cancelled, and still tells how it stopped.
# One that is pausing is told as running, until what trains it has stopped.
ACTIVE = ("validating_files", "queued", "running", "pausing", "paused")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One uploaded or produced file. Two files with the same content share a blob."""

    id: str
    sha256: str
    n_bytes: int
    filename: str
    purpose: str
    created_at: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """A file that comes in parts: pending -> completed | cancelled | expired.

    `n_bytes` is what the client promised; `file_expires_after_s` is for the
    file that it becomes.
    """

    id: str
    created_at: int
    expires_at: int
    filename: str
    purpose: str
    mime_type: str
    n_bytes: int
    status: str
    file_expires_after_s: int | None
    file_id: str | None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One part of an upload; its bytes are a blob."""

    id: str
    upload_id: str
    created_at: int
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class StoredPermission:
    """What lets a project use a checkpoint."""

    id: str
    created_at: int
    checkpoint: str
    project_id: str


@dataclass(frozen=True, slots=True)
class StoredJob:
    """One fine-tuning job: validating_files -> queued -> running -> succeeded | failed | cancelled.

    A queued job can be paused; a running one is pausing first. Resumed, they are queued again.
    `hyperparameters` is as asked for until the job runs, then as chosen.
    `estimated_finish` is Unix time; `result` are figures that the job measured at its end.
    """

    id: str
    created_at: int
    status: str
    model: str
    method: str
    hyperparameters: dict[str, Any]
    seed: int
    training_file: str
    validation_file: str | None
    suffix: str | None
    metadata: dict[str, str] | None
    fine_tuned_model: str | None
    finished_at: int | None
    trained_tokens: int | None
    result_files: list[str]
    error: dict[str, Any] | None
    integrations: list[dict[str, Any]]
    estimated_finish: int | None
    result: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of a job. `type` is "message" or "metrics", `data` only with the latter."""

    id: str
    created_at: int
    level: str
    message: str
    type: str
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """The model as it was after `step` steps of a job; `model_id` answers like any tuned model."""

    id: str
    created_at: int
    job_id: str
    step: int
    model_id: str
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One tuned model. `files` holds what its method needs to answer: name -> SHA-256 of a blob."""

    id: str
    created_at: int
    base_model: str
    method: str
    job_id: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, and whether more follow."""

    rows: list[Row]
    has_more: bool
