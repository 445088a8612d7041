# ruff: noqa: RUF001, RUF005 (words of two scripts, line by line)
"""Whole sentences out of a stream of pieces, as early as they are certain."""

import re
from typing import Final

_LONGEST: Final = 300  # characters without an end, after which a pause is found all the same

# Not ends of a sentence, whatever follows: titles, and the like.
_BEFORE_MORE: Final = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "vs", "e.g", "i.e", "cf", "approx"]
    + ["gen", "col", "capt", "lt", "sgt", "rev", "hon"]
    + ["т.е", "т.к", "т.н", "г-н", "г-жа", "проф", "акад", "им", "ул", "пр", "пл", "кв"]
    + ["см", "ср", "напр", "тел"]
)
# Ends only where a capital follows.
_SOMETIMES: Final = frozenset(
    ["etc", "inc", "ltd", "co", "corp", "a.m", "p.m", "u.s", "u.k", "al"]
    + ["т.д", "т.п", "др", "г", "гг", "вв", "руб", "коп", "тыс", "млн", "млрд"]
    + ["чел", "мин", "сек", "час", "м", "км", "кг"]
)
_BEFORE_NUMBERS: Final = frozenset(
    ["no", "nos", "vol", "fig", "p", "pp", "ch", "стр", "рис", "п", "гл", "табл"]
)
_END: Final = re.compile(
    r"(?P<mark>[.!?…]+)[\"'”’»)\]*_~]*(?=\s)"  # an end, once a space has followed
    r"|(?P<wide>[。！？]+[」』”]*)"
    r"|(?P<line>\n)"
    r"|(?P<fence>```.*?```)",
    re.S,
)
_LAST_WORD: Final = re.compile(r"[\w.-]*\w$")
_NUMBER_OF_LIST: Final = re.compile(r"\s*\d{1,3}$")
_PAUSE: Final = re.compile(r"[,;:—–)]\s|\s[—–-]\s")


class Sentences:
    """Cuts what it is fed into sentences. A block of code is never cut, nor given in halves."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, delta: str) -> list[str]:
        """Take the next piece in, and return the sentences that are whole now."""
        self._text += delta
        found = []
        while (at := self._end()) is not None:
            sentence, self._text = self._text[:at].strip(), self._text[at:]
            if sentence:
                found.append(sentence)
        return found

    def rest(self) -> str:
        """Return what is left when the stream has ended, "" if nothing is; then begin anew."""
        left, self._text = self._text.strip(), ""
        return left

    def _end(self) -> int | None:
        """Return where the first sentence ends, None while that is not certain."""
        for found in _END.finditer(self._text):
            if "```" in self._text[: found.start()]:
                break  # within a block of code whose end has not come
            if found["mark"] is None:
                return found.end()
            if (is_end := self._is_end(found)) is None:
                return None
            if is_end:
                return found.end()
        return self._forced()

    def _is_end(self, found: re.Match[str]) -> bool | None:
        """Say whether a mark ends the sentence; None while the next word is needed to know."""
        if found["mark"] != ".":
            return True
        before = self._text[: found.start()]
        after = self._text[found.end() :].lstrip(" \t")
        if not after:
            return None
        if after[0] == "\n":
            return True
        if _NUMBER_OF_LIST.match(before):
            return False  # "1. First, ..."
        last = _LAST_WORD.search(before)
        word = last[0].lower() if last else ""
        if word in _BEFORE_MORE:
            return False
        if word in _BEFORE_NUMBERS and after[0].isdigit():
            return False
        if last is not None and len(word) == 1 and last[0].isupper():
            return False  # an initial
        if word in _SOMETIMES:
            return after[0].isupper()
        return not after[0].islower()

    def _forced(self) -> int | None:
        """Return a place to draw breath in a sentence that does not end, if it is long enough."""
        if len(self._text) <= _LONGEST or "```" in self._text or self._text[-2:] == "``":
            return None
        head = self._text[:_LONGEST]
        pauses = [found.end() for found in _PAUSE.finditer(head)]
        if pauses and pauses[-1] > _LONGEST // 3:
            return pauses[-1]
        at = head.rfind(" ")
        return at + 1 if at > 0 else _LONGEST
