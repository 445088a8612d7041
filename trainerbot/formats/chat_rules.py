"""What OpenAI's chat format asks of one training row."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainerbot.formats.recognition import describe_row
from trainerbot.formats.report import Problem, of_key, of_line, warning
from trainerbot.messages import Role

_ROLES: Final = frozenset(role.value for role in Role)
_ROW_KEYS: Final = frozenset(
    {"messages", "tools", "parallel_tool_calls", "functions", "metadata", "store"}
)
_MESSAGE_KEYS: Final = frozenset(
    {
        "role",
        "content",
        "name",
        "weight",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "refusal",
        "audio",
    }
)
# What a part of a message must carry beside its type, and who may say it.
_PARTS: Final[dict[str, type]] = {
    "text": str,
    "refusal": str,
    "image_url": dict,
    "input_audio": dict,
    "file": dict,
}


def check_row(line: int, record: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with one row, in the order of its keys and messages.

    Codes are those of OpenAI's cookbook where it has one; a row without an
    error is one that OpenAI's endpoint takes.
    """
    messages = record.get("messages")
    if not isinstance(messages, list) or not messages:
        yield _without_messages(line, record)
        return
    for key in [key for key in record if key not in _ROW_KEYS]:
        yield warning(line, key, "unrecognized_key", "not a key of chat data; it is ignored.")
    yield from _check_tools(line, record)
    for index, message in enumerate(messages):
        yield from _check_message(line, f"messages[{index}]", message)
    yield from _check_conversation(line, [m for m in messages if isinstance(m, dict)])


def _without_messages(line: int, record: Mapping[str, Any]) -> Problem:
    code = "missing_messages_list"
    if "messages" in record:
        text = "It must be a list of at least one message."
        return of_key(line, "messages", code, text)
    remedy = 'Chat data has {"messages": [{"role": ..., "content": ...}, ...]} on each line.'
    if kind := describe_row(record):
        return of_line(line, code, f'this looks like {kind}; "messages" is missing. {remedy}')
    return of_line(line, code, f'"messages" is missing. {remedy}')


def _check_message(line: int, place: str, message: object) -> Iterator[Problem]:
    if not isinstance(message, dict):
        yield of_key(line, place, "data_type", "A message must be an object.")
        return
    for key in ("role", "content"):
        # An assistant that only calls tools has nothing to say.
        if key not in message and not (key == "content" and _speaks_otherwise(message)):
            yield of_key(line, place, "message_missing_key", f'The message has no "{key}".')
    for key in [key for key in message if key not in _MESSAGE_KEYS]:
        yield warning(
            line, f"{place}.{key}", "message_unrecognized_key", "not a key of a message; ignored."
        )
    role = message.get("role")
    if "role" in message and (not isinstance(role, str) or role not in _ROLES):
        yield of_key(line, f"{place}.role", "unrecognized_role", _role_complaint(role))
    if "content" in message:
        yield from _check_content(line, place, message)
    if "weight" in message:
        yield from _check_weight(line, f"{place}.weight", role, message["weight"])
    if "name" in message and not isinstance(message["name"], str):
        yield of_key(line, f"{place}.name", "data_type", "A name must be a string.")
    if message.get("tool_calls") is not None:
        yield from _check_tool_calls(line, f"{place}.tool_calls", role, message["tool_calls"])
    if role == Role.TOOL and not isinstance(message.get("tool_call_id"), str):
        yield of_key(
            line, place, "message_missing_key", 'A tool message must name its "tool_call_id".'
        )


def _speaks_otherwise(message: Mapping[str, Any]) -> bool:
    """Say whether an assistant's message stands without content."""
    return message.get("role") == Role.ASSISTANT and any(
        message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio")
    )


def _role_complaint(role: object) -> str:
    allowed = "Use system, developer, user, assistant or tool."
    if not isinstance(role, str):
        return f"A role must be a string. {allowed}"
    if role == "function":
        return '"function" is the old word; use "tool" with a "tool_call_id".'
    meant = {"human": "user", "gpt": "assistant", "bot": "assistant", "ai": "assistant"}
    if role.strip().lower() in _ROLES:
        return f'"{role}" must be written "{role.strip().lower()}".'
    if role.lower() in meant:
        return f'There is no role "{role[:40]}"; "{meant[role.lower()]}" is meant.'
    return f'There is no role "{role[:40]}". {allowed}'


