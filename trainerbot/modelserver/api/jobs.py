"""/v1/fine_tuning/jobs: create, retrieve, list, cancel, pause, resume, events, checkpoints."""

import asyncio
import re
import secrets
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import InvalidInput, NotFound
from trainerbot.modelserver.api import wire
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.pages import page
from trainerbot.modelserver.api.requests import (
    IntegrationBody,
    JobBody,
    check_metadata,
    in_range,
    metadata_filter,
    read_body,
    whole_number,
)
from trainerbot.modelserver.bases import BaseModel
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.jobs import JobRunner
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.runtimes.base import RuntimeAbsent
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.trainers.methods import (
    METHODS,
    available_methods,
    require_method,
)
from trainerbot.modelserver.trainers.offered import default_method_for, methods_for

_MOST_TAGS = 50
_MAX_WORD = 256
_MAX_SEED = 2**63 - 1
_SUFFIX = re.compile(r"[\w.\- ]{1,64}")


def routes(store: Store, catalog: Catalog, runner: JobRunner) -> list[Route]:
    """Return the routes of /v1/fine_tuning/jobs."""

    async def create(request: Request) -> Response:
        body = await read_body(request, JobBody)
        job = await asyncio.to_thread(_create, store, catalog, body)
        runner.wake()
        return JSONResponse(wire.job_object(job))

    def index(request: Request) -> Response:
        found = store.jobs(
            after=request.query_params.get("after"),
            limit=whole_number(request, "limit", default=20, low=0, high=100),
            metadata=metadata_filter(request),
            without_metadata=request.query_params.get("metadata") == "null",
        )
        return page([wire.job_object(job) for job in found.rows], found.has_more)

    def retrieve(request: Request) -> Response:
        return JSONResponse(wire.job_object(job_of(store, request)))

    async def cancel(request: Request) -> Response:
        job = await asyncio.to_thread(job_of, store, request)
        job = await asyncio.to_thread(store.cancel_job, job.id)
        runner.drop(job.id)
        return JSONResponse(wire.job_object(job))

    async def pause(request: Request) -> Response:
        job = await asyncio.to_thread(job_of, store, request)
        job = await asyncio.to_thread(store.pause_job, job.id)
        runner.pause(job.id)
        return JSONResponse(wire.job_object(job))

    async def resume(request: Request) -> Response:
        job = await asyncio.to_thread(job_of, store, request)
        job = await asyncio.to_thread(store.resume_job, job.id)
        runner.wake()
        return JSONResponse(wire.job_object(job))

    def events(request: Request) -> Response:
        found = store.events(
            job_of(store, request).id,
            after=request.query_params.get("after"),
            limit=whole_number(request, "limit", default=20, low=0, high=1000),
        )
        return page([wire.event_object(event) for event in found.rows], found.has_more)

    def checkpoints(request: Request) -> Response:
        # A job of method knn has none, but must exist.
        found = store.checkpoints(
            job_of(store, request).id,
            after=request.query_params.get("after"),
            limit=whole_number(request, "limit", default=10, low=0, high=100),
        )
        return page([wire.checkpoint_object(row) for row in found.rows], found.has_more)

    job = "/v1/fine_tuning/jobs/{job_id}"
    return [
        Route("/v1/fine_tuning/jobs", create, methods=["POST"]),
        Route("/v1/fine_tuning/jobs", index, methods=["GET"]),
        Route(job, retrieve, methods=["GET"]),
        Route(f"{job}/cancel", cancel, methods=["POST"]),
        Route(f"{job}/pause", pause, methods=["POST"]),
        Route(f"{job}/resume", resume, methods=["POST"]),
        Route(f"{job}/events", events, methods=["GET"]),
        Route(f"{job}/checkpoints", checkpoints, methods=["GET"]),
    ]


def job_of(store: Store, request: Request) -> StoredJob:
    """Return the job that the address names. Raises ApiError."""
    try:
        return store.job(request.path_params["job_id"])
    except NotFound as error:
        raise ApiError(
            str(error), status=404, param="fine_tune_id", code="fine_tune_not_found"
        ) from error


