"""Outlines become shades: how much of each pixel a letter covers."""

from collections.abc import Sequence
from typing import Final

import numpy as np

ROWS: Final = 8  # lines looked along to each row of pixels


def covered(contours: "Sequence[np.ndarray]", width: int, height: int) -> "np.ndarray":
    """The share of each pixel inside of closed lines: float32, shape (height, width), 0 to 1.

    contours: in pixels, y downwards. What winds around at all is inside. Along
    each of ROWS lines a row the share is exact, so edges are smooth both ways.
    """
    shade = np.zeros((height * ROWS, width + 2), dtype=np.float32)
    if contours:
        starts = np.concatenate(contours)
        ends = np.concatenate([np.roll(each, -1, axis=0) for each in contours])
        rows, xs, signs = _crossings(starts, ends, height)
        xs = np.clip(xs, 0.0, float(width))
        whole = np.floor(xs).astype(np.intp)
        part = xs - whole
        np.add.at(shade, (rows, whole), signs * (1 - part))
        np.add.at(shade, (rows, whole + 1), signs * part)
    filled = np.minimum(np.abs(np.cumsum(shade, axis=1)), 1.0)[:, :width]
    shares: np.ndarray = filled.reshape(height, ROWS, width).mean(axis=1)
    return shares


def _crossings(
    starts: "np.ndarray", ends: "np.ndarray", height: int
) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    """Where each line meets each piece: (line, x, 1 downwards or -1 upwards)."""
    lines = (np.arange(height * ROWS, dtype=np.float32) + 0.5) / ROWS
    top, bottom = starts[:, 1:], ends[:, 1:]
    down = (top <= lines) & (lines < bottom)
    up = (bottom <= lines) & (lines < top)
    pieces, rows = np.nonzero(down | up)
    x, y = starts[pieces].T
    to_x, to_y = ends[pieces].T
    xs = x + (lines[rows] - y) * (to_x - x) / (to_y - y)
    return rows, xs, np.where(down[pieces, rows], 1.0, -1.0).astype(np.float32)
