"""Rows as OpenAI's objects."""

from typing import Any

from trainerbot.modelserver.bases import BaseModel
from trainerbot.modelserver.records import (
    StoredCheckpoint,
    StoredEvent,
    StoredFile,
    StoredJob,
    StoredModel,
    StoredPart,
    StoredPermission,
    StoredUpload,
)
from trainerbot.modelserver.trainers.methods import METHODS
from trainerbot.modelserver.trainers.offered import methods_for

ORGANIZATION = "org-trainerbot"


def file_object(file: StoredFile) -> dict[str, Any]:
    """Return the File object. One that never expires has no `expires_at`, as OpenAI's."""
    described: dict[str, Any] = {
        "id": file.id,
        "object": "file",
        "bytes": file.n_bytes,
        "created_at": file.created_at,
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }
    if file.expires_at is not None:
        described["expires_at"] = file.expires_at
    return described


def upload_object(upload: StoredUpload, file: StoredFile | None = None) -> dict[str, Any]:
    """Return the Upload object, with the file that it became."""
    described: dict[str, Any] = {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.n_bytes,
        "created_at": upload.created_at,
        "expires_at": upload.expires_at,
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": upload.status,
    }
    if file is not None:
        described["file"] = file_object(file)
    return described


def part_object(part: StoredPart) -> dict[str, Any]:
    """Return the upload.part object."""
    return {
        "id": part.id,
        "object": "upload.part",
        "created_at": part.created_at,
        "upload_id": part.upload_id,
    }


def permission_object(permission: StoredPermission) -> dict[str, Any]:
    """Return the checkpoint.permission object."""
    return {
        "id": permission.id,
        "object": "checkpoint.permission",
        "created_at": permission.created_at,
        "project_id": permission.project_id,
    }


def job_object(job: StoredJob) -> dict[str, Any]:
    """Return the fine_tuning.job object."""
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "estimated_finish": job.estimated_finish,
        "model": job.model,
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": ORGANIZATION,
        # OpenAI has no word for it.
        "status": "running" if job.status == "pausing" else job.status,
        "training_file": job.training_file,
        "validation_file": job.validation_file,
        "result_files": job.result_files,
        "trained_tokens": job.trained_tokens,
        "hyperparameters": job.hyperparameters,
        "method": {"type": job.method, job.method: {"hyperparameters": job.hyperparameters}},
        "seed": job.seed,
        "user_provided_suffix": job.suffix,
        "metadata": job.metadata,
        "integrations": job.integrations,
        "error": job.error,
        # Figures of our own, which the job measured at its end.
        "result": job.result,
    }


def checkpoint_object(checkpoint: StoredCheckpoint) -> dict[str, Any]:
    """Return the fine_tuning.job.checkpoint object."""
    return {
        "id": checkpoint.id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": checkpoint.created_at,
        "fine_tuned_model_checkpoint": checkpoint.model_id,
        "fine_tuning_job_id": checkpoint.job_id,
        "metrics": checkpoint.metrics,
        "step_number": checkpoint.step,
    }


def event_object(event: StoredEvent) -> dict[str, Any]:
    """Return the fine_tuning.job.event object."""
    return {
        "id": event.id,
        "object": "fine_tuning.job.event",
        "created_at": event.created_at,
        "level": event.level,
        "message": event.message,
        "type": event.type,
        "data": event.data,
    }


def base_model_object(base: BaseModel, runtime: str) -> dict[str, Any]:
    """Return the Model object of a base model, with what it can be tuned by here."""
    return {
        "id": base.id,
        "object": "model",
        "created": base.created,
        "owned_by": "trainerbot",
        "runtime": runtime,
        "context_tokens": base.context_tokens,
        "base_model": None,
        "fine_tune_methods": methods_for(base),
        "method": None,
        "notes": "An untouched base model.",
        "shutdown_date": base.shutdown_date,
    }


def sentence_model_object(model_id: str) -> dict[str, Any]:
    """Return the Model object of a model that makes embeddings and nothing else."""
    return {
        "id": model_id,
        "object": "model",
        "created": 0,
        "owned_by": "trainerbot",
        "runtime": "numpy",
        "context_tokens": None,
        "base_model": None,
        "fine_tune_methods": [],
        "method": None,
        "notes": "Compares texts by what they mean; makes embeddings and nothing else.",
    }


def tuned_model_object(
    model: StoredModel, base: BaseModel | None, runtime: str | None
) -> dict[str, Any]:
    """Return the Model object of a tuned model, which says plainly what tuning it was.

    `base` and its `runtime` are None where the server was started without it.
    """
    return {
        "id": model.id,
        "object": "model",
        "created": model.created_at,
        "owned_by": ORGANIZATION,
        "runtime": runtime,
        "context_tokens": None if base is None else base.context_tokens,
        "base_model": model.base_model,
        "fine_tune_methods": [],
        "method": model.method,
        "notes": METHODS[model.method].notes,
        "fine_tuning_job": model.job_id,
        # It answers with its base model's weights, and goes with it.
        "shutdown_date": None if base is None else base.shutdown_date,
    }
