"""Chat JSONL: `{"messages": [...]}` a line, as OpenAI's fine-tuning takes it."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from trainerbot.formats.chat_rules import check_row
from trainerbot.formats.columns import column_of
from trainerbot.formats.jsonl import Line, parse_object, read_lines
from trainerbot.formats.plain import is_plain
from trainerbot.formats.report import Problem, clipped
from trainerbot.messages import Role


@dataclass(frozen=True, slots=True)
class ChatExample:
    """One usable row: its line in the file, and the whole object as it was given."""

    line: int
    record: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation, oldest first, in OpenAI's own shape."""
        messages: list[dict[str, Any]] = self.record["messages"]
        return messages


class Prompt(NamedTuple):
    """What was asked and what should have been answered; None where the row has neither."""

    question: str | None
    answer: str | None


_decode: Final = msgspec.json.Decoder().decode


def read_chat_jsonl(path: str | os.PathLike[str]) -> Iterator[ChatExample | Problem]:
    """Yield every usable row of a file, and every problem, in the file's order.

    A row's warnings come before the row; a row with an error does not come.
    Holds one line at a time (at most 16 MiB) and never raises for what is in
    the file; raises OSError when the file itself cannot be read.
    """
    with Path(path).open("rb") as file:
        yield from read_chat_lines(read_lines(file))


def read_chat_lines(lines: Iterable[Line | Problem]) -> Iterator[ChatExample | Problem]:
    """Yield what `read_chat_jsonl` does of lines, or elements of an array, that are cut already."""
    for line in lines:
        if isinstance(line, Problem):
            yield line
        elif is_plain(line.raw):
            yield ChatExample(line.number, _decode(line.raw))
        else:
            record, problems = examine(line)
            yield from problems
            if record is not None:
                yield ChatExample(line.number, record)


def examine(line: Line) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Return the row, or None when it has an error, and all that is to be said about it.

    The exact way, some thirty times slower than `plain.sift`.
    """
    record = parse_object(line)
    if isinstance(record, Problem):
        return None, [record]
    problems = list(check_row(line.number, record))
    usable = all(problem.severity == "warning" for problem in problems)
    problems = clipped(problems)
    text = line.raw.decode() if problems else ""
    return (record if usable else None), [
        replace(problem, column=column_of(text, problem.key)) for problem in problems
    ]


def parse_prompt(messages: Sequence[Mapping[str, Any]]) -> Prompt:
    """Return the last answer to learn from, and the question that it answers.

    The answer is the last assistant text whose weight is not 0, the question
    the last user text before it (the last at all, when there is no answer).
    Parts that are not text are left out.
    """
    answer = None
    asked = messages
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.get("role") == Role.ASSISTANT and message.get("weight") != 0:
            answer = _text_of(message)
            if answer is not None:
                asked = messages[:index]
                break
    for message in reversed(asked):
        if message.get("role") == Role.USER and (question := _text_of(message)) is not None:
            return Prompt(question, answer)
    return Prompt(None, answer)


def _text_of(message: Mapping[str, Any]) -> str | None:
    """Return a message's words, its text parts joined by line ends, or None when it has none."""
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return content if isinstance(content, str) and content.strip() else None
