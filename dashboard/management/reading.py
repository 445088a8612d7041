"""Options of commands that read a data file: which column is what, and the label of a batch."""

import argparse
import shlex
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from trainerbot.formats import Problem, detect, labels


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        type=_column,
        dest="mapping",
        metavar="FIELD=COLUMN",
        help="Which column of a table is what: prompt, completion, system, text, label, name, "
        "chosen, rejected, messages",
    )
    parser.add_argument("--sheet", help="Sheet of a workbook; else the first one")
    parser.add_argument("--label", help="The class of all rows that name none")
    parser.add_argument(
        "--positive",
        nargs="?",
        const=True,
        type=_flag,
        metavar="True|False",
        help="The original bot's word for --label positive or --label negative",
    )


def said(options: dict[str, Any]) -> dict[str, Any]:
    """What the options say, as `trainerbot.formats.Options` takes it."""
    label = options["label"]
    if options["positive"] is not None:
        label = labels.of_flag(options["positive"])
    return {"mapping": dict(options["mapping"]), "sheet": options["sheet"], "label": label}


def advice(path: Path, problem: Problem | None) -> str:
    """What to type when a table was refused because its columns are not known; "" otherwise."""
    if problem is None or problem.code not in ("mapping_needed", "invalid_mapping"):
        return ""
    columns = detect(path).columns
    if not columns:
        return ""
    asked, answered = columns[0], columns[min(1, len(columns) - 1)]
    given = f"--map prompt={shlex.quote(asked[:40])} --map completion={shlex.quote(answered[:40])}"
    return f"Such as: {given}"


def _column(text: str) -> tuple[str, str]:
    field, sign, column = text.partition("=")
    if not sign or not field or not column:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=COLUMN.")
    return field, column


def _flag(text: str) -> bool:
    try:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
            text.strip().lower()
        ]
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False.") from error
