"""What clients may send: JSON bodies and query strings, checked, with OpenAI's complaints."""

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec
from starlette.requests import Request

from trainerbot.modelserver.api.errors import ApiError

MAX_JSON_BYTES = 8 * 1024 * 1024
_MOST_PAIRS = 16

Auto = Literal["auto"]
Body = TypeVar("Body")


class WandbBody(msgspec.Struct):
    """Where Weights & Biases would be told the metrics."""

    project: str
    entity: str | None = None
    name: str | None = None
    tags: list[str] | None = None


class IntegrationBody(msgspec.Struct):
    """What shall be told a job's metrics beside its events."""

    type: Literal["wandb"]
    wandb: WandbBody


class JobBody(msgspec.Struct):
    """POST /v1/fine_tuning/jobs."""

    model: str
    training_file: str
    validation_file: str | None = None
    method: dict[str, Any] | None = None
    hyperparameters: dict[str, Any] | None = None
    suffix: str | None = None
    seed: int | None = None
    metadata: dict[str, str] | None = None
    integrations: list[IntegrationBody] | None = None


async def read_body(request: Request, kind: type[Body]) -> Body:
    """Return the JSON body as a `kind`. Raises ApiError, worded as OpenAI words it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise ApiError(
                f"The request body is larger than {MAX_JSON_BYTES} bytes. Send less text.",
                status=413,
                code="request_too_large",
            )
    try:
        # UTF-8 is checked here; msgspec would name no reason that people know.
        return msgspec.json.decode(body.decode(), type=kind)
    except msgspec.ValidationError as error:
        raise _complaint(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(
            "We could not parse the JSON body of your request. (HINT: This likely means you "
            "aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, "
            "but what was sent was not valid JSON.)"
        ) from error


_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")
_WRONG_TYPE = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`")
_IN_WORDS = {
    "int": "an integer",
    "float": "a decimal",
    "str": "a string",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
}
_PATH = re.compile(r" - at `\$\.?(?P<path>.*)`$")


def _complaint(text: str) -> ApiError:
    """Return msgspec's complaint in OpenAI's words, with the parameter it is about."""
    found = _PATH.search(text)
    path = found["path"] if found else ""
    text = _PATH.sub("", text)
    if missing := _MISSING.match(text):
        param = f"{path}.{missing['name']}".lstrip(".")
        return ApiError(
            f"Missing required parameter: '{param}'.",
            param=param,
            code="missing_required_parameter",
        )
    if wrong := _WRONG_TYPE.match(text):
        wanted = [_IN_WORDS.get(kind, kind) for kind in wrong["wanted"].split(" | ")]
        wanted = [kind for kind in wanted if kind != "null"] or wanted
        one_of = "one of " if len(wanted) > 1 else ""
        got = _IN_WORDS.get(wrong["got"], wrong["got"])
        name = path or "body"
        return ApiError(
            f"Invalid type for '{name}': expected {one_of}{' or '.join(wanted)}, but got {got} "
            "instead.",
            param=name,
            code="invalid_type",
        )
    if unknown := _UNKNOWN.match(text):
        param = f"{path}.{unknown['name']}".lstrip(".")
        return ApiError(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    return ApiError(f"Invalid value for '{path}': {text}.", param=path, code="invalid_value")


def in_range(
    name: str, value: float | None, *, low: float | None = None, high: float | None = None
) -> None:
    """Raise ApiError when `value` is given and outside [low, high]."""
    if value is None:
        return
    kind = "integer" if isinstance(value, int) else "decimal"
    if low is not None and value < low:
        raise ApiError(
            f"Invalid '{name}': {kind} below minimum value. "
            f"Expected a value >= {low}, but got {value} instead.",
            param=name,
            code=f"{kind}_below_min_value",
        )
    if high is not None and value > high:
        raise ApiError(
            f"Invalid '{name}': {kind} above maximum value. "
            f"Expected a value <= {high}, but got {value} instead.",
            param=name,
            code=f"{kind}_above_max_value",
        )


def metadata_filter(request: Request) -> dict[str, str] | None:
    """Return the pairs `metadata[key]=value` of the query, None where it has none.

    Raises ApiError for more pairs than anything can have.
    """
    pairs = {
        name[len("metadata[") : -1]: value
        for name, value in request.query_params.multi_items()
        if name.startswith("metadata[") and name.endswith("]")
    }
    if len(pairs) > _MOST_PAIRS:
        raise ApiError(
            f"Invalid 'metadata': at most {_MOST_PAIRS} pairs can be looked for.",
            param="metadata",
            code="invalid_value",
        )
    return pairs or None


def check_metadata(metadata: Mapping[str, str] | None) -> None:
    """Raise ApiError for more pairs, or longer ones, than OpenAI keeps."""
    if metadata is None:
        return
    long_ones = [key for key, value in metadata.items() if len(key) > 64 or len(value) > 512]
    if len(metadata) > _MOST_PAIRS or long_ones:
        raise ApiError(
            f"Invalid 'metadata': at most {_MOST_PAIRS} pairs, keys of at most 64 and values of at most 512 "
            "characters.",
            param="metadata",
            code="invalid_value",
        )


def whole_number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """Return the query's number `name`. Raises ApiError when it is none, or out of range."""
    text = request.query_params.get(name)
    if text is None:
        return default
    # ASCII and at most 9 digits: int() would take other scripts, and any length.
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ApiError(
            f"Invalid type for '{name}': expected an integer, but got a string instead.",
            param=name,
            code="invalid_type",
        )
    in_range(name, int(text), low=low, high=high)
    return int(text)
