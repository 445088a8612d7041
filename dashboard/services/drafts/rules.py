"""Whether a record that a person wrote may stand in a version of a kind."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainerbot.errors import InvalidInput
from trainerbot.formats import Row, check, read
from trainerbot.formats.catalogue import KEPT_AS
from trainerbot.formats.rows import Kind

MAX_BYTES = 16 * 2**20
_BEFORE_THE_REASON = ("Invalid file format. Line 1, ", "Invalid file format. Line 1: ", "Line 1, ")


def usable(record: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Return the record as it is stored. Raises InvalidInput, with the reason, for a faulty one.

    By the very rules of an import: it is read as the one row of a file.
    """
    try:
        # Escaped, so that half a surrogate pair comes to the reader, who knows the words for it.
        text = json.dumps(dict(record))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("This example is no JSON object that can be stored.") from error
    if kind == Kind.LABELLED:
        text = f"[{text}]"
    file_format = KEPT_AS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.json"
        path.write_text(text + "\n", encoding="utf-8")
        report = check(path, format=file_format, target="any", max_bytes=MAX_BYTES)
        if report.first_error is not None:
            raise InvalidInput(
                f"This example cannot be stored: {_reason(report.first_error.message)}"
            )
        rows = [row for row in read(path, format=file_format) if isinstance(row, Row)]
    if len(rows) != 1 or rows[0].kind != kind:
        raise InvalidInput(f"This is no example of the kind {kind.value}.")
    return rows[0].record


def _reason(message: str) -> str:
    for beginning in _BEFORE_THE_REASON:
        message = message.removeprefix(beginning)
    return message
