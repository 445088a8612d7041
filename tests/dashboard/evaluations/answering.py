"""What a scripted endpoint says to a text that is to be classified."""

import json
from collections.abc import Callable
from typing import Any

from tests.fakes.openai_endpoint import FakeOpenAI, Reply, error_body

Rule = Callable[[str], str]
TOO_LONG = error_body("Too many tokens.", "context_length_exceeded")


def classifying(
    rule: Rule, *, binds: bool = True, delay_s: float = 0.0
) -> Callable[[dict[str, Any]], Reply]:
    """Answer each text with the label that `rule` gives it.

    As the JSON that was asked for, or, where the endpoint does not bind a
    model to labels, in words.
    """

    def answer(body: dict[str, Any]) -> Reply:
        label = rule(text_of(body))
        if not binds:
            return Reply(pieces=(label,), refuses={"response_format": "no such thing"})
        return Reply(pieces=(json.dumps({"label": label}),), delay_s=delay_s)

    return answer


def text_of(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def asked(endpoint: FakeOpenAI) -> list[str]:
    """The texts that the endpoint was asked about, sorted: they come in any order."""
    return sorted(map(text_of, endpoint.chats))


def reading(n_characters: int, rule: Rule) -> Callable[[dict[str, Any]], Reply]:
    """A model that reads so many characters and refuses longer texts."""

    def answer(body: dict[str, Any]) -> Reply:
        if len(text_of(body)) > n_characters:
            return Reply(status=400, error=TOO_LONG)
        return classifying(rule)(body)

    return answer


def by_the_word(text: str) -> str:
    """A simple reader: whoever speaks of a basket or of money sells something."""
    words = text.lower()
    return "positive" if "basket" in words or "pay" in words else "negative"
