"""Other people's words inside the bot's: shown as they are, and unable to do anything."""

import re

import discord

from botrunner.replies import width

# They turn the direction of all that follows, so a text could rewrite the sentence around it.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
ELLIPSIS = "…"
MOST_LINES = 8
LINE_CHARACTERS = 300  # of what was heard
ALL_OF_IT = 10 * LINE_CHARACTERS


def quoted(text: str, most: int) -> str:
    """Return `text` for Discord without markup, mentions or tricks, at most `most` wide."""
    text = _DIRECTIONS.sub("", text)
    shown = _escaped(text)
    taken = len(text)
    while width(shown) > most:
        taken = min(taken - 1, taken * most // width(shown))
        shown = _escaped(text[:taken].rstrip()) + ELLIPSIS
    return shown


def in_a_line(text: str, most: int) -> str:
    """The same, with its lines joined."""
    return quoted(" ".join(text.split()), most)


def as_block(text: str, most: int) -> str:
    """The same, as a quotation of at most MOST_LINES whole lines."""
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
    return text.count("\n") < MOST_LINES and width(_escaped(text)) <= most


def _escaped(text: str) -> str:
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text))
