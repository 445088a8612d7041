"""Small files for the tests of reading, and what came of them."""

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trainerbot.formats import Options, Problem, Row, read


def write(folder: Path, content: bytes | str, name: str = "upload") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def jsonl(*records: Any) -> str:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records)


def zipped(*files: tuple[str, bytes | str], level: int = 6) -> bytes:
    """A ZIP archive of these files, names as they are given."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def rows(path: Path, format: str, **options: Any) -> list[Row]:
    """The rows of a file in which nothing is wrong."""
    found = list(read(path, format=format, options=Options(**options)))
    assert problems(found) == []
    return [each for each in found if isinstance(each, Row)]


def records(path: Path, format: str, **options: Any) -> list[dict[str, Any]]:
    return [row.record for row in rows(path, format, **options)]


def problems(found: Iterable[Row | Problem]) -> list[Problem]:
    return [each for each in found if isinstance(each, Problem)]


def chat(*said: tuple[str, str]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in said]}
