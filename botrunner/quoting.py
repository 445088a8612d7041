"""Other people's words inside the bot's: shown as they are, and unable to do anything."""

import re
from typing import Final

import discord

from botrunner.replies import ELLIPSIS, width

MOST_IN_A_LINE: Final = 200
# They turn the direction of all that follows, so a text could rewrite the sentence around it.
_DIRECTIONS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def quoted(text: str, most: int) -> str:
    """Return `text` for Discord without markup, mentions or tricks, at most `most` wide."""
    text = _DIRECTIONS.sub("", text)
    shown = escaped(text)
    taken = len(text)
    while width(shown) > most:
        taken = min(taken - 1, taken * most // width(shown))
        shown = escaped(text[:taken].rstrip()) + ELLIPSIS
    return shown


def in_a_line(text: str, most: int = MOST_IN_A_LINE) -> str:
    """The same, with its lines joined."""
    return quoted(" ".join(text.split()), most)


def escaped(text: str) -> str:
    """Return `text` so that Discord shows its markup and its mentions as letters."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text))
