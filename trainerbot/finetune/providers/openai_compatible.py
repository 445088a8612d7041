"""Fine-tuning jobs at any endpoint that takes OpenAI's `method`: OpenAI, Azure, our own."""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import httpx2
import msgspec
import openai

from trainerbot.endpoints import Endpoint, ModelInfo, failures
from trainerbot.endpoints.openai_sdk import (
    client_settings,
    failures_in_words,
    read_fault,
    read_models,
)
from trainerbot.finetune.contracts import (
    Download,
    FineTuneProvider,
    JobSpec,
    NotOffered,
    Preparing,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
)

PAGE: Final = 100  # the most rows that OpenAI gives at once
MAX_JOBS_SEARCHED: Final = 1_000
MAX_EVENTS: Final = 100_000
"""An endpoint that never says that a list has ended may not hold a worker for ever."""


PIECE_BYTES: Final = 256 * 1024
LONGEST_FILENAME: Final = 200


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

    def pause(self, job_id: str) -> RemoteJob:
        """See `FineTuneProvider.pause`."""
        with self._may_lack("cannot pause and resume jobs", f"job {job_id}"):
            answer = self._once().fine_tuning.jobs.with_raw_response.pause(job_id)
        return _job(self._row(answer.content))

    def resume(self, job_id: str) -> RemoteJob:
        """See `FineTuneProvider.resume`."""
        with self._may_lack("cannot pause and resume jobs", f"job {job_id}"):
            answer = self._once().fine_tuning.jobs.with_raw_response.resume(job_id)
        return _job(self._row(answer.content))

    def checkpoints(
        self, job_id: str, *, after: str | None = None, limit: int = 10
    ) -> tuple[list[RemoteCheckpoint], bool]:
        """See `FineTuneProvider.checkpoints`."""
        checkpoints = self._client.fine_tuning.jobs.checkpoints.with_raw_response
        with self._may_lack("lists no checkpoints", f"job {job_id}"):
            answer = checkpoints.list(job_id, limit=limit, after=after or openai.omit)
        body = self._object(answer.content)
        rows = body.get("data")
        if not isinstance(rows, list):
            raise failures.not_openai(self._endpoint)
        return [_checkpoint(self._with_id(row)) for row in rows], bool(body.get("has_more"))

    def export(
        self, job_id: str, *, form: str, checkpoint: str | None = None
    ) -> Download | Preparing:
        """See `FineTuneProvider.export`."""
        wanted = {"format": form} | ({"checkpoint": checkpoint} if checkpoint else {})
        asked_for = f"checkpoint {checkpoint}" if checkpoint else f"the model of job {job_id}"
        with self._may_lack("hands out no files of what it trained", asked_for):
            # With `stream` the SDK gives the HTTP response itself, of which only
            # the head was read; its types know only of events in a stream.
            response = cast(
                "httpx2.Response",
                self._once().get(
                    f"/fine_tuning/jobs/{quote(job_id, safe='')}/export",
                    cast_to=httpx2.Response,
                    options={"params": wanted, "headers": {"Accept-Encoding": "identity"}},
                    stream=True,
                    stream_cls=openai.Stream[Any],
                ),
            )
        if response.status_code == httpx2.codes.ACCEPTED:
            with failures_in_words(self._endpoint):
                body = self._object(response.read())
            return Preparing(min(max(_number(body.get("progress")) or 0.0, 0.0), 1.0))
        return Download(
            filename=_filename(response, default=f"{job_id}-{form}"),
            n_bytes=_n_bytes(response),
            pieces=self._pieces(response),
            close=response.close,
        )

    def delete_model(self, model: str) -> None:
        """See `FineTuneProvider.delete_model`."""
        with self._may_lack("cannot delete models", f"model {model}"):
            self._once().models.with_raw_response.delete(model)

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

    def _once(self) -> openai.OpenAI:
        """The client, for what is asked by a person who waits: refusals are told at once."""
        return self._client.with_options(max_retries=0)

    @contextmanager
    def _may_lack(self, lacks: str, subject: str) -> Iterator[None]:
        """Failures in words, for requests that not every endpoint knows.

        What an endpoint says of a state that does not allow it is passed on.
        """
        with failures_in_words(self._endpoint, subject):
            try:
                yield
            except openai.APIStatusError as error:
                code, said = read_fault(error.body)
                # A 404 about a job or a model names it; one about the address cannot.
                names_it = bool(error.code or error.param)
                if error.status_code in (404, 405, 501) and not names_it:
                    raise NotOffered(
                        f"The model endpoint {self._endpoint.name} {lacks}.",
                        code=code,
                        status=error.status_code,
                    ) from error
                if error.status_code in (409, 501):
                    raise failures.refused(
                        self._endpoint, status=400, code=code, said=said, subject=subject
                    ) from error
                raise

    def _pieces(self, response: httpx2.Response) -> Iterator[bytes]:
        with failures_in_words(self._endpoint):
            yield from response.iter_bytes(PIECE_BYTES)

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


def _checkpoint(row: dict[str, Any]) -> RemoteCheckpoint:
    metrics = row.get("metrics")
    told = metrics if isinstance(metrics, dict) else {}
    numbers = {str(name): _number(value) for name, value in told.items()}
    return RemoteCheckpoint(
        id=row["id"],
        model=str(row.get("fine_tuned_model_checkpoint") or ""),
        step=_whole(row.get("step_number")) or 0,
        created_at=_whole(row.get("created_at")) or 0,
        metrics={name: value for name, value in numbers.items() if value is not None},
    )


def _filename(response: httpx2.Response, *, default: str) -> str:
    """The name that the endpoint gives a file, without a folder before it."""
    header = Message()
    header["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    told = (header.get_filename() or "").replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, told)).strip(". ")[-LONGEST_FILENAME:] or default


def _n_bytes(response: httpx2.Response) -> int | None:
    """How long the file is, where the length told is that of what will be read."""
    told = response.headers.get("Content-Length", "")
    plain = response.headers.get("Content-Encoding", "identity") == "identity"
    return int(told) if plain and told.isascii() and told.isdecimal() else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _text(value: object) -> str | None:
    return str(value) if value else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
