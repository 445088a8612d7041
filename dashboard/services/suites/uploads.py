"""Suites from files: our own cases as JSONL or CSV, or any format that datasets are imported from."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from dashboard.models import Judge
from dashboard.services.suites.content import MAX_CASES, Content, check
from dashboard.services.suites.records import content_of
from trainerbot.errors import InvalidInput
from trainerbot.formats import detect
from trainerbot.formats import read as read_rows
from trainerbot.formats.report import Problem
from trainerbot.formats.rows import Kind, Options

MAX_BYTES: Final = 32 * 1024 * 1024
_OF_JUDGES: Final = ("least", "phrases", "without", "labels", "rubric")
_TEXTS: Final = ("question", "expected", "rejected", "system")
FIELDS: Final = frozenset({*_TEXTS, *_OF_JUDGES, "history", "judge", "tags"})
_LISTS: Final = frozenset({"phrases", "without", "labels", "tags"})
BETWEEN: Final = "|"  # in a cell of a table


def read(data: bytes, *, filename: str) -> list[Content]:
    """Return the cases of a file, in its order. Raises InvalidInput, naming the line.

    A file whose records have a `question` holds cases as docs/evaluation.md
    has them; any other is read as a dataset would be.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            f"The file has more than {MAX_BYTES // 1024 // 1024} MiB. Import it as a dataset, "
            "and test on a part of its split."
        )
    found = list(_cases(data, filename))
    if not found:
        raise InvalidInput("The file holds no case. See what a case looks like beside the form.")
    return found


def _cases(data: bytes, filename: str) -> Iterator[Content]:
    own = _own(data)
    rows = _of_dataset(data, filename) if own is None else own
    for n_cases, (line, content) in enumerate(rows, 1):
        if n_cases > MAX_CASES:
            raise InvalidInput(f"A suite has {MAX_CASES:,} cases at most.")
        check(content, where=f"Line {line}")
        yield content


def _own(data: bytes) -> Iterator[tuple[int, Content]] | None:
    """The cases of a file of our own shape; None for any other file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    first = text.lstrip().split("\n", 1)[0].strip()
    if first.startswith("{"):
        told = _json(first)
        return _of_lines(text) if isinstance(told, dict) and "question" in told else None
    try:
        head = next(csv.reader([first]), [])
    except csv.Error:  # no head of a table
        return None
    return _of_table(text) if "question" in [name.strip().lower() for name in head] else None


def _of_lines(text: str) -> Iterator[tuple[int, Content]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            told = _json(line)
            if not isinstance(told, dict):
                raise InvalidInput(f'Line {number} is no JSON object. Write {{"question": "..."}}.')
            yield number, _content(told, number)


def _of_table(text: str) -> Iterator[tuple[int, Content]]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for row in rows:
            told: dict[str, Any] = {
                name.strip().lower(): cell
                for name, cell in row.items()
                if isinstance(name, str) and isinstance(cell, str) and cell.strip()
            }
            if not told:
                continue
            for name in _LISTS & told.keys():
                told[name] = told[name].split(BETWEEN)
            yield rows.line_num, _content(_numbered(told, rows.line_num), rows.line_num)
    except csv.Error as error:
        raise InvalidInput(f"Line {rows.line_num} is no row of a table: {error}.") from error


def _numbered(told: dict[str, Any], line: int) -> dict[str, Any]:
    if "least" in told:
        try:
            told["least"] = float(told["least"])
        except ValueError as error:
            raise InvalidInput(f"Line {line}: least is a number such as 0.75.") from error
    if "history" in told:
        told["history"] = _json(told["history"])
    return told


def _content(told: dict[str, Any], line: int) -> Content:
    if unknown := sorted(set(map(str, told)) - FIELDS):
        raise InvalidInput(
            f"Line {line}: a case has no {unknown[0]!r}. It has {', '.join(sorted(FIELDS))}."
        )
    question, expected, rejected, system = (told.get(name) or "" for name in _TEXTS)
    if wrong := [name for name in _TEXTS if not isinstance(told.get(name) or "", str)]:
        raise InvalidInput(f"Line {line}: {wrong[0]} is a text.")
    history, tags = told.get("history") or [], told.get("tags") or []
    if not isinstance(history, list) or not all(isinstance(each, dict) for each in history):
        raise InvalidInput(f"Line {line}: history is a list of messages.")
    if not isinstance(tags, list) or not all(isinstance(each, str) for each in tags):
        raise InvalidInput(f"Line {line}: tags are a list of words.")
    return Content(
        question=question,
        expected=expected,
        rejected=rejected,
        system=system,
        history=[
            {"role": each.get("role", ""), "content": each.get("content", "")} for each in history
        ],
        judge=str(told.get("judge") or _usual_judge(told)),
        judge_args={
            name: told[name] for name in _OF_JUDGES if told.get(name) not in (None, "", [])
        },
        tags=[tag.strip() for tag in tags if tag.strip()],
    )


def _usual_judge(told: dict[str, Any]) -> str:
    """The judge that suits what a case says, where it names none."""
    if told.get("rubric"):
        return Judge.MODEL.value
    if told.get("labels"):
        return Judge.LABEL.value
    if told.get("phrases") or told.get("without"):
        return Judge.CONTAINS.value
    return Judge.SIMILAR.value


def _of_dataset(data: bytes, filename: str) -> Iterator[tuple[int, Content]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(data)
        found = detect(path, filename=filename)
        if found.format is None:
            why = found.problem.message if found.problem else found.said
            raise InvalidInput(f"This is no file of cases. {why}")
        options = Options(mapping=found.mapping)
        rows = list(read_rows(path, format=found.format, options=options))
    labels = sorted(
        {
            str(row.record["label"])
            for row in rows
            if not isinstance(row, Problem) and row.kind is Kind.LABELLED
        }
    )
    for row in rows:
        if isinstance(row, Problem):
            if row.severity == "error":
                raise InvalidInput(row.message)
            continue
        try:
            yield row.line, content_of(row.record, row.kind, labels=labels)
        except InvalidInput as error:
            raise InvalidInput(f"Line {row.line} is no case: {error}.") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
