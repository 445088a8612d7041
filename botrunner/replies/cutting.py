"""Where an answer is cut into messages."""

import re
import unicodedata

MAX_CHARACTERS = 2000
FENCE = "```"
ELLIPSIS = "…"
_LANGUAGE = re.compile(r"```([\w+\-.#]{1,20})\n")
_CLOSING_ROOM = len("\n" + FENCE)
_JOINERS = "\u200d\ufe0f"  # zero-width joiner, emoji variation: they belong to what is before


def split(text: str, limit: int = MAX_CHARACTERS) -> list[str]:
    """Cut `text` into messages of at most `limit` characters, at line ends where it can.

    A code block that fits into one message stays whole. A longer one is
    closed at the end of a message and opened again, with its language, in the
    next. No message is blank. Characters are UTF-16 units, so that an emoji
    counts two: the strictest of the ways in which Discord counts.
    """
    parts, opening = [], ""
    while text.strip():
        whole = close_fence(opening + text)
        if width(whole) <= limit:
            parts.append(whole)
            break
        room = limit - width(opening) - _CLOSING_ROOM
        cut = _cut(text, room, limit, opening)
        part = opening + text[:cut]
        if text[:cut].strip():
            parts.append(close_fence(part))
        fence = _open_fence(part)
        opening, text = fence[1] if fence else "", text[cut:]
    return parts


def clip(text: str, most: int) -> str:
    """Return `text`, cut between characters if it is wider than `most`, and marked then."""
    if width(text) <= most:
        return text
    return text[: _between_characters(text, _fitting(text, most - 1))].rstrip() + ELLIPSIS


def close_fence(text: str) -> str:
    """Return `text` with its last code block closed, if it was open."""
    if _open_fence(text) is None:
        return text
    return text + (FENCE if text.endswith("\n") else "\n" + FENCE)


def width(text: str) -> int:
    """Return the length of `text` in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _open_fence(text: str) -> tuple[int, str] | None:
    """Return where the code block begins that is open at the end, and the line that opens it."""
    begins: int | None = None
    for fence in re.finditer(FENCE, text):
        begins = fence.start() if begins is None else None
    if begins is None:
        return None
    language = _LANGUAGE.match(text, begins)
    return begins, f"{FENCE}{language[1] if language else ''}\n"


def _cut(text: str, room: int, limit: int, opening: str) -> int:
    """Return how much of `text` goes into this message: at least 1, at most `room` wide.

    opening: the line that opens again the code block in which `text` begins, or "".
    """
    most = _fitting(text, room)
    fence = _open_fence(opening + text[:most])
    if fence:
        begins = fence[0] - len(opening)
        if begins > 0 and text[:begins].strip() and _moves_whole(text, begins, most, limit):
            return begins
    for end in ("\n", " "):
        found = text.rfind(end, most // 2, most)
        if found > 0:
            return found + 1
    return _between_characters(text, most)


def _moves_whole(text: str, begins: int, most: int, limit: int) -> bool:
    """Whether the block at `begins` is better begun in the next message.

    It is if it fits there whole, or if this message would show no line of it.
    """
    ends = text.find(FENCE, begins + len(FENCE))
    block = text[begins:] if ends < 0 else text[begins : ends + len(FENCE)]
    shows_a_line = text.count("\n", begins, most) > 1
    return width(close_fence(block)) <= limit or not shows_a_line


def _fitting(text: str, room: int) -> int:
    """Return how many characters of `text` are at most `room` UTF-16 units wide together."""
    taken = 0
    for index, character in enumerate(text):
        taken += 2 if ord(character) > 0xFFFF else 1
        if taken > room:
            return index
    return len(text)


def _between_characters(text: str, most: int) -> int:
    """Return the last place up to `most` that tears no fence and no composed character apart."""
    for cut in range(most, most // 2, -1):
        tears_fence = text[cut - 1] == text[cut] == "`"
        tears_character = (
            text[cut] in _JOINERS
            or text[cut - 1] == _JOINERS[0]
            or unicodedata.combining(text[cut])
        )
        if not tears_fence and not tears_character:
            return cut
    return most
