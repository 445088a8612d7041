"""Other people's words as a quotation, as far as a card has room for it."""

from botrunner.quoting import escaped, in_a_line, quoted
from botrunner.replies import ELLIPSIS, width

__all__ = ["as_block", "in_a_line", "is_whole", "quoted"]

MOST_LINES = 8


def as_block(text: str, most: int) -> str:
    """Return `text` as a quotation of at most MOST_LINES whole lines, at most `most` wide."""
    lines = quoted(text, most).split("\n")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], ELLIPSIS]
    return "\n".join(f"> {line}" for line in lines)


def is_whole(text: str, most: int) -> bool:
    """Whether `as_block` shows all of `text`."""
    return text.count("\n") < MOST_LINES and width(escaped(text)) <= most
