"""The messages of a request, checked as OpenAI checks them."""

from collections.abc import Sequence

from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.api.chat.bodies import Call, ContentPart, MessageBody
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.runtimes.base import ToolCall, Turn

_UNREADABLE = ("image_url", "input_audio", "file", "audio")


def read(bodies: Sequence[MessageBody]) -> list[ChatMessage]:
    """Return the conversation. Raises ApiError for what no model here can read."""
    if not bodies:
        raise ApiError(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got "
            "an empty array instead.",
            param="messages",
            code="empty_array",
        )
    _check_calls(bodies)
    return [_message(body, f"messages[{i}]") for i, body in enumerate(bodies)]


def _message(body: MessageBody, param: str) -> ChatMessage:
    role = Role.TOOL if body.role == "function" else Role(body.role)
    text = _text(body, param)
    calls = tuple(
        _called(call, f"{param}.tool_calls[{i}]") for i, call in enumerate(body.tool_calls or ())
    )
    if body.function_call is not None:
        # The older form has no id: what answers it comes right after it.
        old = body.function_call
        calls = (*calls, ToolCall(f"call_{old.name}", old.name, old.arguments))
    if not calls and role is not Role.TOOL:
        return ChatMessage(role, text)
    answers = body.tool_call_id if body.role == "tool" else f"call_{body.name}"
    return Turn(
        role,
        text,
        name=body.name,
        tool_calls=calls,
        tool_call_id=answers if role is Role.TOOL else None,
    )


def _called(call: Call, param: str) -> ToolCall:
    if call.function is None:
        raise ApiError(
            f"Missing required parameter: '{param}.function'.",
            param=f"{param}.function",
            code="missing_required_parameter",
        )
    return ToolCall(call.id, call.function.name, call.function.arguments)


def _check_calls(bodies: Sequence[MessageBody]) -> None:
    """Raise ApiError unless every call is answered right after it, and nothing else is."""
    open_ids: list[str] = []
    for i, body in enumerate(bodies):
        if body.role == "tool":
            if body.tool_call_id is None:
                raise ApiError(
                    f"Missing required parameter: 'messages[{i}].tool_call_id'.",
                    param=f"messages[{i}].tool_call_id",
                    code="missing_required_parameter",
                )
            if body.tool_call_id not in open_ids:
                raise ApiError(
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceeding message with 'tool_calls'.",
                    param=f"messages[{i}].role",
                )
            open_ids.remove(body.tool_call_id)
            continue
        _all_answered(open_ids, i)
        if body.tool_calls is not None:
            if body.role != "assistant":
                raise ApiError(
                    f"Invalid parameter: 'tool_calls' cannot be used in a message with role "
                    f"'{body.role}'.",
                    param=f"messages[{i}].tool_calls",
                )
            if not body.tool_calls:
                raise ApiError(
                    f"Invalid 'messages[{i}].tool_calls': empty array. Expected an array with "
                    "minimum length 1, but got an empty array instead.",
                    param=f"messages[{i}].tool_calls",
                    code="empty_array",
                )
            open_ids = [call.id for call in body.tool_calls]
    _all_answered(open_ids, len(bodies))


def _all_answered(open_ids: Sequence[str], i: int) -> None:
    if open_ids:
        raise ApiError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(open_ids)[:500],
            param=f"messages[{i - 1}].role",
        )


def _text(body: MessageBody, param: str) -> str:
    if body.content is None:
        if body.audio is not None:
            raise _unreadable("audio", f"{param}.audio")
        if body.tool_calls or body.function_call or body.refusal is not None:
            return body.refusal or ""
        raise ApiError(
            f"Invalid value for '{param}.content': expected a string, got null.",
            param=f"{param}.content",
            code="invalid_type",
        )
    if isinstance(body.content, str):
        return body.content
    return "\n".join(part_text(part, f"{param}.content", i) for i, part in enumerate(body.content))


def part_text(part: ContentPart, param: str, i: int) -> str:
    """Return the text of one part. Raises ApiError for a part that is none."""
    if part.type in _UNREADABLE:
        raise _unreadable(part.type, param)
    if part.type not in ("text", "refusal"):
        raise ApiError(
            f"Invalid value: '{part.type[:50]}'. Supported values are: 'text' and 'refusal'.",
            param=f"{param}[{i}].type",
            code="invalid_value",
        )
    text = part.text if part.type == "text" else part.refusal
    if text is None:
        raise ApiError(
            f"Missing required parameter: '{param}[{i}].{part.type}'.",
            param=f"{param}[{i}].{part.type}",
            code="missing_required_parameter",
        )
    return text


def _unreadable(kind: str, param: str) -> ApiError:
    return ApiError(
        f"Invalid content type. {kind} is only supported by certain models.",
        param=param,
        code="invalid_value",
    )
