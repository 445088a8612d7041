"""`tools`, `tool_choice` and their older names `functions`, `function_call`."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from trainerbot.modelserver.api.chat.bodies import ChatBody, Function
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.runtimes.base import Tools

_MAX_TOOLS = 128
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read(body: ChatBody) -> Tools | None:
    """Return what the model may call, or None where it may call nothing."""
    functions = _functions(body)
    if body.tools is None:
        _only_with(body.tool_choice not in (None, "none"), "tool_choice", "tools")
        _only_with(body.parallel_tool_calls is not None, "parallel_tool_calls", "tools")
    if body.functions is None:
        _only_with(body.function_call not in (None, "none"), "function_call", "functions")
    is_old = body.tools is None
    param = "function_call" if is_old else "tool_choice"
    choice = body.function_call if is_old else body.tool_choice
    wanted, must_call = _choice(choice, param, [function.name for function in functions])
    if not wanted:
        return None
    return Tools(
        tuple(
            {
                name: value
                for name, value in msgspec.to_builtins(function).items()
                if value is not None
            }
            for function in functions
            if function.name in wanted
        ),
        must_call=must_call,
        several=not is_old and body.parallel_tool_calls is not False,
    )


def _functions(body: ChatBody) -> list[Function]:
    found = list(body.functions or ()) if body.tools is None else []
    for name, given in (("tools", body.tools), ("functions", body.functions)):
        if given is not None and not given:
            raise ApiError(
                f"Invalid '{name}': empty array. Expected an array with minimum length 1, but "
                "got an empty array instead.",
                param=name,
                code="empty_array",
            )
        if given is not None and len(given) > _MAX_TOOLS:
            raise ApiError(
                f"Invalid '{name}': array too long. Expected an array with maximum length "
                f"{_MAX_TOOLS}, but got an array with length {len(given)} instead.",
                param=name,
                code="array_above_max_length",
            )
    for i, tool in enumerate(body.tools or ()):
        if tool.type != "function":
            is_custom = tool.type == "custom"
            raise ApiError(
                f"Unsupported value: 'tools[{i}].type' does not support 'custom' with this model."
                if is_custom
                else f"Invalid value: '{tool.type[:50]}'. Supported values are: 'function'.",
                param=f"tools[{i}].type",
                code="unsupported_value" if is_custom else "invalid_value",
            )
        if tool.function is None:
            raise ApiError(
                f"Missing required parameter: 'tools[{i}].function'.",
                param=f"tools[{i}].function",
                code="missing_required_parameter",
            )
        found.append(tool.function)
    where = "functions[{}].name" if body.tools is None else "tools[{}].function.name"
    for i, function in enumerate(found):
        if not _NAME.fullmatch(function.name):
            param = where.format(i)
            raise ApiError(
                f"Invalid '{param}': string does not match pattern. Expected a string that "
                "matches the pattern '^[a-zA-Z0-9_-]+$'.",
                param=param,
                code="invalid_value",
            )
    return found


def _choice(
    choice: str | dict[str, Any] | None, param: str, names: Sequence[str]
) -> tuple[set[str], bool]:
    """Return the functions that may be called, and whether one must be."""
    words = ("none", "auto") if param == "function_call" else ("none", "auto", "required")
    match choice:
        case None | "auto":
            return set(names), False
        case "none":
            return set(), False
        case "required" if "required" in words:
            return set(names), True
        case str():
            raise ApiError(
                f"Invalid value: '{choice[:50]}'. Supported values are: "
                + ", ".join(f"'{word}'" for word in words)
                + ".",
                param=param,
                code="invalid_value",
            )
        case {"name": str(name)} if param == "function_call":
            return _named([name], names, param), True
        case {"type": "function", "function": {"name": str(name)}} if param == "tool_choice":
            return _named([name], names, param), True
        case {
            "type": "allowed_tools",
            "allowed_tools": {"mode": ("auto" | "required") as mode, "tools": list(allowed)},
        } if param == "tool_choice":
            functions = [tool.get("function") for tool in allowed if isinstance(tool, dict)]
            listed = [one.get("name") for one in functions if isinstance(one, dict)]
            return _named([str(one) for one in listed], names, param), mode == "required"
    raise ApiError(
        f"Invalid value for '{param}': it names no function that can be called.",
        param=param,
        code="invalid_value",
    )


def _named(wanted: Sequence[str], names: Sequence[str], param: str) -> set[str]:
    given = "functions" if param == "function_call" else "tools"
    for name in wanted:
        if name not in names:
            raise ApiError(
                f"Tool choice '{name[:64]}' not found in '{given}' parameter.", param=param
            )
    return set(wanted)


def _only_with(is_given: bool, name: str, other: str) -> None:
    if is_given:
        raise ApiError(
            f"Invalid value for '{name}': '{name}' is only allowed when '{other}' are specified.",
            param=name,
        )