def _create(store: Store, catalog: Catalog, body: JobBody) -> StoredJob:
    """Check everything that OpenAI checks at once, and store the job."""
    if catalog.bases.default is None:
        raise RuntimeAbsent
    base = catalog.bases.get(body.model)
    if base is None:
        raise ApiError(
            f"Model {body.model[:200]} is not available for fine-tuning or does not exist.",
            param="model",
            code="model_not_available",
        )
    method, hyperparameters = _method(body, base)
    _check_file(store, body.training_file, "training_file")
    if body.validation_file is not None:
        _check_file(store, body.validation_file, "validation_file")
    in_range("seed", body.seed, low=0, high=_MAX_SEED)
    check_metadata(body.metadata)
    integrations = _integrations(body.integrations)
    job = store.add_job(
        model=body.model,
        method=method,
        hyperparameters=hyperparameters,
        seed=secrets.randbelow(2**31) if body.seed is None else body.seed,
        training_file=body.training_file,
        validation_file=body.validation_file,
        suffix=_checked_suffix(body.suffix),
        metadata=body.metadata,
        integrations=integrations,
    )
    if integrations:
        store.record(
            job.id,
            "integrations",
            "Weights & Biases is noted, but this server sends nothing to it; the metrics are in "
            "the events and in the result file",
            level="warn",
        )
    return job


def _method(body: JobBody, base: BaseModel) -> tuple[str, dict[str, Any]]:
    """Return the method's name and its hyperparameters as asked for."""
    name = default_method_for(base)
    given: object = body.hyperparameters
    if body.method is not None:
        asked = body.method.get("type")
        if not isinstance(asked, str) or asked not in METHODS:
            raise ApiError(
                f"Method {str(asked)[:50]!r} is not available on this server. "
                f"Available methods: {', '.join(available_methods())}.",
                param="method.type",
                code="unsupported_method",
            )
        name = asked
        if METHODS[name].changes_weights and not base.trainable:
            raise ApiError(
                f"The weights of {base.id} cannot be trained: its architecture "
                f"({base.architecture or 'unknown'}) is none that can be converted from GGUF and "
                f"back. Available methods: {', '.join(methods_for(base))}.",
                param="method.type",
                code="unsupported_method",
            )
        settings = body.method.get(name) or {}
        given = settings.get("hyperparameters") if isinstance(settings, dict) else settings
        given = given or body.hyperparameters
    if not isinstance(given or {}, dict):
        raise ApiError(
            f"Invalid type for 'method.{name}': expected an object.",
            param=f"method.{name}",
            code="invalid_type",
        )
    assert given is None or isinstance(given, dict)
    try:
        return name, require_method(name).requested(given or {})
    except InvalidInput as error:
        raise ApiError(
            str(error), param="hyperparameters", code="invalid_hyperparameters"
        ) from error


def _integrations(given: list[IntegrationBody] | None) -> list[dict[str, Any]]:
    """Return the integrations as they are told back; nothing is sent to any of them."""
    for integration in given or []:
        wandb = integration.wandb
        words = [wandb.project, wandb.entity or "", wandb.name or "", *(wandb.tags or [])]
        if len(words) > _MOST_TAGS or max(map(len, words)) > _MAX_WORD or not wandb.project:
            raise ApiError(
                "Invalid 'integrations': a project is needed, and at most "
                f"{_MOST_TAGS} words of {_MAX_WORD} characters are possible.",
                param="integrations",
                code="invalid_value",
            )
    if given and len(given) > 1:
        raise ApiError(
            "Invalid 'integrations': one of type wandb is possible.",
            param="integrations",
            code="invalid_value",
        )
    told: list[dict[str, Any]] = msgspec.to_builtins(given or [])
    return told


def _check_file(store: Store, file_id: str, param: str) -> None:
    try:
        file = store.file(file_id)
    except NotFound as error:
        raise ApiError(f"invalid {param}: {file_id[:200]}", param=param) from error
    if file.purpose != "fine-tune":
        raise ApiError(
            f"File '{file_id}' has purpose '{file.purpose}', but 'fine-tune' is needed.",
            param=param,
            code="invalid_file_purpose",
        )


def _checked_suffix(suffix: str | None) -> str | None:
    if suffix is None:
        return None
    if not _SUFFIX.fullmatch(suffix):
        raise ApiError(
            "Invalid 'suffix': 1 to 64 letters, digits, spaces and . _ - are possible.",
            param="suffix",
            code="invalid_value",
        )
    return suffix.replace(" ", "-")
