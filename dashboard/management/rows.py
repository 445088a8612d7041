"""Small JSON-lines files that commands take: a few named texts a line."""

from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings

from trainerbot.errors import InvalidInput
from trainerbot.formats import Problem
from trainerbot.formats.jsonl import MAX_LINE_BYTES, Line, parse_object
from trainerbot.formats.recognition import BOM

Check = Callable[[str], None]


def read_rows(path: Path, checks: Mapping[str, Check]) -> list[dict[str, str]]:
    """Every line's texts under the keys of `checks`, each passed by its check.

    A check raises InvalidInput for a text that cannot be used. Raises
    InvalidInput, naming the line, before anything is done with any; OSError
    when the file cannot be read.
    """
    rows = []
    with path.open("rb") as file:
        n_left = settings.MAX_UPLOAD_BYTES
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            n_left -= len(raw)
            if len(raw) > MAX_LINE_BYTES or n_left < 0:
                raise InvalidInput(f"{path.name}, line {number}: too long. Split the file.")
            line = (raw.removeprefix(BOM) if number == 1 else raw).strip()
            if line:
                rows.append(_row(path.name, Line(number, line), checks))
    if not rows:
        raise InvalidInput(f"{path.name} is empty.")
    return rows


def _row(filename: str, line: Line, checks: Mapping[str, Check]) -> dict[str, str]:
    record = parse_object(line)
    if isinstance(record, Problem):
        raise InvalidInput(f"{filename}: {record.message}")
    row = {}
    for key, check in checks.items():
        value = record.get(key)
        if not isinstance(value, str):
            raise InvalidInput(f'{filename}, line {line.number} needs a "{key}" with text.')
        try:
            check(value)
        except InvalidInput as error:
            raise InvalidInput(f"{filename}, line {line.number}: {error}") from error
        row[key] = value
    return row
