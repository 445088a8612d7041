"""What kind of table a file is, by its bytes; and what cannot be read, in words."""

import os
from pathlib import Path
from typing import BinaryIO, Final, Literal

from trainerbot.formats.report import Problem, of_file

_TAIL_BYTES: Final = 256 * 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_BYTES: Final = 16 * 1024 * 1024

Container = Literal["text", "xlsx", "parquet"]


def tell(path: str | os.PathLike[str]) -> Container | Problem | None:
    """Return how the file is packed, why it cannot be read, or None when it is no table.

    "text" says only that it is none of the others. Reads at most 16 MiB.
    Raises OSError.
    """
    with Path(path).open("rb") as file:
        head = file.read(8)
        if head.startswith(b"PAR1"):
            return "parquet"
        if head.startswith(b"PARE"):
            return of_file(
                "encrypted_file",
                "This Parquet file is encrypted. Save it without encryption and try again.",
            )
        if head.startswith(b"PK\x03\x04"):
            return _tell_zip(file)
        if head.startswith(_OLE):
            return _tell_ole(file)
        return "text"


def _tell_zip(file: BinaryIO) -> Container | Problem | None:
    """Look for a workbook's names in the list of contents, which lies at the end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    if b"xl/workbook.xml" in tail:
        return "xlsx"
    if b"xl/workbook.bin" in tail:
        return _save_as_xlsx("an Excel workbook in the binary format (.xlsb)")
    file.seek(0)
    if b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in file.read(200):
        return _save_as_xlsx("an OpenDocument spreadsheet (.ods)")
    return None


def _tell_ole(file: BinaryIO) -> Problem | None:
    file.seek(0)
    content = file.read(_OLE_BYTES)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return of_file(
            "encrypted_file",
            "This workbook is protected by a password. Save it without one and try again.",
        )
    if any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        return _save_as_xlsx("an Excel workbook in the old format (.xls)")
    return None


def _save_as_xlsx(what: str) -> Problem:
    return of_file("invalid_file_format", f"This file is {what}. Save it as .xlsx or as CSV.")


NOT_A_TABLE: Final = of_file(
    "invalid_file_format", "This file is no table. Give CSV, TSV, XLSX or Parquet."
)
