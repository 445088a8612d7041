"""How an answer becomes Discord messages: cut where it must be, posted while it forms."""

from botrunner.replies.along import OUT_OF_REACH
from botrunner.replies.cutting import (
    ELLIPSIS,
    FENCE,
    MAX_CHARACTERS,
    clip,
    close_fence,
    split,
    width,
)
from botrunner.replies.live import LiveReply
from botrunner.replies.typing import typing

__all__ = [
    "ELLIPSIS",
    "FENCE",
    "MAX_CHARACTERS",
    "OUT_OF_REACH",
    "LiveReply",
    "clip",
    "close_fence",
    "split",
    "typing",
    "width",
]
