"""`response_format`: plain text, or a JSON object whose one property is one of some words."""

from typing import Any

from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.runtimes.base import Choice

# OpenAI's own limit on the values of an enum.
MAX_WORDS = 1000
MAX_CHARACTERS = 15_000


def read_choice(response_format: dict[str, Any] | None) -> Choice | None:
    """Return what the answer has to be, or None for text.

    Of JSON schemas the kind that classifies is kept: `{"type": "object",
    "properties": {NAME: {"enum": [texts]}}, "required": [NAME]}`. Raises
    ApiError for every other, rather than promise a shape and not keep it.
    """
    if response_format is None:
        return None
    match response_format.get("type"):
        case "text":
            return None
        case "json_schema":
            return _choice(response_format.get("json_schema"))
        case None:
            raise ApiError(
                "Missing required parameter: 'response_format.type'.",
                param="response_format.type",
                code="missing_required_parameter",
            )
        case kind:
            raise _unsupported(f"type {str(kind)[:50]!r}", param="response_format.type")


def _choice(given: Any) -> Choice:
    schema = given.get("schema") if isinstance(given, dict) else None
    if not isinstance(schema, dict):
        raise ApiError(
            "Missing required parameter: 'response_format.json_schema.schema'.",
            param="response_format.json_schema.schema",
            code="missing_required_parameter",
        )
    properties = schema.get("properties")
    if (
        schema.get("type", "object") != "object"
        or not isinstance(properties, dict)
        or len(properties) != 1
        or schema.get("required", list(properties)) != list(properties)
    ):
        raise _unsupported("a schema other than an object with one required property")
    ((key, value),) = properties.items()
    words = value.get("enum") if isinstance(value, dict) else None
    if (
        not isinstance(words, list)
        or not words
        or not all(isinstance(word, str) and word for word in words)
    ):
        raise _unsupported("a property other than an enum of texts")
    if len(words) > MAX_WORDS or sum(map(len, words)) > MAX_CHARACTERS:
        raise _unsupported(
            f"an enum of more than {MAX_WORDS} values or {MAX_CHARACTERS} characters"
        )
    return Choice(key, tuple(dict.fromkeys(words)))


def _unsupported(what: str, *, param: str = "response_format.json_schema.schema") -> ApiError:
    return ApiError(
        f"Unsupported value: 'response_format' does not support {what} with this model.",
        param=param,
        code="unsupported_value",
    )
