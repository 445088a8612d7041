"""`response_format`: plain text, JSON, JSON of a schema, or one of some words as JSON."""

import re
from typing import Any

from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.runtimes.base import Choice, Shape

# OpenAI's own limit on the values of an enum.
_MAX_WORDS = 1000
_MAX_CHARACTERS = 15_000
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read(response_format: dict[str, Any] | None) -> tuple[Choice | None, Shape | None]:
    """Return what the answer has to be: one of a choice, of a shape, or neither for text.

    A schema that only classifies, `{"type": "object", "properties": {NAME:
    {"enum": [texts]}}, "required": [NAME]}`, is a choice.
    """
    if response_format is None:
        return None, None
    match response_format.get("type"):
        case "text":
            return None, None
        case "json_object":
            return None, Shape({"type": "object"})
        case "json_schema":
            return _schema(response_format.get("json_schema"))
        case None:
            raise _missing("response_format.type")
        case kind:
            raise ApiError(
                f"Invalid value: {str(kind)[:50]!r}. Supported values are: 'text', "
                "'json_object', and 'json_schema'.",
                param="response_format.type",
                code="invalid_value",
            )


def _schema(given: Any) -> tuple[Choice | None, Shape | None]:
    if not isinstance(given, dict):
        raise _missing("response_format.json_schema")
    name = given.get("name")
    if name is None:
        raise _missing("response_format.json_schema.name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ApiError(
            "Invalid 'response_format.json_schema.name': string does not match pattern. Expected "
            "a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            param="response_format.json_schema.name",
            code="invalid_value",
        )
    schema = given.get("schema")
    if schema is None:
        raise _missing("response_format.json_schema.schema")
    if not isinstance(schema, dict):
        raise ApiError(
            "Invalid type for 'response_format.json_schema.schema': expected an object.",
            param="response_format.json_schema.schema",
            code="invalid_type",
        )
    choice = _choice(schema)
    if choice is not None:
        return choice, None
    return None, Shape(schema, name, is_strict=given.get("strict") is True)


def _choice(schema: dict[str, Any]) -> Choice | None:
    properties = schema.get("properties")
    if (
        schema.get("type", "object") != "object"
        or not isinstance(properties, dict)
        or len(properties) != 1
        or schema.get("required", list(properties)) != list(properties)
        or not schema.keys() <= {"type", "properties", "required", "additionalProperties", "title"}
    ):
        return None
    ((key, value),) = properties.items()
    words = value.get("enum") if isinstance(value, dict) else None
    if (
        not isinstance(words, list)
        or not words
        or not all(isinstance(word, str) and word for word in words)
        or value.get("type", "string") != "string"
    ):
        return None
    if len(words) > _MAX_WORDS or sum(map(len, words)) > _MAX_CHARACTERS:
        raise ApiError(
            f"Invalid schema for response_format: an enum of more than {_MAX_WORDS} values or "
            f"{_MAX_CHARACTERS} characters is not permitted.",
            param="response_format",
        )
    return Choice(key, tuple(dict.fromkeys(words)))


def _missing(param: str) -> ApiError:
    return ApiError(
        f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )
