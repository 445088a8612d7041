"""An element made a row of ours, and what is wrong with it if it cannot be."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from trainerbot.formats.catalogue import FORMATS, Convert, shape_of
from trainerbot.formats.chat_rules import check_row
from trainerbot.formats.kind_rules import check_kind
from trainerbot.formats.marks import unmarked
from trainerbot.formats.records.item import Item
from trainerbot.formats.records.refusal import Refused
from trainerbot.formats.report import Problem, clipped, of_line
from trainerbot.formats.rows import Kind, Row

_MISSING: Final = frozenset({"message_missing_key", "missing_messages_list"})


def convert(item: Item, *, format: str, kind: Kind, by: Convert) -> Iterator[Row | Problem]:
    """Yield the warnings about one element and its row; or, instead of a row, its errors."""
    if not isinstance(item.value, dict):
        yield of_line(item.line, "data_type", "each row must be a JSON object with keys.")
        return
    value, source = unmarked(item.value)
    given = _as_texts(value) if item.from_table else value
    try:
        record = by(given)
    except Refused as refused:
        meant = shape_of(given)
        if refused.code in _MISSING and meant not in (None, format):
            text = f'this looks like {FORMATS[meant or ""].title}; "{refused.key}" is missing.'
            yield of_line(item.line, refused.code, text)
        else:
            yield refused.as_problem(item.line)
        return
    yield from checked(Row(item.line, record, kind, source=source))


def checked(row: Row) -> Iterator[Row | Problem]:
    """Yield the warnings about a row and then the row; or its errors alone."""
    problems = list(_check(row))
    # What training asks beyond that keeps a row out too; its warnings are for the checker.
    problems += [each for each in check_kind(row) if each.severity == "error"]
    usable = all(problem.severity == "warning" for problem in problems)
    yield from clipped(problems)
    if usable:
        yield row


def _check(row: Row) -> Iterator[Problem]:
    """Yield what OpenAI's rules find in the conversation, or conversations, of a row."""
    record = row.record
    match row.kind:
        case Kind.CHAT:
            if not _is_plain(record):
                yield from check_row(row.line, record)
        case Kind.UNPAIRED:
            asked = record["prompt"]
            yield from _check_answer(row.line, asked, record["completion"], "prompt", "completion")
        case Kind.PREFERENCE:
            asked = record["input"]["messages"]
            tools = record["input"].get("tools")
            for key in ("preferred_output", "non_preferred_output"):
                first = key == "preferred_output"
                yield from _check_answer(
                    row.line, asked, record[key], "input.messages", key, tools=tools, whole=first
                )
        case Kind.LABELLED:
            return


def _is_plain(record: Mapping[str, Any]) -> bool:
    """Say whether a conversation is of the common kind that nothing can be wrong with."""
    messages = record.get("messages")
    if len(record) != 1 or type(messages) is not list or not messages:
        return False
    asked = False
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return False
        role, content = message.get("role"), message.get("content")
        if type(content) is not str or not content or content.isspace():
            return False
        if role == "user":
            asked = True
        elif role not in ("assistant", "system"):
            return False
    return asked and messages[-1]["role"] == "assistant"


def _check_answer(
    line: int,
    asked: list[Any],
    answer: list[Any],
    asked_key: str,
    answer_key: str,
    *,
    tools: Any = None,
    whole: bool = True,
) -> Iterator[Problem]:
    """Check a question with its answer as one conversation, naming the keys as the row has them.

    What is wrong with the question is said once, with the first answer (`whole`).
    """
    row: dict[str, Any] = {"messages": [*asked, *answer]}
    if tools is not None:
        row["tools"] = tools
    for problem in check_row(line, row):
        key = problem.key.replace("messages", asked_key, 1)
        in_answer = False
        for index in range(len(asked), len(row["messages"])):
            if problem.key.startswith(f"messages[{index}]"):
                in_answer = True
                rest = problem.key.removeprefix(f"messages[{index}]")
                key = f"{answer_key}[{index - len(asked)}]{rest}"
        if whole or in_answer:
            message = problem.message.replace(f'key "{problem.key}"', f'key "{key}"', 1)
            yield replace(problem, key=key, message=message)


def _as_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's row with its numbers as text."""
    return {
        key: str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        for key, value in row.items()
    }
