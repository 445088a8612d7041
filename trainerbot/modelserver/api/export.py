"""GET /v1/fine_tuning/jobs/{id}/export: what a job made, to take along."""

import asyncio
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.modelserver.api.downloads import Download
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.jobs import job_of
from trainerbot.modelserver.api.streams import Stream
from trainerbot.modelserver.api.zipping import length, zipped
from trainerbot.modelserver.bases import BaseModel, Bases
from trainerbot.modelserver.conversion import GGUF_NAME
from trainerbot.modelserver.exports import CONFIG, WEIGHTS, Exports, Kind
from trainerbot.modelserver.records import StoredJob, StoredModel
from trainerbot.modelserver.store import Store

_FORMATS = ("adapter", "gguf", "merged", "merged-gguf")
_GGUF = "adapter.gguf"
_RETRY_S = 2


def routes(store: Store, bases: Bases, exports: Exports) -> list[Route]:
    """Return the route of exports."""

    async def export(request: Request) -> Response:
        form = request.query_params.get("format", "adapter")
        if form not in _FORMATS:
            raise ApiError(
                f"Invalid value for 'format': {form[:50]!r}. Possible are {', '.join(_FORMATS)}.",
                param="format",
                code="invalid_value",
            )
        job = await asyncio.to_thread(job_of, store, request)
        model = await asyncio.to_thread(_model, store, job, request.query_params.get("checkpoint"))
        if WEIGHTS not in model.files:
            raise ApiError(
                f"A model of method {model.method} has no weights of its own to export: it is its "
                "base model with an index of the training examples.",
                code="no_weights",
            )
        name = re.sub(r"[^\w.-]+", "-", model.id)
        if form == "adapter":
            return await _adapter(store, bases, model, name)
        if form == "gguf":
            gguf = _adapter_gguf(store, model)
            return Download(gguf, filename=f"{name}.gguf", gone=_deleted(model.id))
        base = bases.get(model.base_model)
        if base is None:
            raise ApiError(
                f"The model server was started without {model.base_model}, so nothing can be "
                "merged into it. The adapter can be exported all the same.",
                status=409,
                code="base_model_absent",
            )
        return await _merged(exports, job, model, base, form, name)

    return [Route("/v1/fine_tuning/jobs/{job_id}/export", export, methods=["GET"])]


def _model(store: Store, job: StoredJob, checkpoint: str | None) -> StoredModel:
    """Return the job's model, or that of the checkpoint with this id or step."""
    if checkpoint is not None:
        rows = store.checkpoints(job.id, limit=1000).rows
        found = [row for row in rows if checkpoint in (row.id, row.model_id, str(row.step))]
        if not found:
            raise ApiError(
                f"The job {job.id} has no checkpoint {checkpoint[:100]} (any more).",
                status=404,
                param="checkpoint",
            )
        model_id = found[0].model_id
    elif job.fine_tuned_model is None:
        raise ApiError(
            f"The job {job.id} has made no model: its status is {job.status}. Ask for one of its "
            "checkpoints, or wait until it has succeeded.",
            status=409,
            code="no_model",
        )
    else:
        model_id = job.fine_tuned_model
    model = store.model(model_id)
    if model is None:
        raise _deleted(model_id)
    return model


async def _adapter(store: Store, bases: Bases, model: StoredModel, name: str) -> Response:
    """Return PEFT's two files as a zip; no path of this machine is told."""
    paths = {file: store.blobs.path(sha256) for file, sha256 in model.files.items()}
    base = bases.get(model.base_model)
    public = base.source if base is not None and base.kind == "hub" else model.base_model
    try:
        config = await asyncio.to_thread(_public_config, paths[CONFIG], public)
    except FileNotFoundError as error:
        raise _deleted(model.id) from error
    readme = _README.format(model=model.id, base=public, method=model.method)
    files: dict[str, Path | bytes] = {
        CONFIG: config,
        WEIGHTS: paths[WEIGHTS],
        "README.md": readme.encode(),
    }
    return await _zip(files, model, f"{name}-adapter.zip")


def _public_config(path: Path, base: str) -> bytes:
    config = msgspec.json.decode(path.read_bytes())
    config["base_model_name_or_path"] = base
    config.pop("auto_mapping", None)  # it names a class of the machine that trained
    return msgspec.json.format(msgspec.json.encode(config)) + b"\n"


def _adapter_gguf(store: Store, model: StoredModel) -> Path:
    if _GGUF not in model.files:
        raise ApiError(
            "The architecture of this model's base cannot be written as GGUF. Export "
            "format=adapter instead.",
            code="not_convertible",
        )
    return store.blobs.path(model.files[_GGUF])


async def _merged(
    exports: Exports, job: StoredJob, model: StoredModel, base: BaseModel, form: str, name: str
) -> Response:
    """Return the merged model, or 202 with how far it is."""
    if any(importlib.util.find_spec(package) is None for package in ("torch", "safetensors")):
        raise ApiError(
            "This model server lacks the packages that merge weights. Install them with: "
            "python3 run.py --with train",
            status=501,
            type="server_error",
            code="training_not_installed",
        )
    kind: Kind = "gguf" if form == "merged-gguf" else "safetensors"
    made = await exports.get(model, base, kind)
    if isinstance(made, float):
        return JSONResponse(
            {
                "object": "fine_tuning.job.export",
                "job_id": job.id,
                "model": model.id,
                "format": form,
                "status": "running",
                "progress": made,
            },
            status_code=202,
            headers={"Retry-After": str(_RETRY_S)},
        )
    if kind == "gguf":
        path, filename = made / GGUF_NAME, f"{name}-merged.gguf"
        return Download(path, filename=filename, gone=_deleted(model.id))
    files = await asyncio.to_thread(lambda: {path.name: path for path in sorted(made.iterdir())})
    return await _zip(files, model, f"{name}-merged.zip")


async def _zip(files: Mapping[str, Path | bytes], model: StoredModel, filename: str) -> Response:
    try:
        n_bytes = await asyncio.to_thread(length, files)
    except FileNotFoundError as error:
        raise _deleted(model.id) from error
    return Stream(
        zipped(files, created=model.created_at),
        media_type="application/zip",
        filename=filename,
        n_bytes=n_bytes,
    )


def _deleted(model_id: str) -> ApiError:
    return ApiError(f"The model {model_id} was deleted.", status=404, code="model_not_found")


_README = """\
# {model}

A LoRA adapter (method {method}) for {base}, made by TrainerBot's model server.

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained("PATH OR NAME OF {base}")
model = PeftModel.from_pretrained(base, "THIS FOLDER")
```
"""
