"""Outlines of letters out of a TrueType file: the tables `cmap`, `hmtx` and `glyf`.

After Apple's TrueType Reference Manual. Reads the files that lie beside us, so
it trusts them; there is no hinting, which letters of 20 pixels and more do without.
"""

import struct
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

STEPS: Final = 8  # straight pieces to a curve: enough up to a hundred pixels
ON_CURVE, SHORT_X, SHORT_Y, REPEATED, SAME_X, SAME_Y = 1, 2, 4, 8, 16, 32
WORDS, OFFSETS, SCALE, MORE, TWO_SCALES, MATRIX = 1, 2, 8, 32, 64, 128


class Face:
    """One font file. `units`: how many of its units are one em."""

    def __init__(self, path: Path) -> None:
        self._data = data = path.read_bytes()
        n_tables = struct.unpack_from(">H", data, 4)[0]
        self._tables = {
            data[at : at + 4].decode("ascii"): struct.unpack_from(">I", data, at + 8)[0]
            for at in range(12, 12 + 16 * n_tables, 16)
        }
        head = self._tables["head"]
        self.units: int = struct.unpack_from(">H", data, head + 18)[0]
        self._has_long_offsets = struct.unpack_from(">h", data, head + 50)[0] == 1
        self._n_advances: int = struct.unpack_from(">H", data, self._tables["hhea"] + 34)[0]
        self._glyphs = self._characters()

    def __contains__(self, character: str) -> bool:
        return ord(character) in self._glyphs

    def advance(self, character: str) -> int:
        """How far the pen moves on, in units."""
        glyph = min(self._glyphs[ord(character)], self._n_advances - 1)
        advance: int = struct.unpack_from(">H", self._data, self._tables["hmtx"] + 4 * glyph)[0]
        return advance

    def outline(self, character: str) -> "list[np.ndarray]":
        """The closed lines of a letter in units, y upwards: float32, shape (n_points, 2) each."""
        return self._contours(self._glyphs[ord(character)])

    def _characters(self) -> dict[int, int]:
        """Every code point that the file has, with its glyph; of the fullest subtable."""
        data, start = self._data, self._tables["cmap"]
        found: dict[int, int] = {}
        for at in range(start + 4, start + 4 + 8 * struct.unpack_from(">H", data, start + 2)[0], 8):
            table = start + struct.unpack_from(">I", data, at + 4)[0]
            match struct.unpack_from(">H", data, table)[0]:
                case 4:
                    found |= self._segments(table)
                case 12:
                    found |= self._groups(table)
        return found

    def _segments(self, table: int) -> dict[int, int]:
        data = self._data
        n = struct.unpack_from(">H", data, table + 6)[0] // 2
        ends, starts = table + 14, table + 16 + 2 * n
        found = {}
        for each in range(n):
            end = struct.unpack_from(">H", data, ends + 2 * each)[0]
            start = struct.unpack_from(">H", data, starts + 2 * each)[0]
            delta = struct.unpack_from(">H", data, starts + 2 * n + 2 * each)[0]
            where = starts + 4 * n + 2 * each
            offset = struct.unpack_from(">H", data, where)[0]
            for code in range(start, min(end, 0xFFFE) + 1):
                if offset:
                    at = where + offset + 2 * (code - start)
                    glyph = struct.unpack_from(">H", data, at)[0]
                    glyph = (glyph + delta) & 0xFFFF if glyph else 0
                else:
                    glyph = (code + delta) & 0xFFFF
                if glyph:
                    found[code] = glyph
        return found

    def _groups(self, table: int) -> dict[int, int]:
        n = struct.unpack_from(">I", self._data, table + 12)[0]
        found = {}
        for at in range(table + 16, table + 16 + 12 * n, 12):
            start, end, glyph = struct.unpack_from(">III", self._data, at)
            for code in range(start, end + 1):
                found[code] = glyph + code - start
        return found

    def _where(self, glyph: int) -> tuple[int, int]:
        loca = self._tables["loca"]
        if self._has_long_offsets:
            start, end = struct.unpack_from(">II", self._data, loca + 4 * glyph)
        else:
            start, end = (
                2 * each for each in struct.unpack_from(">HH", self._data, loca + 2 * glyph)
            )
        return self._tables["glyf"] + start, end - start

    def _contours(self, glyph: int) -> "list[np.ndarray]":
        at, size = self._where(glyph)
        if not size:
            return []
        n = struct.unpack_from(">h", self._data, at)[0]
        return self._simple(at + 10, n) if n >= 0 else self._composed(at + 10)

    def _simple(self, at: int, n: int) -> "list[np.ndarray]":
        data = self._data
        ends = struct.unpack_from(f">{n}H", data, at)
        n_points = ends[-1] + 1 if n else 0
        at += 2 * n
        at += 2 + struct.unpack_from(">H", data, at)[0]  # its hints
        flags: list[int] = []
        while len(flags) < n_points:
            flag = data[at]
            at += 1
            times = 1
            if flag & REPEATED:
                times += data[at]
                at += 1
            flags += [flag] * times
        xs, at = self._coordinates(flags, at, SHORT_X, SAME_X)
        ys, at = self._coordinates(flags, at, SHORT_Y, SAME_Y)
        found, start = [], 0
        for end in ends:
            points = [
                (xs[each], ys[each], bool(flags[each] & ON_CURVE)) for each in range(start, end + 1)
            ]
            start = end + 1
            if len(points) > 1:
                found.append(_flat(points))
        return found

    def _coordinates(
        self, flags: list[int], at: int, short: int, same: int
    ) -> tuple[list[int], int]:
        found, value = [], 0
        for flag in flags:
            if flag & short:
                value += self._data[at] if flag & same else -self._data[at]
                at += 1
            elif not flag & same:
                value += struct.unpack_from(">h", self._data, at)[0]
                at += 2
            found.append(value)
        return found, at

    def _composed(self, at: int) -> "list[np.ndarray]":
        """A letter that is made of others, such as é of e and its accent."""
        data, found = self._data, []
        more = True
        while more:
            flags, glyph = struct.unpack_from(">HH", data, at)
            at += 4
            form = ">hh" if flags & WORDS else ">bb"
            x, y = struct.unpack_from(form, data, at) if flags & OFFSETS else (0, 0)
            at += struct.calcsize(form)
            turn = np.eye(2, dtype=np.float32)
            if flags & SCALE:
                turn *= _fractions(data, at, 1)[0]
                at += 2
            elif flags & TWO_SCALES:
                turn = np.diag(_fractions(data, at, 2)).astype(np.float32)
                at += 4
            elif flags & MATRIX:
                turn = np.array(_fractions(data, at, 4), dtype=np.float32).reshape(2, 2)
                at += 8
            moved = np.array((x, y), dtype=np.float32)
            found += [contour @ turn + moved for contour in self._contours(glyph)]
            more = bool(flags & MORE)
        return found


