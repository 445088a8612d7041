"""Logged dialogues of the original bot: single messages in a row, or lists of them."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from trainerbot.formats.records.item import Item
from trainerbot.formats.records.messages import Message, read_message, read_messages
from trainerbot.formats.records.refusal import Refused
from trainerbot.formats.report import Problem
from trainerbot.messages import Role

_LISTS_A_CONVERSATION: Final = 4
"""The original sent its prepared chats on by four lists at a time."""

Found = tuple[int, dict[str, Any]]


def read_dialogue(items: Iterable[Item | Problem]) -> Iterator[Found | Problem]:
    """Yield line and chat record of each answered question.

    A question may have several answers, as in the original's files of old and
    new ones; each is an example. `sentiment` stays in the metadata, a system
    message is put before the questions after it. Lists of messages are read
    as conversations: one that ends with an answer is whole by itself, others
    are joined by four.
    """
    pairs = _Pairs()
    lists = _Lists()
    for item in items:
        if isinstance(item, Problem):
            yield item
            continue
        try:
            if isinstance(item.value, list):
                yield from lists.add(item.line, read_messages(item.value, "messages"))
            elif isinstance(item.value, dict):
                yield from pairs.add(item.line, item.value)
            else:
                raise Refused("", "data_type", "a message must be an object with role and content.")
        except Refused as refused:
            yield refused.as_problem(item.line)
    yield from lists.end()
    yield from pairs.end()


class _Pairs:
    def __init__(self) -> None:
        self._system: list[Message] = []
        self._question: Message | None = None
        self._line = 0
        self._answered = True

    def add(self, line: int, value: dict[str, Any]) -> Iterator[Found | Problem]:
        message = read_message(value, "message")
        said = {"role": message["role"], "content": message.get("content")}
        if not isinstance(said["content"], str) or not said["content"].strip():
            raise Refused("content", "missing_content", "This message says nothing.")
        if said["role"] in (Role.SYSTEM, Role.DEVELOPER):
            self._system = [said]
        elif said["role"] == Role.USER:
            yield from self.end()
            self._question, self._line, self._answered = said, line, False
        elif said["role"] != Role.ASSISTANT:
            raise Refused("role", "unrecognized_role", "A dialogue has users and an assistant.")
        elif self._question is None:
            raise Refused("role", "missing_user_message", "This answer follows no question.")
        else:
            self._answered = True
            record: dict[str, Any] = {"messages": [*self._system, self._question, said]}
            sentiment = value.get("sentiment")
            if isinstance(sentiment, str) and sentiment.strip():
                record["metadata"] = {"sentiment": sentiment.strip()}
            yield line, record

    def end(self) -> Iterator[Problem]:
        if not self._answered:
            self._answered = True
            yield _unanswered(self._line)


class _Lists:
    def __init__(self) -> None:
        self._waiting: list[Message] = []
        self._line = 0
        self._n_lists = 0

    def add(self, line: int, messages: list[Message]) -> Iterator[Found]:
        if not self._waiting:
            self._line = line
        self._waiting += messages
        self._n_lists += 1
        whole = self._n_lists == 1 and messages[-1]["role"] == Role.ASSISTANT
        if whole or self._n_lists == _LISTS_A_CONVERSATION:
            yield self._line, self._take()

    def end(self) -> Iterator[Found]:
        if self._waiting:
            yield self._line, self._take()

    def _take(self) -> dict[str, Any]:
        record = {"messages": self._waiting}
        self._waiting, self._n_lists = [], 0
        return record


def _unanswered(line: int) -> Problem:
    return Problem(
        line,
        "unanswered_question",
        f"Line {line}: no answer follows this question; it was left out.",
        severity="warning",
    )
