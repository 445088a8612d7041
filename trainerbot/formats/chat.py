"""Chat JSONL: `{"messages": [...]}` a line, as OpenAI's fine-tuning takes it."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple

import msgspec

from trainerbot.formats.chat_rules import check_row
from trainerbot.formats.jsonl import Line, parse_object, read_lines
from trainerbot.formats.report import Problem, Report, of_file
from trainerbot.messages import Role

MAX_REPORTED: Final = 1000
"""Problems that a report keeps; it counts the rest."""

MAX_PROBLEMS_A_ROW: Final = 20
"""Complaints about one row; a row with so many is another format altogether."""


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


class _PlainMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "developer", "user", "assistant"]
    content: str


class _PlainRow(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: list[_PlainMessage]


_decode_plain = msgspec.json.Decoder(_PlainRow).decode
_decode_any = msgspec.json.Decoder().decode


def read_chat_jsonl(path: str | os.PathLike[str]) -> Iterator[ChatExample | Problem]:
    """Yield every usable row of a file, and every problem, in the file's order.

    A row's warnings come before the row; a row with an error does not come.
    Holds one line at a time (at most 16 MiB) and never raises for what is in
    the file; raises OSError when the file itself cannot be read.
    """
    with Path(path).open("rb") as file:
        for line in read_lines(file):
            if isinstance(line, Problem):
                yield line
            elif _is_plain(line.raw):
                yield ChatExample(line.number, _decode_any(line.raw))
            else:
                record, problems = _examine(line)
                yield from problems
                if record is not None:
                    yield ChatExample(line.number, record)


def check_chat_jsonl(
    path: str | os.PathLike[str], *, max_bytes: int, min_examples: int = 1
) -> Report:
    """Return what is wrong with a whole file, at about two microseconds a plain row.

    A file over `max_bytes` is refused unread. Fewer than `min_examples` usable
    rows is an error of the file (OpenAI asks for 10). Constant memory. Raises
    OSError when the file cannot be read.
    """
    with Path(path).open("rb") as file:
        n_bytes = os.fstat(file.fileno()).st_size
        if n_bytes > max_bytes:
            return _refused(_too_large(n_bytes, max_bytes), n_bytes=n_bytes)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        return _sum_up(file, n_bytes=n_bytes, sha256=sha256, min_examples=min_examples)


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


def _is_plain(raw: bytes) -> bool:
    """Say whether a row is of the common kind that nothing can be wrong with.

    True only for messages of a known role and a text that is not empty, with a
    user and an assistant at the end. Everything else takes the exact way:
    here speed is what counts, there the reason.
    """
    try:
        messages = _decode_plain(raw).messages
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if not messages or messages[-1].role != "assistant":
        return False
    asked = False
    for message in messages:
        if not message.content or message.content.isspace():
            return False
        asked = asked or message.role == "user"
    # Two quotes for "messages", eight for each message's keys and values: a
    # key given twice, which msgspec lets pass, makes more.
    n_quotes = raw.count(b'"')
    if b"\\" in raw:
        n_quotes -= raw.count(b'\\"')
        if b"\\u0000" in raw:
            return False
    return asked and n_quotes == 2 + 8 * len(messages)


def _examine(line: Line) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Return the row, or None when it has an error, and all that is to be said about it."""
    record = parse_object(line)
    if isinstance(record, Problem):
        return None, [record]
    problems = list(check_row(line.number, record))
    usable = all(problem.severity == "warning" for problem in problems)
    if len(problems) > MAX_PROBLEMS_A_ROW:
        # The errors are what must be mended, so they may not fall off the end.
        problems.sort(key=lambda problem: problem.severity == "warning")
        del problems[MAX_PROBLEMS_A_ROW:]
    return (record if usable else None), problems


def _sum_up(file: BinaryIO, *, n_bytes: int, sha256: str, min_examples: int) -> Report:
    kept: list[Problem] = []
    first_error: Problem | None = None
    n_examples = n_problems = n_errors = 0

    for line in read_lines(file):
        if isinstance(line, Problem):
            found = [line]
        elif _is_plain(line.raw):
            n_examples += 1
            continue
        else:
            record, found = _examine(line)
            n_examples += record is not None
        for problem in found:
            n_problems += 1
            if problem.severity == "error":
                n_errors += 1
                first_error = first_error or problem
            if len(kept) < MAX_REPORTED:
                kept.append(problem)

    # While rows or the file are at fault, their number says nothing.
    if n_examples < min_examples and not n_errors:
        few = _too_few(n_examples, min_examples)
        n_problems += 1
        n_errors += 1
        first_error = first_error or few
        kept = [*kept[: MAX_REPORTED - 1], few]
    return Report(
        n_examples=n_examples,
        n_bytes=n_bytes,
        sha256=sha256,
        problems=tuple(kept),
        n_problems=n_problems,
        n_errors=n_errors,
        first_error=first_error,
    )


def _refused(problem: Problem, *, n_bytes: int) -> Report:
    """Return the report about a file that was not read."""
    return Report(
        n_examples=0,
        n_bytes=n_bytes,
        sha256="",
        problems=(problem,),
        n_problems=1,
        n_errors=1,
        first_error=problem,
    )


def _too_large(n_bytes: int, max_bytes: int) -> Problem:
    return of_file(
        "file_too_large",
        f"This file has {n_bytes / 2**20:,.1f} MiB, over the limit of {max_bytes / 2**20:,.1f} MiB. "
        "Split it.",
    )


def _too_few(n_examples: int, min_examples: int) -> Problem:
    return of_file(
        "invalid_n_examples",
        f"Training file has {n_examples} example(s), but must have at least "
        f"{min_examples} examples",
    )


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
