"""What the model reads: instructions, examples, what was said, the question."""

from collections.abc import Sequence
from typing import Final

from trainerbot.conversation.recall import Memory
from trainerbot.messages import ChatMessage, Image, Role

HISTORY_TOKENS: Final = 1_000
"""Of earlier turns, whatever the model: what one of 135 M parameters still follows."""

ASSUMED_CONTEXT_TOKENS: Final = 4_096
"""Of a model whose endpoint does not tell: what Ollama, the most used of those, lets one read
unless somebody sets it; and less than any of OpenAI's own, which does not tell either."""

ASSUMED_ANSWER_TOKENS: Final = 1_000
"""Left free for the answer where nobody said how long it may be."""

MOST_HISTORY_TOKENS: Final = 16_000
"""Of earlier turns, however much a model reads: they are paid for at each question."""

EXAMPLE_CHARACTERS: Final = 2_000
"""Of all examples together. One that does not fit is left out, never cut."""

LANGUAGES: Final = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "cs": "Czech", "da": "Danish",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "kk": "Kazakh", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""Languages by the first part of their tag, named as every model knows them."""


def build(
    question: str,
    *,
    history: Sequence[ChatMessage],
    system_prompt: str,
    examples: Sequence[tuple[Memory, float]] = (),
    images: tuple[Image, ...] = (),
    history_tokens: int = HISTORY_TOKENS,
) -> tuple[list[ChatMessage], tuple[int, ...]]:
    """Return the messages to send, oldest first, and the ids of the examples among them.

    Examples (best first) stand as turns already spoken, the best one last
    since the nearest words weigh most. Of `history` (oldest first) the newest
    turns within `history_tokens` stay; it never begins with an answer.
    `images` stand beside the question. The ids are best first.
    """
    messages = [ChatMessage(Role.SYSTEM, system_prompt)] if system_prompt.strip() else []
    shown = _fitting(examples)
    for memory in reversed(shown):
        messages.append(ChatMessage(Role.USER, memory.question))
        messages.append(ChatMessage(Role.ASSISTANT, memory.answer))
    messages.extend(_newest(history, history_tokens))
    messages.append(ChatMessage(Role.USER, question, images))
    return messages, tuple(memory.id for memory in shown)


def tokens_in(text: str) -> int:
    """Return about how many tokens `text` has: one for four bytes of UTF-8.

    That is a little too many for English and Chinese, and about right for
    Russian, which a count of characters would take for half of what it is.
    """
    return (len(text) if text.isascii() else len(text.encode())) // 4 + 1


def room_for_history(
    context_tokens: int | None, *, question: str, system_prompt: str, max_tokens: int | None
) -> int:
    """Return how many tokens of earlier turns a model takes beside all else.

    context_tokens: what it reads and writes together; None if nobody knows.
    """
    others = tokens_in(question) + tokens_in(system_prompt) + EXAMPLE_CHARACTERS // 4
    if context_tokens is None:
        left = int(ASSUMED_CONTEXT_TOKENS * 0.9) - others - (max_tokens or ASSUMED_ANSWER_TOKENS)
        return max(HISTORY_TOKENS, left)
    # A tenth less, since tokens are guessed.
    left = int(context_tokens * 0.9) - others - (max_tokens or 0)
    return max(0, min(left, MOST_HISTORY_TOKENS))


def in_language(system_prompt: str, language: str) -> str:
    """Return the instructions with one more: to answer in `language`, a tag such as ru-RU."""
    if not language:
        return system_prompt
    name = LANGUAGES.get(language.partition("-")[0].lower())
    wish = f"Answer in {name} ({language})." if name else f"Answer in the language {language}."
    return f"{system_prompt.rstrip()}\n{wish}".lstrip()


def _fitting(examples: Sequence[tuple[Memory, float]]) -> list[Memory]:
    left = EXAMPLE_CHARACTERS
    kept = []
    for memory, _ in examples:
        n_characters = len(memory.question) + len(memory.answer)
        if n_characters <= left:
            left -= n_characters
            kept.append(memory)
    return kept


def _newest(history: Sequence[ChatMessage], left: int) -> list[ChatMessage]:
    start = len(history)
    while start and (n_tokens := tokens_in(history[start - 1].content)) <= left:
        start -= 1
        left -= n_tokens
    while start < len(history) and history[start].role != Role.USER:
        start += 1
    return list(history[start:])
