"""Tools for a model whose own chat template knows none.

They are described in the system message, and an answer that is a call, as
JSON, is told as one. How well a model calls is up to the model.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.database import new_id
from trainerbot.modelserver.runtimes.base import CallPiece, Piece, TokenLogprob, Tools, Turn

_OPENINGS = ("{", "[")


def described(messages: Sequence[ChatMessage], tools: Tools | None) -> list[ChatMessage]:
    """Return the conversation as plain text: tools in the system message, calls as JSON."""
    plain = [_plain(message, messages) for message in messages]
    if tools is None:
        return plain
    text = _description(tools)
    if plain and plain[0].role in (Role.SYSTEM, Role.DEVELOPER):
        first = ChatMessage(plain[0].role, f"{plain[0].content}\n\n{text}", plain[0].images)
        return [first, *plain[1:]]
    return [ChatMessage(Role.SYSTEM, text), *plain]


def _description(tools: Tools) -> str:
    functions = "\n".join(
        json.dumps({k: v for k, v in function.items() if k != "strict"}, ensure_ascii=False)
        for function in tools.functions
    )
    call = '{"name": FUNCTION, "arguments": {...}}'
    form = f"[{call}, ...]" if tools.several and tools.must_call else call
    duty = "Call them now" if tools.must_call else "When one of them helps, call it"
    return (
        f"You have these functions:\n{functions}\n"
        f"{duty}: answer with nothing but the JSON {form}. You are told the result afterwards."
    )


def _plain(message: ChatMessage, messages: Sequence[ChatMessage]) -> ChatMessage:
    if not isinstance(message, Turn):
        return message
    if message.role is Role.TOOL:
        called = {
            call.id: call.name
            for turn in messages
            if isinstance(turn, Turn)
            for call in turn.tool_calls
        }
        name = called.get(message.tool_call_id or "") or message.name or "the function"
        # As the user: a template without tools knows no other role for it.
        return ChatMessage(Role.USER, f"Result of {name}: {message.content}")
    calls = [
        f'{{"name": {json.dumps(call.name)}, "arguments": {call.arguments or "{}"}}}'
        for call in message.tool_calls
    ]
    return ChatMessage(message.role, "\n".join([message.content, *calls]).strip(), message.images)


class CallReader:
    """Tells calls from text in an answer. Text is held back only while it may be a call."""

    def __init__(self, tools: Tools) -> None:
        self._names = {function["name"] for function in tools.functions}
        self._held: list[Piece] = []
        self._is_text = False
        self.n_calls = 0

    def read(self, piece: Piece) -> Iterator[Piece]:
        """Yield what is text for certain."""
        if self._is_text:
            yield piece
            return
        self._held.append(piece)
        begun = "".join(held.text for held in self._held).lstrip()
        if begun and not begun.startswith(_OPENINGS):
            self._is_text = True
            yield from self._held
            self._held = []

    def end(self) -> Iterator[Piece | CallPiece]:
        """Yield what was held back: calls, or text after all."""
        text = "".join(held.text for held in self._held)
        calls = self._calls(text)
        self.n_calls = len(calls)
        if not calls:
            yield from self._held
            return
        for index, (name, arguments) in enumerate(calls):
            yield CallPiece(index, arguments, id=new_id("call_"), name=name)

    def _calls(self, text: str) -> list[tuple[str, str]]:
        """Return the names and arguments; nothing unless all of the text is calls of these."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return []
        calls = []
        for call in found if isinstance(found, list) else [found]:
            if (
                not isinstance(call, dict)
                or call.get("name") not in self._names
                or not isinstance(arguments := call.get("arguments", {}), dict)
            ):
                return []
            calls.append((call["name"], json.dumps(arguments, ensure_ascii=False)))
        return calls


def token_logprobs(content: Sequence[dict[str, Any]], n_top: int) -> tuple[TokenLogprob, ...]:
    """Return llama.cpp's probabilities, with `n_top` of the likeliest each."""
    return tuple(
        TokenLogprob(
            token["token"],
            token["logprob"],
            bytes(token["bytes"]),
            token_logprobs(token["top_logprobs"][:n_top], 0) if n_top else (),
        )
        for token in content
    )
