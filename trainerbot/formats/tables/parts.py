"""What is inside a workbook's zip: how much of it, macros, and formulas without a value."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final, NamedTuple
from xml.parsers import expat

from trainerbot.formats.report import Problem, of_file

MAX_XML_BYTES: Final = 512 * 1024 * 1024
"""What all parts of a workbook may unpack to."""

MAX_PARTS: Final = 10_000
MAX_FAULTS: Final = 100_000


class Fault(NamedTuple):
    """A cell that cannot be used: B7, and "formula" without a value or an error such as #REF!."""

    cell: str
    kind: str


_PIECE_BYTES: Final = 256 * 1024
# What no sheet without formulas and errors holds, as far as plain bytes can say.
_SUSPECT: Final = (b"<f", b":f", b't="e"', b"t='e'", b"\xff\xfe", b"\xfe\xff")
_TEXTS: Final = "xl/sharedStrings.xml"  # half of a workbook, and never a sheet
_OVERLAP_BYTES: Final = 8


class Refused(Exception):
    """The workbook cannot be read; `problem` says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.problem = of_file(code, text)


class Parts:
    """The members of a workbook, all of them unpacked once to know how large they are.

    Sizes in the zip's own lists are not believed. Raises Refused, or
    zipfile.BadZipFile.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file)
        members = self._zip.infolist()
        if len(members) > MAX_PARTS:
            raise Refused("too_large", "This workbook has too many parts. Save it as CSV.")
        self._names = {member.filename for member in members}
        if len(self._names) < len(members):
            raise Refused("invalid_file_format", _DAMAGED)
        # Pictures are unpacked by nobody, so they may be of any size.
        self._suspect: set[str] = set()
        n_left = MAX_XML_BYTES
        for name in sorted(self._names):
            if PurePosixPath(name).suffix in {".xml", ".rels"}:
                n_left = self._measure(name, n_left)

    def warnings(self) -> Iterator[Problem]:
        """Yield what is left unread in the workbook."""
        if any(name.endswith("vbaProject.bin") for name in self._names):
            yield Problem(
                0,
                "macros_ignored",
                "This workbook holds macros. They are ignored; only the cells are read.",
                severity="warning",
            )

    def faults(self, sheet: str) -> dict[int, Fault]:
        """Return the rows of a sheet, from 0, that hold an error or a formula without a value."""
        part = self._part_of(sheet)
        if part not in self._suspect:
            return {}
        found = _FaultFinder()
        _parse(self._pieces(part), start=found.start, end=found.end, text=found.text)
        return found.faults

    def _measure(self, name: str, n_left: int) -> int:
        """Unpack one part, see whether it may hold formulas, and return the bytes still allowed."""
        before = b""
        for piece in self._pieces(name):
            n_left -= len(piece)
            if n_left < 0:
                raise Refused(
                    "too_large",
                    f"This workbook unpacks to more than {MAX_XML_BYTES // 2**20} MiB. "
                    "Save the sheet as CSV.",
                )
            # In UTF-16 they would not be seen; its byte order mark is.
            if name not in self._suspect and name != _TEXTS:
                seen = before + piece
                if any(sign in seen for sign in _SUSPECT):
                    self._suspect.add(name)
            before = piece[-_OVERLAP_BYTES:]
        return n_left

    def _pieces(self, name: str) -> Iterator[bytes]:
        try:
            if self._zip.getinfo(name).flag_bits & 1:
                raise Refused(
                    "encrypted_file",
                    "This workbook is protected by a password. Save it without one and try again.",
                )
            with self._zip.open(name) as part:
                while piece := part.read(_PIECE_BYTES):
                    yield piece
        except (zlib.error, EOFError, RuntimeError, KeyError) as error:
            raise Refused("invalid_file_format", _DAMAGED) from error

    def _part_of(self, sheet: str) -> str:
        """Return the name of the part that holds a sheet, as the workbook links them."""
        book: dict[str, str] = {}
        targets: dict[str, str] = {}

        def sheet_found(tag: str, attributes: dict[str, str]) -> None:
            if _local(tag) == "sheet":
                ids = [v for key, v in attributes.items() if key.endswith(":id") or key == "id"]
                book[attributes.get("name", "")] = ids[0] if ids else ""

        def link_found(tag: str, attributes: dict[str, str]) -> None:
            if _local(tag) == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        _parse(self._pieces("xl/workbook.xml"), start=sheet_found)
        _parse(self._pieces("xl/_rels/workbook.xml.rels"), start=link_found)
        target = targets.get(book.get(sheet, ""), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part not in self._names:
            raise Refused("invalid_file_format", _DAMAGED)
        return part


class _FaultFinder:
    """Walks the cells of a sheet and keeps the first fault of each row."""

    def __init__(self) -> None:
        self.faults: dict[int, Fault] = {}
        self._cell = ""
        self._type = ""
        self._has_formula = False
        self._row = -1
        self._column = 0
        self._value: list[str] | None = None
        self._text = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        match _local(tag):
            case "row":
                self._row = _number(attributes.get("r"), self._row + 2) - 1
                self._column = 0
            case "c":
                self._column += 1
                self._cell = attributes.get("r", "")
                # The place that counts is the cell's own, where it names one.
                digits = self._cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                self._row = _number(digits, self._row + 1) - 1
                self._type = attributes.get("t", "n")
                self._has_formula = False
                self._text = ""
            case "f":
                self._has_formula = True
            case "v":
                self._value = []

    def text(self, data: str) -> None:
        if self._value is not None and len(self._value) < 100:
            self._value.append(data)

    def end(self, tag: str) -> None:
        match _local(tag):
            case "v":
                self._text = "".join(self._value or ())
                self._value = None
            case "c":
                self._examine()

    def _examine(self) -> None:
        fault = ""
        if self._type == "e":
            fault = self._text[:20] or "#ERROR"
        elif self._has_formula and not self._text and self._type != "str":
            fault = "formula"
        if fault and len(self.faults) < MAX_FAULTS:
            cell = self._cell[:12] or f"number {self._column}"
            self.faults.setdefault(self._row, Fault(cell, fault))


def _parse(pieces: Iterator[bytes], *, start: Any, end: Any = None, text: Any = None) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Refused("invalid_file_format", _DAMAGED) from error


def _refuse_doctype(*_: object) -> None:
    """Entities of a document type can unfold without end; no workbook needs any."""
    raise Refused("invalid_file_format", _DAMAGED)


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _number(digits: str | None, otherwise: int) -> int:
    return int(digits) if digits and digits.isascii() and digits.isdigit() else otherwise


_DAMAGED: Final = "This workbook is damaged. Save it again, or as CSV."