@lru_cache(maxsize=8)
def face(path: Path) -> Face:
    """The font in a file, read once."""
    return Face(path)


def _fractions(data: bytes, at: int, n: int) -> list[float]:
    return [each / 16384 for each in struct.unpack_from(f">{n}h", data, at)]


def _flat(points: list[tuple[int, int, bool]]) -> "np.ndarray":
    """A contour of quadratic curves as straight pieces.

    Between two control points that follow each other lies, unwritten, a point of the curve.
    """
    whole: list[tuple[float, float, bool]] = []
    for each, (x, y, is_on) in enumerate(points):
        before_x, before_y, was_on = points[each - 1]
        if not is_on and not was_on:
            whole.append(((before_x + x) / 2, (before_y + y) / 2, True))
        whole.append((x, y, is_on))
    begin = next(each for each, point in enumerate(whole) if point[2])
    whole = whole[begin:] + whole[: begin + 1]
    line: list[tuple[float, float]] = [whole[0][:2]]
    at = 1
    while at < len(whole):
        by_x, by_y, is_passed = whole[at]
        if is_passed:
            line.append((by_x, by_y))
            at += 1
            continue
        (from_x, from_y), (to_x, to_y, _) = line[-1], whole[at + 1]
        for step in range(1, STEPS + 1):
            t = step / STEPS
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
            line.append((a * from_x + b * by_x + c * to_x, a * from_y + b * by_y + c * to_y))
        at += 2
    return np.array(line, dtype=np.float32)
