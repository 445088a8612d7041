"""What is wrong with a job's files, in OpenAI's words, before it may train."""

from pathlib import Path

from trainerbot.errors import NotFound
from trainerbot.formats import check_chat_jsonl
from trainerbot.modelserver.jobs.failures import JobFailed
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.trainers.knn import MIN_EXAMPLES


def check_files(store: Store, job: StoredJob, *, max_bytes: int) -> None:
    """Read the job's files to their end. Raises JobFailed."""
    _check_file(store, job.training_file, "training_file", max_bytes=max_bytes)
    if job.validation_file is not None:
        _check_file(store, job.validation_file, "validation_file", max_bytes=max_bytes)


def _check_file(store: Store, file_id: str, param: str, *, max_bytes: int) -> None:
    report = check_chat_jsonl(
        path_of(store, file_id, param),
        max_bytes=max_bytes,
        min_examples=MIN_EXAMPLES if param == "training_file" else 1,
    )
    problem = report.first_error
    if problem is None:
        return
    if problem.code == "invalid_n_examples":
        raise JobFailed(problem.message, code=problem.code, param=param)
    kind = param.replace("_", " ")
    raise JobFailed(
        f"The job failed due to an invalid {kind}. {problem.message}",
        code=f"invalid_{param}",
        param=param,
    )


def path_of(store: Store, file_id: str, param: str) -> Path:
    """Return where the file's content lies. Raises JobFailed when it was deleted."""
    try:
        return store.blobs.path(store.file(file_id).sha256)
    except NotFound as error:
        raise JobFailed(
            f"The {param.replace('_', ' ')} {file_id} was deleted before the job ran.",
            code=f"invalid_{param}",
            param=param,
        ) from error
