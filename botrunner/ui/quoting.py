"""Other people's words as a quotation, as far as a card has room for it."""

from botrunner.quoting import escaped, in_a_line, quoted
from botrunner.replies import ELLIPSIS, width

__all__ = ["as_block", "in_a_line", "is_whole", "quoted"]

MOST_LINES = 8
LINE_CHARACTERS = 300  # of what was heard
ALL_OF_IT = 10 * LINE_CHARACTERS


def as_block(text: str, most: int) -> str:
    """Return `text` as a quotation of at most MOST_LINES whole lines, at most `most` wide."""
    lines = quoted(text, most).split("\n")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], ELLIPSIS]
    return "\n".join(f"> {line}" for line in lines)


def as_heard(transcript: str) -> str:
    """What was heard, as a quotation above the answer; "" where nothing was."""
    if not transcript.strip():
        return ""
    lines = []
    for line in transcript.split("\n"):
        # Short lines: where a long answer is cut into messages, each part stays a quotation.
        while len(line) > LINE_CHARACTERS:
            at = line.rfind(" ", 0, LINE_CHARACTERS) + 1 or LINE_CHARACTERS
            lines.append(line[:at].rstrip())
            line = line[at:]
        lines.append(line)
    return "\n".join(f"> {quoted(line, ALL_OF_IT)}" for line in lines) + "\n"


def is_whole(text: str, most: int) -> bool:
    """Whether `as_block` shows all of `text`."""
    return text.count("\n") < MOST_LINES and width(escaped(text)) <= most
