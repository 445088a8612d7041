"""An OpenAPI description of the operations that we serve, made of the SDK's own types.

OpenAI's published description is older than the SDK, and what it says of these
operations the SDK's types say too: both are generated from one source. What
the types leave open and the published text does not is added in `_tighten`.
"""

from typing import Any

from openai.types import (
    CreateEmbeddingResponse,
    FileDeleted,
    FileObject,
    Model,
    ModelDeleted,
    Upload,
    file_create_params,
    upload_complete_params,
    upload_create_params,
)
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionDeleted,
    ChatCompletionStoreMessage,
)
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent, job_create_params
from openai.types.fine_tuning.alpha import (
    GraderRunResponse,
    GraderValidateResponse,
    grader_run_params,
    grader_validate_params,
)
from openai.types.fine_tuning.checkpoints import (
    PermissionCreateResponse,
    PermissionDeleteResponse,
    PermissionRetrieveResponse,
    permission_create_params,
)
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.uploads import UploadPart
from pydantic import TypeAdapter

JOBS = "/fine_tuning/jobs"
JOB = f"{JOBS}/{{fine_tuning_job_id}}"
PERMISSIONS = "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions"
GRADERS = "/fine_tuning/alpha/graders"
UPLOAD = "/uploads/{upload_id}"
CHATS = "/chat/completions"
CHAT = f"{CHATS}/{{completion_id}}"
_STRING = {"type": "string"}
_CURSOR = {"after": _STRING, "limit": {"type": "integer", "minimum": 1, "maximum": 100}}
_ORDER = {"type": "string", "enum": ["asc", "desc"]}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "minLength": 1},
                "type": _STRING,
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
# Ids that are there, beside those that schemathesis makes up.
_IDS = {
    "file_id": "file-abc123",
    "upload_id": "upload_abc123",
    "fine_tuning_job_id": "ft-AF1WoRqd3aJAHsqc9NY7iL8F",
    "fine_tuned_model_checkpoint": "ft:gpt-4o-mini-2024-07-18:org:weather:B7R9VjQd",
    "permission_id": "cp_zc4Q7MP6XxulcVzj4MZdwsAB",
    "model": "gpt-4o-mini",
    "completion_id": "completion_id",
}


def description() -> dict[str, Any]:
    """Return the whole description, OpenAPI 3.1."""
    schemas = _Schemas()
    paths: dict[str, dict[str, Any]] = {}

    def add(method: str, path: str, answer: object, **more: Any) -> None:
        paths.setdefault(path, {})[method] = _operation(schemas, method, path, answer, **more)

    add("post", "/files", FileObject, form=file_create_params.FileCreateParams, file="file")
    add("get", "/files", [FileObject], query={**_CURSOR, "order": _ORDER, "purpose": _STRING})
    add("get", "/files/{file_id}", FileObject)
    add("delete", "/files/{file_id}", FileDeleted)
    add("get", "/files/{file_id}/content", bytes)
    add("post", "/uploads", Upload, json=upload_create_params.UploadCreateParams)
    add("post", f"{UPLOAD}/parts", UploadPart, form=None, file="data")
    add("post", f"{UPLOAD}/complete", Upload, json=upload_complete_params.UploadCompleteParams)
    add("post", f"{UPLOAD}/cancel", Upload)
    add("post", JOBS, FineTuningJob, json=job_create_params.JobCreateParams)
    add("get", JOBS, [FineTuningJob], query=_CURSOR)
    add("get", JOB, FineTuningJob)
    for move in ("cancel", "pause", "resume"):
        add("post", f"{JOB}/{move}", FineTuningJob)
    add("get", f"{JOB}/events", [FineTuningJobEvent], query=_CURSOR)
    add("get", f"{JOB}/checkpoints", [FineTuningJobCheckpoint], query=_CURSOR)
    add(
        "post",
        PERMISSIONS,
        [PermissionCreateResponse],
        json=permission_create_params.PermissionCreateParams,
    )
    ordered = {"type": "string", "enum": ["ascending", "descending"]}
    add("get", PERMISSIONS, PermissionRetrieveResponse, query={**_CURSOR, "order": ordered})
    add("delete", f"{PERMISSIONS}/{{permission_id}}", PermissionDeleteResponse)
    add("post", f"{GRADERS}/run", GraderRunResponse, json=grader_run_params.GraderRunParams)
    add(
        "post",
        f"{GRADERS}/validate",
        GraderValidateResponse,
        json=grader_validate_params.GraderValidateParams,
    )
    add("get", "/models", [Model])
    add("get", "/models/{model}", Model)
    add("delete", "/models/{model}", ModelDeleted)
    add("post", "/embeddings", CreateEmbeddingResponse, json=_EMBEDDINGS)
    add("post", CHATS, ChatCompletion, json=_CHAT)
    add("get", CHATS, [ChatCompletion], query=_CURSOR)
    add("get", CHAT, ChatCompletion)
    add("post", CHAT, ChatCompletion, json=_METADATA)
    add("delete", CHAT, ChatCompletionDeleted)
    add("get", f"{CHAT}/messages", [ChatCompletionStoreMessage], query=_CURSOR)
    _tighten(schemas.found)
    return {
        "openapi": "3.1.0",
        "info": {"title": "What this server serves of OpenAI's API", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas.found},
    }