def _check_content(line: int, place: str, message: Mapping[str, Any]) -> Iterator[Problem]:
    content = message["content"]
    key = f"{place}.content"
    if content is None:
        if not _speaks_otherwise(message):
            yield of_key(
                line, key, "missing_content", "Content may be null beside tool calls only."
            )
    elif isinstance(content, str):
        if content.strip() or _speaks_otherwise(message):
            return
        if message.get("role") == Role.ASSISTANT:
            yield of_key(line, key, "missing_content", "The assistant says nothing here.")
        else:
            yield warning(line, key, "empty_content", "This message is empty.")
    elif isinstance(content, list):
        if not content:
            yield of_key(line, key, "missing_content", "A list of parts needs at least one.")
        for index, part in enumerate(content):
            yield from _check_part(line, f"{key}[{index}]", part)
    else:
        yield of_key(line, key, "data_type", "Content must be a string or a list of parts.")


def _check_part(line: int, place: str, part: object) -> Iterator[Problem]:
    if not isinstance(part, dict):
        yield of_key(line, place, "data_type", 'A part must be an object with a "type".')
        return
    kind = part.get("type")
    expected = _PARTS.get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or expected is None:
        yield of_key(
            line, f"{place}.type", "data_type", f"A part's type must be one of {', '.join(_PARTS)}."
        )
    elif not isinstance(part.get(kind), expected):
        named = "a string" if expected is str else "an object"
        yield of_key(line, place, "data_type", f'A {kind} part must have {named} "{kind}".')


def _check_weight(line: int, place: str, role: object, weight: object) -> Iterator[Problem]:
    if isinstance(weight, bool) or weight not in (0, 1):
        yield of_key(line, place, "invalid_weight", "A weight must be 0 or 1.")
    elif role != Role.ASSISTANT:
        yield of_key(line, place, "invalid_weight", "Only assistant messages may have a weight.")


def _check_tool_calls(line: int, place: str, role: object, calls: object) -> Iterator[Problem]:
    code = "invalid_tool_calls"
    if role != Role.ASSISTANT:
        yield of_key(line, place, code, "Only assistant messages may call tools.")
    if not isinstance(calls, list) or not calls:
        yield of_key(line, place, code, "It must be a list of at least one call.")
        return
    for index, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        if (
            not isinstance(call, dict)
            or not isinstance(call.get("id"), str)
            or not isinstance(function, dict)
            or not isinstance(function.get("name"), str)
            or not isinstance(function.get("arguments"), str)
        ):
            yield of_key(
                line,
                f"{place}[{index}]",
                code,
                'A call must have a string "id" and a "function" with "name" and "arguments", '
                "both strings.",
            )


def _check_tools(line: int, record: Mapping[str, Any]) -> Iterator[Problem]:
    tools = record.get("tools")
    if tools is not None and not isinstance(tools, list):
        yield of_key(line, "tools", "invalid_tools", "It must be a list.")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            yield of_key(
                line,
                f"tools[{index}]",
                "invalid_tools",
                'A tool must have a "function" with a "name".',
            )
    parallel = record.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        yield of_key(line, "parallel_tool_calls", "data_type", "It must be true or false.")


def _check_conversation(line: int, messages: list[dict[str, Any]]) -> Iterator[Problem]:
    """Yield what no single message shows: who is missing, and what nothing is learned from."""
    roles = [message.get("role") for message in messages]
    answers = [message for message in messages if message.get("role") == Role.ASSISTANT]
    if not answers:
        yield of_key(
            line,
            "messages",
            "example_missing_assistant_message",
            "At least one message must be from the assistant.",
        )
        return
    if Role.USER not in roles:
        yield warning(line, "messages", "missing_user_message", "No message is from the user.")
    if roles[-1] != Role.ASSISTANT:
        yield warning(
            line,
            "messages",
            "ends_without_assistant",
            "What follows the last assistant message is never learned.",
        )
    if all(answer.get("weight") == 0 for answer in answers):
        yield warning(line, "messages", "nothing_to_learn", "Every assistant message has weight 0.")
    called = {
        call.get("id")
        for answer in answers
        for call in _list_of_objects(answer.get("tool_calls"))
        if isinstance(call.get("id"), str)
    }
    for message in messages:
        if message.get("role") == Role.TOOL and message.get("tool_call_id") not in called:
            yield warning(
                line, "messages", "unknown_tool_call", "A tool message answers no call made here."
            )
            return


def _list_of_objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
