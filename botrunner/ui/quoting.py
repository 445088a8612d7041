"""Other people's words inside the bot's: shown as they are, and unable to do anything."""

import re

import discord

from botrunner.replies import width

# They turn the direction of all that follows, so a text could rewrite the sentence around it.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
ELLIPSIS = "…"
MOST_LINES = 8


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


def is_whole(text: str, most: int) -> bool:
    """Whether `as_block` shows all of `text`."""
    return text.count("\n") < MOST_LINES and width(_escaped(text)) <= most


def _escaped(text: str) -> str:
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text))
