"""Workbooks (.xlsx, .xlsm), as text that a person would have typed."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.tables.cells import as_text
from trainerbot.formats.tables.heads import Event, Heading, name_columns
from trainerbot.formats.tables.parts import Fault, Parts, Refused


def read(file: BinaryIO, *, sheet: str | None) -> Iterator[Event]:
    """Yield the events of one sheet; the first one that is shown, if None.

    Formulas count as the value that the workbook keeps for them; a row with
    a formula that has none, or with an error value, is a Problem. Holds the
    whole sheet: for `__main__` only, whose memory is limited.
    """
    import python_calamine as calamine

    try:
        parts = Parts(file)
        yield from parts.warnings()
        file.seek(0)
        book = calamine.load_workbook(file)
        shown = _sheets(book, calamine)
        if not shown:
            yield of_file("empty_file", "This workbook has no sheet with rows in it.")
            return
        if sheet is not None and sheet not in shown:
            yield of_file(
                "unknown_sheet",
                f'There is no sheet "{sheet[:80]}". This workbook has '
                f"{', '.join(name[:80] for name in shown[:20])}.",
            )
            return
        name = sheet or shown[0]
        faults = parts.faults(name)
        content = book.get_sheet_by_name(name)
    except Refused as refusal:
        yield refusal.problem
        return
    except calamine.PasswordError:
        yield of_file(
            "encrypted_file",
            "This workbook is protected by a password. Save it without one and try again.",
        )
        return
    except (calamine.CalamineError, zipfile.BadZipFile, RuntimeError, ValueError, OSError):
        yield of_file("invalid_file_format", "This workbook is damaged. Save it again, or as CSV.")
        return
    top = content.start[0] if content.start else 0
    left = content.start[1] if content.start else 0
    yield from _rows(content.iter_rows(), tuple(shown), faults, top=top, left=left)


def _sheets(book: Any, calamine: Any) -> list[str]:
    """Return the names of the sheets with cells: those that are shown, then the hidden."""
    sheets = [
        sheet for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    sheets.sort(key=lambda sheet: sheet.visible != calamine.SheetVisibleEnum.Visible)
    return [sheet.name for sheet in sheets]


def _rows(
    rows: Iterator[Sequence[object]],
    sheets: tuple[str, ...],
    faults: Mapping[int, Fault],
    *,
    top: int,
    left: int,
) -> Iterator[Event]:
    heading: Heading | None = None
    first = 0
    for index, values in enumerate(rows, start=top):
        cells = [as_text(value) for value in values]
        if heading is None:
            if not any(cell.strip() for cell in cells):
                continue
            first = index
            for event in name_columns(_without_empty_end(cells)):
                if isinstance(event, Heading):
                    heading = event = Heading(event.columns, sheets)
                yield event
            if heading is None:
                return
            continue
        line = index - first
        if fault := faults.get(index):
            yield _fault(line, index, fault)
            continue
        width = len(heading.columns)
        if any(cells[width:]):
            yield Problem(
                line,
                "ragged_row",
                f"Invalid file format. Row {line} (row {index + 1} of the sheet): a cell without "
                "a heading above it. Give its column a name, or empty the cell.",
            )
        elif any(cells):
            yield line, dict(zip(heading.columns, cells, strict=False))
    if heading is None:
        yield of_file("empty_file", "This sheet is empty. It needs a heading and a row.")


def _fault(line: int, index: int, fault: Fault) -> Problem:
    cell, kind = fault
    text = (
        f"the formula in cell {cell} has no value yet. Open the workbook, save it, and try again."
        if kind == "formula"
        else f"cell {cell} holds the error {kind}. Mend it or empty it."
    )
    return Problem(
        line,
        "formula_without_value" if kind == "formula" else "error_value",
        f"Invalid file format. Row {line} (row {index + 1} of the sheet): {text}",
    )


def _without_empty_end(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
