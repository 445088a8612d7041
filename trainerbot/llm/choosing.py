"""A model that answers with one of some labels, and with nothing else."""

import json
import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from trainerbot.llm.contracts import ChatModel, Completion
from trainerbot.messages import ChatMessage
from trainerbot.retrieval.folding import fold

_FENCE: Final = re.compile(r"\A\s*```\w*\n(.*?)\n?```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model chose. `label` is None for an answer that is none of the choices.

    `text` is the answer as it came. `is_constrained` is False where the
    endpoint does not bind a model to labels, so that it answered freely.
    """

    label: str | None
    text: str
    is_constrained: bool


async def choose(
    chat: ChatModel, messages: Sequence[ChatMessage], *, model: str, choices: Sequence[str]
) -> Choice:
    """Ask `model` which of `choices` it is, at temperature 0. Raises as `ChatModel.stream`."""
    completion = await _ask(chat, messages, model, choices, max_tokens=_room(choices))
    if completion.finish_reason == "length" and not completion.text.strip():
        # A model that thinks first spent the room on its thoughts.
        completion = await _ask(chat, messages, model, choices, max_tokens=None)
    return Choice(read_label(completion.text, choices), completion.text, completion.is_constrained)


def read_label(text: str, choices: Sequence[str]) -> str | None:
    """Return the one of `choices` that `text` is, as `{"label": ...}` or by itself, or None.

    Case, punctuation and spaces around it do not count; words beside it do.
    """
    fenced = _FENCE.match(text)
    said = _said(fenced[1] if fenced else text)
    if said in choices:
        return said
    folded = fold(said)
    same = [choice for choice in choices if fold(choice) == folded]
    return same[0] if folded and len(same) == 1 else None


def _said(text: str) -> str:
    """Return what a JSON answer says; any other answer is what it says."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()
    if isinstance(answer, dict) and len(answer) == 1:
        (answer,) = answer.values()
    return answer.strip() if isinstance(answer, str) else text.strip()


def _room(choices: Sequence[str]) -> int:
    """Return enough tokens for each label as JSON: a token is at least a byte of it."""
    return 32 + 2 * max(len(choice.encode()) for choice in choices)


async def _ask(
    chat: ChatModel,
    messages: Sequence[ChatMessage],
    model: str,
    choices: Sequence[str],
    *,
    max_tokens: int | None,
) -> Completion:
    stream = chat.stream(
        messages, model=model, temperature=0.0, max_tokens=max_tokens, choices=choices
    )
    async with aclosing(stream):
        async for piece in stream:
            if isinstance(piece, Completion):
                return piece
    raise AssertionError("a stream ends with its Completion")
