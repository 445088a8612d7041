"""Cells that a spreadsheet would run as formulas: made harmless on the way out, and back."""

import re
from collections.abc import Mapping
from typing import Any, Final

# What Excel, LibreOffice and Google Sheets take for the beginning of a formula
# (OWASP, "CSV Injection"), behind any number of apostrophes, so that a cell
# which was protected already is told from one that was not.
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_PROTECTED: Final = re.compile("'" + _FORMULA.pattern)


def protect(cell: str) -> str:
    """Return the cell with an apostrophe before it, where a spreadsheet would run it."""
    return "'" + cell if _FORMULA.match(cell) else cell


def restore(cell: str) -> str:
    """Return the cell as it was before `protect`; every other cell stays as it is."""
    return cell[1:] if _PROTECTED.match(cell) else cell


def restore_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with each of its texts as it was before `protect`."""
    return {
        name: restore(value) if isinstance(value, str) else value for name, value in row.items()
    }