_EMBEDDINGS = {
    "type": "object",
    "required": ["input", "model"],
    "properties": {
        "input": {"anyOf": [_STRING, {"type": "array", "items": _STRING, "maxItems": 3}]},
        "model": {"enum": ["gpt-4o-mini", "no-such-model"]},
        "encoding_format": {"enum": ["float", "base64"]},
    },
}


_METADATA = {
    "type": "object",
    "required": ["metadata"],
    "properties": {"metadata": {"type": ["object", "null"], "additionalProperties": _STRING}},
}
# Short, so that the real model has soon answered.
_CHAT = {
    "type": "object",
    "required": ["messages", "model", "max_tokens"],
    "properties": {
        "messages": {
            "type": "array",
            "minItems": 1,
            "maxItems": 3,
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {
                    "role": {"enum": ["system", "developer", "user", "assistant"]},
                    "content": {"type": "string", "maxLength": 40},
                },
            },
        },
        "model": {"enum": ["gpt-6-astra", "no-such-model"]},
        "max_tokens": {"type": "integer", "minimum": 1, "maximum": 4},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "top_p": {"type": "number", "minimum": 0.1, "maximum": 1},
        "seed": {"type": ["integer", "null"]},
        "stop": {"anyOf": [_STRING, {"type": "array", "items": _STRING, "maxItems": 4}]},
        "logprobs": {"type": "boolean"},
        "store": {"type": "boolean"},
    },
}


class _Schemas:
    """The JSON schemas of the types, each named once."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {"Error": _ERROR}

    def of(self, kind: object) -> dict[str, Any]:
        if isinstance(kind, dict):
            return kind
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        name = getattr(kind, "__name__", "Grader")
        # Each with its own: what is sent and what is answered may share a name.
        schema = adapter.json_schema(ref_template=f"#/components/schemas/{name}.{{model}}")
        inner = schema.pop("$defs", {})
        self.found |= {f"{name}.{part}": defined for part, defined in inner.items()}
        self.found[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}


def _operation(
    schemas: _Schemas,
    method: str,
    path: str,
    answer: object,
    *,
    query: dict[str, Any] | None = None,
    json: object = None,
    form: object = None,
    file: str | None = None,
) -> dict[str, Any]:
    parameters = [
        {
            "name": part[1:-1],
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
            "example": _IDS[part[1:-1]],
        }
        for part in path.split("/")
        if part.startswith("{")
    ]
    parameters += [
        {"name": name, "in": "query", "schema": schema} for name, schema in (query or {}).items()
    ]
    operation: dict[str, Any] = {
        "operationId": f"{method}_{path}",
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", "content": _content(schemas, answer)},
            "default": {
                "description": "Error",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if json is not None:
        content = {"application/json": {"schema": schemas.of(json)}}
        operation["requestBody"] = {"required": True, "content": content}
    elif file is not None:
        content = {"multipart/form-data": {"schema": _form(schemas, form, file)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _content(schemas: _Schemas, answer: object) -> dict[str, Any]:
    if answer is bytes:
        return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    if not isinstance(answer, list):
        return {"application/json": {"schema": schemas.of(answer)}}
    page = {
        "type": "object",
        "required": ["object", "data"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": schemas.of(answer[0])},
            "has_more": {"type": "boolean"},
            "first_id": {"type": ["string", "null"]},
            "last_id": {"type": ["string", "null"]},
        },
    }
    return {"application/json": {"schema": page}}


def _form(schemas: _Schemas, form: object, file: str) -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    properties: dict[str, Any] = {file: binary}
    required = [file]
    if form is not None:
        properties |= {
            "purpose": {"enum": ["assistants", "batch", "fine-tune", "vision", "user_data"]},
            "expires_after[anchor]": {"const": "created_at"},
            "expires_after[seconds]": {"type": "integer", "minimum": 3600, "maximum": 2592000},
        }
        required.append("purpose")
    return {"type": "object", "required": required, "properties": properties}


def _tighten(schemas: dict[str, Any]) -> None:
    """Say what the published description says, and the SDK's forgiving types do not."""
    job = schemas["FineTuningJob"]
    job["required"] = [
        "created_at", "error", "finished_at", "fine_tuned_model", "hyperparameters", "id",
        "model", "object", "organization_id", "result_files", "status", "trained_tokens",
        "training_file", "validation_file", "seed",
    ]  # fmt: skip
    # Its examples have a status that its own list lacks.
    job["properties"]["status"]["enum"].append("paused")
    # A method of our own stands beside OpenAI's three.
    schemas["FineTuningJob.Method"]["properties"]["type"]["enum"].append("knn")
    # The type has only the role of answers; OpenAI lists the questions.
    role = schemas["ChatCompletionStoreMessage"]["properties"]["role"]
    del role["const"]
    role["enum"] = ["system", "developer", "user", "assistant", "tool", "function"]
    for file in (schemas["FileObject"], schemas["Upload.FileObject"]):
        # Absent, not null, where a file never expires.
        file["properties"]["expires_at"] = {"type": "integer"}
