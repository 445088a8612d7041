"""Messages in the words of others (from and value, human and gpt), made OpenAI's."""

import json
from collections.abc import Mapping
from typing import Any, Final

from trainerbot.formats.jsonl import Line, parse_value
from trainerbot.formats.records.refusal import Refused
from trainerbot.formats.report import Problem
from trainerbot.messages import Role

Message = dict[str, Any]

_SPEAKERS: Final[Mapping[str, str]] = {
    **{role.value: role.value for role in Role},
    "human": Role.USER.value,
    "prompter": Role.USER.value,
    "gpt": Role.ASSISTANT.value,
    "bot": Role.ASSISTANT.value,
    "ai": Role.ASSISTANT.value,
    "chatgpt": Role.ASSISTANT.value,
    "model": Role.ASSISTANT.value,
    "observation": Role.TOOL.value,
    "function": Role.TOOL.value,
    "ipython": Role.TOOL.value,
    "function_response": Role.TOOL.value,
}
_CALLS: Final = frozenset({"function_call", "tool_call", "tool_calls"})
_KEPT: Final = ("name", "weight", "tool_calls", "tool_call_id", "refusal", "audio")


def user(text: str) -> Message:
    return {"role": Role.USER.value, "content": text}


def assistant(text: str) -> Message:
    return {"role": Role.ASSISTANT.value, "content": text}


def system(text: str) -> list[Message]:
    """Return a system message at the head of a conversation, or none for no text."""
    return [{"role": Role.SYSTEM.value, "content": text}] if text.strip() else []


def read_messages(value: object, key: str) -> list[Message]:
    """Return a list of messages under `key` in OpenAI's words, oldest first.

    Takes role and content as well as from and value, and a list that a table
    holds as JSON text. Calls get ids, and the observations after them answer
    in their order.
    """
    value = unpack(value, key)
    if not isinstance(value, list) or not value:
        raise Refused(key, "missing_messages_list", "It must be a list of at least one message.")
    messages: list[Message] = []
    waiting: list[str] = []
    n_calls = 0
    for index, each in enumerate(value):
        message = read_message(each, f"{key}[{index}]")
        for call in message.get("tool_calls") or ():
            if isinstance(call, dict) and isinstance(call.get("function"), dict):
                n_calls += 1
                call.setdefault("id", f"call_{n_calls}")
        if message["role"] == Role.ASSISTANT:
            calls = message.get("tool_calls")
            waiting = [
                call["id"] for call in calls or () if isinstance(call, dict) and "id" in call
            ]
        elif message["role"] == Role.TOOL and "tool_call_id" not in message:
            if not waiting:
                raise Refused(
                    f"{key}[{index}]", "message_missing_key", "It answers no call of a function."
                )
            message["tool_call_id"] = waiting.pop(0)
        messages.append(message)
    return messages


def read_message(value: object, key: str) -> Message:
    """Return one message in OpenAI's words; its calls may still lack ids."""
    if not isinstance(value, dict):
        raise Refused(key, "data_type", "A message must be an object.")
    tag = next((tag for tag in ("role", "from") if tag in value), None)
    if tag is None:
        raise Refused(key, "message_missing_key", 'The message has no "role" and no "from".')
    speaker = value[tag]
    word = speaker.strip().lower() if isinstance(speaker, str) else ""
    said_in = next((each for each in ("content", "value", "text") if each in value), None)
    said = value[said_in] if said_in else None
    if word in _CALLS:
        return {"role": Role.ASSISTANT.value, "tool_calls": _read_calls(said, key)}
    role = _SPEAKERS.get(word)
    if role is None:
        shown = f'"{speaker[:40]}"' if isinstance(speaker, str) else "that"
        raise Refused(f"{key}.{tag}", "unrecognized_role", f"There is no role {shown}.")
    message: Message = {"role": role}
    if said_in:
        message["content"] = _read_content(said)
    for name in _KEPT:
        if value.get(name) is not None:
            message[name] = value[name]
    if "tool_calls" in message:
        message["tool_calls"] = _read_calls(message["tool_calls"], f"{key}.tool_calls")
        message.setdefault("content", None)
    if role == Role.ASSISTANT and "weight" not in message and value.get("loss_weight") in (0, 1):
        message["weight"] = int(value["loss_weight"])
    if said_in is None and "tool_calls" not in message and "refusal" not in message:
        raise Refused(key, "message_missing_key", 'The message has no "content" and no "value".')
    return message


def read_tools(value: object, key: str) -> list[Any] | None:
    """Return functions that may be called, in OpenAI's shape; None for none."""
    value = unpack(value, key)
    if value is None or value in ("", []):
        return None
    if not isinstance(value, list):
        raise Refused(key, "invalid_tools", "It must be a list, or a list as JSON text.")
    return [
        {"type": "function", "function": tool}
        if isinstance(tool, dict) and "function" not in tool and "name" in tool
        else tool
        for tool in value
    ]


def unpack(value: object, key: str) -> object:
    """Return what a text holds as JSON if it begins like a list or an object."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    unpacked = parse_value(Line(0, value.encode("utf-8", errors="surrogatepass")))
    if isinstance(unpacked, Problem):
        raise Refused(key, "invalid_json", "It begins like JSON but is not valid JSON.")
    return unpacked


def unpack_messages(value: object) -> object:
    """Return the messages that a table holds as JSON text; any other text, JSON or not, as it is."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        unpacked = parse_value(Line(0, value.encode("utf-8", errors="surrogatepass")))
        if isinstance(unpacked, list) and unpacked and all(map(_is_message, unpacked)):
            return unpacked
    return value


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and bool({"role", "from"} & value.keys())


def _read_content(said: object) -> object:
    """Return content with its text parts in OpenAI's shape; one part alone becomes its text."""
    if not isinstance(said, list):
        return said
    parts = [
        {"type": "text", "text": part["value"]}
        if isinstance(part, dict) and part.get("type") == "text" and "value" in part
        else part
        for part in said
    ]
    if len(parts) == 1 and isinstance(parts[0], dict) and parts[0].get("type") == "text":
        return parts[0].get("text")
    return parts


def _read_calls(said: object, key: str) -> list[Any]:
    """Return calls of functions in OpenAI's shape, from {"name", "arguments"} or a list of them."""
    said = unpack(said, key)
    calls = said if isinstance(said, list) else [said]
    made = []
    for call in calls:
        function = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            text = 'A call must be {"name": ..., "arguments": {...}}, or a list of those.'
            raise Refused(key, "invalid_tool_calls", text)
        arguments = function.get("arguments", {})
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        one: dict[str, Any] = {"type": "function"}
        if isinstance(call, dict) and isinstance(call.get("id"), str):
            one["id"] = call["id"]
        made.append({**one, "function": {"name": function["name"], "arguments": arguments}})
    return made
