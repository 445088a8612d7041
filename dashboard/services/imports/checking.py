"""The task `import-check`: what is this file, and what is wrong with it?"""

from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from dashboard.models import DatasetImport
from dashboard.services import tasks
from dashboard.services.imports import moving, origins, surveying
from dashboard.services.imports.moving import State
from dashboard.services.tasks import Run
from trainerbot.errors import InvalidInput
from trainerbot.formats import Detected, Options, Problem, Report, Row, detect, read, tables
from trainerbot.formats import check as check_format

CHECK = "import-check"
SHOWN_ROWS = 5
LOOKED_AT = 1_000
MAX_SHOWN = 4_000  # characters of one text
MAX_ITEMS = 40  # of one list
MAX_DEPTH = 12


def check(
    path: Path,
    *,
    file_format: str = "",
    options: Options | None = None,
    target: str = "",
    with_tokens: bool = False,
) -> Report:
    """Read the whole file and say what is wrong with it, line by line. Stores nothing.

    Without a format it is taken for what it looks like. Raises InvalidInput
    when that cannot be told.
    """
    readable(path)
    if not file_format:
        found = detect(path)
        if found.format is None:
            said = found.problem.message if found.problem else found.said
            raise InvalidInput(f"{path.name} cannot be used. {said}")
        file_format, options = found.format, options or Options(mapping=found.mapping)
    return check_format(
        path,
        format=file_format,
        options=options or Options(),
        target=target or "any",
        max_bytes=settings.MAX_UPLOAD_BYTES,
        with_tokens=with_tokens,
    )


def readable(path: Path) -> None:
    """Raise InvalidInput for what cannot be read twice, and OSError for what cannot be read."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InvalidInput(f"{path.name} is a pipe or a device. Save its content to a file first.")
    path.stat()


@tasks.handler(CHECK)
def run_check(run: Run) -> dict[str, Any]:
    """Find out what an import's file is, and check it all."""
    imported = DatasetImport.objects.get(pk=run.args["import_id"])
    if imported.state not in (State.RECEIVED, State.CHECKING):
        return {"state": imported.state}
    with moving.ends_in_words(imported, run):
        if imported.state != State.CHECKING:
            moving.move(imported, State.CHECKING)
        run.save(step="checking")
        path = moving.path_of(imported)
        readable(path)
        stamp = moving.stamp_of(imported)
        found = detect(path, filename=imported.filename)
        chosen = imported.file_format or found.format or ""
        options = imported.options
        if not options.get("mapping"):
            options = {**options, "mapping": dict(found.mapping)}
        imported.options = options
        report: dict[str, Any] = {}
        detected = detected_row(found) | {"stamp": stamp, "tells_origins": origins.tells(path)}
        if chosen:
            detected |= _first_rows(path, chosen, moving.options_of(imported))
            if sheet := options.get("sheet"):
                detected["columns"] = _columns(path, sheet) or detected["columns"]
            report = moving.report_row(
                check_format(
                    path,
                    format=chosen,
                    options=moving.options_of(imported),
                    target=imported.target or "any",
                    max_bytes=settings.MAX_UPLOAD_BYTES,
                    progress=moving.ticker(run, imported),
                )
            )
        with transaction.atomic():
            # In the same transaction: whoever lost its lease, or was asked to stop, moves nothing.
            run.save()
            moving.move(
                imported,
                State.CHECKED,
                detected=detected,
                file_format=chosen,
                options=options,
                report=report,
            )
            # A command is not waiting for a page; it surveys when it is asked to.
            if not imported.path:
                surveying.request(imported)
    return {"state": imported.state}


def detected_row(found: Detected) -> dict[str, Any]:
    """What a file was taken for, as it is stored with the import."""
    return {
        "format": found.format,
        "kind": found.kind.value if found.kind else None,
        "said": found.said,
        "columns": list(found.columns),
        "sheets": list(found.sheets),
        "mapping": dict(found.mapping),
        "alternatives": list(found.alternatives),
        "problem": moving.problem_row(found.problem) if found.problem else None,
        "sample": [
            clipped(row.record) for row in found.sample[:SHOWN_ROWS] if isinstance(row, Row)
        ],
    }


def clipped(value: Any, depth: int = 0) -> Any:
    """A record as a page shows it: its long texts and lists cut, since it is stored with the import.

    A row may have many megabytes; what is not cut is as it was.
    """
    if isinstance(value, str):
        return (
            value
            if len(value) <= MAX_SHOWN
            else f"{value[:MAX_SHOWN]}… ({len(value):,} characters)"
        )
    if isinstance(value, list | dict) and depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, list):
        return [clipped(each, depth + 1) for each in value[:MAX_ITEMS]]
    if isinstance(value, dict):
        some = islice(value.items(), MAX_ITEMS)
        return {clipped(key): clipped(each, depth + 1) for key, each in some}
    return value


def _first_rows(path: Path, file_format: str, options: Options) -> dict[str, Any]:
    """What the file's rows become as it is read now, which need not be what it looked like.

    {kind, sample}; empty when its first rows are all faulty.
    """
    rows: list[Row] = []
    for each in islice(read(path, format=file_format, options=options), LOOKED_AT):
        if isinstance(each, Row):
            rows.append(each)
        if len(rows) == SHOWN_ROWS:
            break
    if not rows:
        return {}
    return {"kind": rows[0].kind.value, "sample": [clipped(row.record) for row in rows]}


def _columns(path: Path, sheet: str) -> list[str]:
    """The columns of a sheet that is not the first one, as its rows name them."""
    for each in tables.rows(path, sheet=sheet):
        if not isinstance(each, Problem):
            return list(each[1])
    return []
