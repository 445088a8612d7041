"""Fine-tuning jobs at any endpoint that takes OpenAI's `method`: OpenAI, Azure, our own."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import openai

from trainerbot.endpoints import Endpoint, ModelInfo, failures
from trainerbot.endpoints.openai_sdk import client_settings, failures_in_words, read_models
from trainerbot.finetune.contracts import FineTuneProvider, JobSpec, RemoteEvent, RemoteJob

PAGE: Final = 100  # the most rows that OpenAI gives at once
MAX_JOBS_SEARCHED: Final = 1_000
MAX_EVENTS: Final = 100_000
"""An endpoint that never says that a list has ended may not hold a worker for ever."""


class OpenAICompatibleJobs(FineTuneProvider):
    """A `FineTuneProvider` on the openai SDK.

    Bodies are read as plain JSON: endpoints add fields and statuses that the
    SDK's types do not know, and all of a row is kept.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = openai.OpenAI(
            **client_settings(endpoint),
            http_client=openai.DefaultHttpxClient(trust_env=not endpoint.is_loopback),
        )

    def upload(self, path: str | os.PathLike[str]) -> str:
        """See `FineTuneProvider.upload`."""
        # A handle, not a path: given a path the SDK reads it whole into memory.
        with Path(path).open("rb") as file, failures_in_words(self._endpoint, "files"):
            answer = self._client.files.with_raw_response.create(
                file=(Path(path).name, file, "application/jsonl"), purpose="fine-tune"
            )
        return str(self._row(answer.content)["id"])

    def create(
        self, spec: JobSpec, *, training_file: str, validation_file: str | None = None
    ) -> RemoteJob:
        """See `FineTuneProvider.create`."""
        request: dict[str, Any] = {
            "model": spec.base_model,
            "training_file": training_file,
            "method": {
                "type": spec.method,
                spec.method: {"hyperparameters": dict(spec.hyperparameters)},
            },
        }
        optional = {
            "validation_file": validation_file,
            "suffix": spec.suffix or None,
            "seed": spec.seed,
            "metadata": dict(spec.metadata) or None,
        }
        request.update({key: value for key, value in optional.items() if value is not None})
        once = self._client.with_options(max_retries=0)
        with failures_in_words(self._endpoint, f"model {spec.base_model} or its training file"):
            answer = once.fine_tuning.jobs.with_raw_response.create(**request)
        return _job(self._row(answer.content))

    def find(self, metadata: Mapping[str, str]) -> RemoteJob | None:
        """See `FineTuneProvider.find`."""
        jobs = self._client.fine_tuning.jobs.with_raw_response

        def page(after: str | None) -> bytes:
            wanted = dict(metadata)
            return jobs.list(limit=PAGE, metadata=wanted, after=after or openai.omit).content

        for row in self._rows(page, MAX_JOBS_SEARCHED):
            # Not every endpoint heeds the filter.
            if metadata.items() <= (row.get("metadata") or {}).items():
                return _job(row)
        return None

    def retrieve(self, job_id: str) -> RemoteJob:
        """See `FineTuneProvider.retrieve`."""
        with failures_in_words(self._endpoint, f"job {job_id}"):
            answer = self._client.fine_tuning.jobs.with_raw_response.retrieve(job_id)
        return _job(self._row(answer.content))

    def cancel(self, job_id: str) -> RemoteJob:
        """See `FineTuneProvider.cancel`."""
        with failures_in_words(self._endpoint, f"job {job_id}"):
            answer = self._client.fine_tuning.jobs.with_raw_response.cancel(job_id)
        return _job(self._row(answer.content))

    def events(self, job_id: str, *, after: str | None = None) -> list[RemoteEvent]:
        """See `FineTuneProvider.events`."""
        jobs = self._client.fine_tuning.jobs.with_raw_response

        def page(after: str | None) -> bytes:
            return jobs.list_events(job_id, limit=PAGE, after=after or openai.omit).content

        # They come newest first, so the ones not yet known lie before `after`.
        # A page may repeat rows of the last one while events are being added.
        fresh: dict[str, RemoteEvent] = {}
        for row in self._rows(page, MAX_EVENTS):
            if row["id"] == after:
                break
            fresh.setdefault(row["id"], _event(row))
        # Many share a second, so their order in the list decides among those.
        oldest_first = list(fresh.values())[::-1]
        oldest_first.sort(key=lambda event: event.created_at)
        return oldest_first

    def base_models(self) -> list[ModelInfo]:
        """See `FineTuneProvider.base_models`."""
        with failures_in_words(self._endpoint, "a list of models"):
            answer = self._client.models.with_raw_response.list()
        models = read_models(self._endpoint, answer.content)
        declared = [model for model in models if model.details.get("fine_tune_methods")]
        return declared or [model for model in models if not model.id.startswith("ft:")]

    def close(self) -> None:
        """See `FineTuneProvider.close`."""
        self._client.close()

    def _rows(self, page: Callable[[str | None], bytes], limit: int) -> Iterator[dict[str, Any]]:
        """Yield up to `limit` rows of a paged list, in the endpoint's order."""
        after: str | None = None
        n_rows = 0
        while n_rows < limit:
            with failures_in_words(self._endpoint, "this job"):
                content = page(after)
            body = self._object(content)
            rows = body.get("data")
            if not isinstance(rows, list):
                raise failures.not_openai(self._endpoint)
            for row in rows:
                yield self._with_id(row)
            n_rows += len(rows)
            if not rows or not body.get("has_more") or rows[-1]["id"] == after:
                return
            after = rows[-1]["id"]

    def _row(self, content: bytes) -> dict[str, Any]:
        return self._with_id(self._object(content))

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            body = msgspec.json.decode(content, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise failures.not_openai(self._endpoint) from error
        return body

    def _with_id(self, row: Any) -> dict[str, Any]:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise failures.not_openai(self._endpoint)
        return row


def _job(row: dict[str, Any]) -> RemoteJob:
    # No error is null at OpenAI, {} at some, an object of nulls at others.
    error = row.get("error")
    fault: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    return RemoteJob(
        id=row["id"],
        status=str(row.get("status") or "unknown"),
        fine_tuned_model=_text(row.get("fine_tuned_model")),
        error_code=_text(fault.get("code")),
        error_message=_text(fault.get("message")),
        trained_tokens=_whole(row.get("trained_tokens")),
        finished_at=_whole(row.get("finished_at")),
        raw=row,
    )


def _event(row: dict[str, Any]) -> RemoteEvent:
    data = row.get("data")
    return RemoteEvent(
        id=row["id"],
        created_at=_whole(row.get("created_at")) or 0,
        level=str(row.get("level") or "info"),
        message=str(row.get("message") or ""),
        type=str(row.get("type") or "message"),
        data=data if isinstance(data, dict) else {},
    )


def _text(value: object) -> str | None:
    return str(value) if value else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
