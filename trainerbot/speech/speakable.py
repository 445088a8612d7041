# ruff: noqa: RUF001 (it ends sentences of several scripts)
"""Text as it is written, made fit to be heard."""

import re
import unicodedata
from typing import Final

_MOST_CHARACTERS: Final = 1_500  # about a minute and a half
_LONGEST_CODE: Final = 40  # within a line; longer code says nothing to the ear

_FENCE: Final = re.compile(r"(```|~~~).*?(\1|\Z)", re.S)
_CODE: Final = re.compile(r"(`+)(.+?)\1", re.S)
_PICTURE_OR_LINK: Final = re.compile(
    r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)"
)
_ADDRESS: Final = re.compile(
    r"<?\b(?:https?://|ftp://|mailto:|www\.)(?:[^\s<>()]|\([^\s<>()]*\))+>?", re.I
)
_COMMAND: Final = re.compile(r"</([\w -]+):\d+>")
# Mentions of people, roles and channels, emoji of a server, times.
_DISCORD: Final = re.compile(r"<(?:@[!&]?|#|id:)\w+>|<a?:\w+:\d+>|<t:-?\d+(?::\w)?>")
_SHORT_EMOJI: Final = re.compile(r"(?<![\w:]):[a-z][a-z0-9_+-]*:(?![\w:])")
_TAG: Final = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.I)
_EMOJI: Final = re.compile(
    "[0-9#*]\ufe0f?\u20e3"  # key caps
    "|[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff\u2300-\u23ff"
    # Shapes, wavy lines, and what Unicode draws as a picture though it is a letter or a mark.
    "\u25a0-\u25ff\u2934\u2935\u3030\u303d\u2139\u24c2\u3297\u3299"
    "\U000e0020-\U000e007f\u200d\ufe0e\ufe0f]+"
)
# ™ and ® are for the eye, © is read by everyone; the double marks are what they look like.
_MARKS: Final = str.maketrans({"™": "", "®": "", "‼": "!!", "⁉": "!?"})
_RULE: Final = re.compile(r"^\s*(?:[-*_=]\s*){3,}$|^[\s|:-]+$")
_LINE_MARK: Final = re.compile(r"^\s*(?:>+\s*|#{1,6}\s+|-#\s+|[-*+•]\s+(?:\[[ xX]\]\s+)?)+")
_SPOILER: Final = re.compile(r"\|\|(.+?)\|\|", re.S)
# One asterisk between two words, or alone, multiplies.
_EMPHASIS: Final = re.compile(
    r"\\([\\`*_{}\[\]()#+.!|~>-])"  # escaped, so it stays
    r"|(?<!\d)\*{2,}|\*{2,}(?!\d)|(?<![\w*])\*(?=\w)|(?<=[^\s*])\*(?![\w*])"
    r"|~~+|(?<!\w)_+|_+(?!\w)"
)
_ENDS: Final = ".!?…:;,。！？"


def speakable(text: str, *, most_characters: int = _MOST_CHARACTERS) -> str:
    """Return `text` as a person would read it aloud, on one line.

    Code blocks, addresses, mentions, emoji and marks of Markdown are left out;
    links keep their words, lines end as sentences. Cut at the end of a sentence
    where it exceeds `most_characters`, else of a word. "" when no letter or
    digit is left to say.
    """
    text = _FENCE.sub("\n", text)
    text = _CODE.sub(lambda found: _code(found[2]), text)
    text = _PICTURE_OR_LINK.sub(r"\1", text)
    text = _SPOILER.sub(r"\1", text)
    text = _COMMAND.sub(r"\1", text)
    text = text.translate(_MARKS)
    for unsaid in (_ADDRESS, _DISCORD, _SHORT_EMOJI, _TAG, _EMOJI):
        text = unsaid.sub(" ", text)
    lines = [_line(line) for line in text.splitlines()]
    said = _joined([line for line in lines if any(map(str.isalnum, line))])
    return _cut(said, most_characters)


def _code(code: str) -> str:
    said = " ".join(code.split())
    return said if len(said) <= _LONGEST_CODE else " "


def _line(line: str) -> str:
    if _RULE.match(line):
        return ""
    line = _LINE_MARK.sub("", line)
    if line.lstrip().startswith("|") or line.count("|") >= 2:
        cells = [cell.strip() for cell in line.split("|")]
        line = ", ".join(cell for cell in cells if cell)
    line = _EMPHASIS.sub(lambda found: found[1] or "", line).replace("_", " ")
    line = "".join(
        " " if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn") else character
        for character in line
    )
    line = " ".join(line.split())
    # What was left out leaves its brackets and the space before a comma.
    line = re.sub(r"\(\W*\)|\[\s*\]|\"\s*\"", "", line)
    return " ".join(re.sub(r"\s+([,.!?;:…])", r"\1", line).split())


def _joined(lines: list[str]) -> str:
    """Return the lines as one, each but the last an own sentence."""
    ended = [line if line[-1] in _ENDS else f"{line}." for line in lines[:-1]]
    return " ".join([*ended, *lines[-1:]])


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    head = text[:most]
    ends = [found.end() for found in re.finditer(r"[.!?…。！？]+(?=\s)", head)]
    if ends and ends[-1] > most // 3:
        return head[: ends[-1]]
    at = head.rfind(" ")
    return (head[:at] if at > 0 else head).rstrip(",;:") + "…"
