"""One spelling for texts that differ only in how they were typed."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

MAX_KEPT_CHARACTERS: Final = 300

# What marks a number's place in a sentence stays, what only decorates goes:
# "3.5" is not "35", "-5" is not "5", "C#" is not "C".
_SEPARATOR_OUTSIDE_NUMBER: Final = re.compile(r"(?<!\d)[.,:/*]|[.,:/*](?!\d)")
_HYPHEN_THAT_IS_NO_SIGN: Final = re.compile(r"(?<=\w)[-\u2010-\u2015\u2212]|[-\u2010-\u2015\u2212](?!\d)")  # fmt: skip
_KEPT: Final = frozenset(".,:/*-#%^")
_APOSTROPHES: Final = frozenset("'\u2018\u2019\u02bc\u00b4`")


class _FoldTable(dict[int, str]):
    """Maps a character to itself, a space or nothing; each is looked up once."""

    def __missing__(self, codepoint: int) -> str:
        character = chr(codepoint)
        category = unicodedata.category(character)
        if character in _KEPT:
            folded = character
        elif character in _APOSTROPHES or category == "Cf":
            folded = ""
        elif character in "\u2212\u2013":
            folded = "-"
        elif category[0] in "LMN" or category in ("Sm", "Sc", "So"):
            folded = character
        else:
            folded = " "
        self[codepoint] = folded
        return folded


class _RaisedTable(dict[int, str]):
    """Maps a raised character, such as the 2 of 10², to itself behind a sign, others to themselves."""

    def __missing__(self, codepoint: int) -> str:
        character = chr(codepoint)
        is_raised = unicodedata.decomposition(character).startswith("<super>")
        self[codepoint] = spelled = f"^{character}" if is_raised else character
        return spelled


_fold_table: Final = _FoldTable()
_raised_table: Final = _RaisedTable()


def fold(text: str) -> str:
    """Return `text` in one spelling: NFKC, casefolded, without punctuation, single spaces.

    Numbers keep their sign, separators and percent sign; symbols (C++, C#, $,
    emoji) stay, since they tell things apart. Empty for mere punctuation.
    """
    # A question is folded by each of those who look at it.
    return _kept(text) if len(text) <= MAX_KEPT_CHARACTERS else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        spelled = text.lower()  # what follows would change nothing else
    else:
        # NFKC turns 10² into 102, which is another number.
        raised = unicodedata.normalize("NFKC", text.translate(_raised_table))
        spelled = unicodedata.normalize("NFKC", raised.casefold())
    spelled = _SEPARATOR_OUTSIDE_NUMBER.sub(" ", spelled)
    spelled = _HYPHEN_THAT_IS_NO_SIGN.sub(" ", spelled)
    return " ".join(spelled.translate(_fold_table).split())


_kept = lru_cache(maxsize=2_048)(_fold)
