"""What is wrong with a job's files, in OpenAI's words, before it may train."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from trainerbot.errors import NotFound
from trainerbot.formats import Report, check, check_chat_jsonl
from trainerbot.modelserver.jobs.failures import JobFailed
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.trainers.knn import MIN_EXAMPLES
from trainerbot.modelserver.trainers.methods import METHODS


def check_files(store: Store, job: StoredJob, *, max_bytes: int) -> None:
    """Read the job's files to their end. Raises JobFailed."""
    for file_id, param in (
        (job.training_file, "training_file"),
        (job.validation_file, "validation_file"),
    ):
        if file_id is not None:
            with deleted_in_words(file_id, param):
                path = path_of(store, file_id, param)
                report = _report(path, job.method, param, max_bytes=max_bytes)
            _judge(report, param)


def _report(path: Path, method: str, param: str, *, max_bytes: int) -> Report:
    min_examples = MIN_EXAMPLES if param == "training_file" else 1
    if METHODS[method].rows == "chat":
        return check_chat_jsonl(path, max_bytes=max_bytes, min_examples=min_examples)
    return check(
        path, format="dpo-jsonl", target="any", max_bytes=max_bytes, min_examples=min_examples
    )


def _judge(report: Report, param: str) -> None:
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
    with deleted_in_words(file_id, param):
        return store.blobs.path(store.file(file_id).sha256)


@contextlib.contextmanager
def deleted_in_words(file_id: str, param: str) -> Iterator[None]:
    """Raise JobFailed where a file's row is gone, or its content, which goes right after it."""
    try:
        yield
    except (NotFound, FileNotFoundError) as error:
        raise JobFailed(
            f"The {param.replace('_', ' ')} {file_id} was deleted before the job ran.",
            code=f"invalid_{param}",
            param=param,
        ) from error
