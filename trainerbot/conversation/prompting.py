"""What the model reads: instructions, examples, what was said, the question."""

from collections.abc import Sequence
from typing import Final

from trainerbot.conversation.recall import Memory
from trainerbot.messages import ChatMessage, Role

HISTORY_CHARACTERS: Final = 4_000
"""Of earlier turns, about 1,000 tokens: what a model of 135 M parameters still follows."""

EXAMPLE_CHARACTERS: Final = 2_000
"""Of all examples together. One that does not fit is left out, never cut."""


def build(
    question: str,
    *,
    history: Sequence[ChatMessage],
    system_prompt: str,
    examples: Sequence[tuple[Memory, float]] = (),
) -> tuple[list[ChatMessage], tuple[int, ...]]:
    """Return the messages to send, oldest first, and the ids of the examples among them.

    Examples (best first) stand as turns already spoken, the best one last
    since the nearest words weigh most. Of `history` (oldest first) the newest
    turns within HISTORY_CHARACTERS stay; it never begins with an answer. The
    ids are best first.
    """
    messages = [ChatMessage(Role.SYSTEM, system_prompt)] if system_prompt.strip() else []
    shown = _fitting(examples)
    for memory in reversed(shown):
        messages.append(ChatMessage(Role.USER, memory.question))
        messages.append(ChatMessage(Role.ASSISTANT, memory.answer))
    messages.extend(_newest(history))
    messages.append(ChatMessage(Role.USER, question))
    return messages, tuple(memory.id for memory in shown)


def _fitting(examples: Sequence[tuple[Memory, float]]) -> list[Memory]:
    left = EXAMPLE_CHARACTERS
    kept = []
    for memory, _ in examples:
        n_characters = len(memory.question) + len(memory.answer)
        if n_characters <= left:
            left -= n_characters
            kept.append(memory)
    return kept


def _newest(history: Sequence[ChatMessage]) -> list[ChatMessage]:
    left = HISTORY_CHARACTERS
    start = len(history)
    while start and len(history[start - 1].content) <= left:
        start -= 1
        left -= len(history[start].content)
    while start < len(history) and history[start].role != Role.USER:
        start += 1
    return list(history[start:])
