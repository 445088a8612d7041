"""A picture read back: the pixels of a PNG of ours."""

import io

import numpy as np
from PIL import Image


def pixels(png: bytes) -> "np.ndarray":
    """Colours, shape (height, width, 3)."""
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


def columns(png: bytes) -> "np.ndarray":
    """Which columns hold anything but white."""
    return np.flatnonzero((pixels(png) != 255).any(axis=(0, 2)))
