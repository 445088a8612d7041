# ruff: noqa: RUF001, SIM905 (words of two scripts, line by line)
"""Whether somebody was called by name, as recognisers spell it and Russian inflects it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_GREETINGS: Final = frozenset(
    "hey hi hello ok okay oh so listen please dear эй привет слушай окей ну а о так скажи "
    "пожалуйста здравствуй уважаемый алло hallo he hola oye salut dis".split()
)
# What a name may end with in Russian, longest first.
_ENDINGS: Final = ("ами", "ями", "ому", "ему", "ого", "его", "ой", "ою", "ей", "ею", "ом", "ем",
    "ым", "им", "ам", "ям", "ах", "ях", "ов", "ев", "ию", "ия", "ии", "ий", "а", "я", "у", "ю",
    "е", "ы", "и", "о", "ь", "й")  # fmt: skip
_SHORTEST_STEM: Final = 3
_LATIN: Final = dict(
    zip(
        "абвгдезийклмнопрстуфхцыэ",
        ["a", "b", "v", "g", "d", "e", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t",
         "u", "f", "h", "ts", "i", "e"],
        strict=True,
    )
) | {"ё": "e", "ж": "zh", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ь": "", "ю": "iu", "я": "ia"}  # fmt: skip
# Spellings of one sound.
_ALIKE: Final = (
    ("ph", "f"), ("ck", "k"), ("qu", "kv"), ("x", "ks"), ("c", "k"), ("q", "k"), ("w", "v"),
    ("th", "t"), ("y", "i"), ("j", "i"), ("ay", "ei"), ("ai", "ei"), ("ee", "i"), ("ea", "i"),
)  # fmt: skip
_DOUBLES: Final = re.compile(r"(.)\1+")
# A name that is slurred is believed at the ends of what is said, where people are called.
_FIRST_WORDS: Final = 4
_LAST_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class Called:
    """What was said to somebody who was called by name; without the name where it stood apart."""

    text: str


def called(text: str, names: Iterable[str]) -> Called | None:
    """Return what `text` says to whoever has one of `names`; None if it names none of them.

    The name counts in any spelling that sounds alike, Latin or Cyrillic, with
    a Russian ending, written as several words or one, and with a slip in it if
    it is long. A greeting before it goes with it. "" is left when they were
    only called.
    """
    words = list(_WORD.finditer(text))
    wanted = [(name, len(_WORD.findall(name))) for name in names if _WORD.search(name)]
    for first, last, is_slurred in _runs(words, wanted, text):
        is_at_end = first < _FIRST_WORDS or last >= len(words) - _LAST_WORDS
        if is_slurred and not is_at_end:
            continue
        return Called(_without(text, words, first, last))
    return None


def _runs(
    words: list[re.Match[str]], wanted: list[tuple[str, int]], text: str
) -> Iterator[tuple[int, int, bool]]:
    """Yield where a name is: its first and last word, and whether it is slurred. Sure ones first."""
    found = []
    for name, n_words in wanted:
        for length in range(1, n_words + 2):
            for first in range(len(words) - length + 1):
                run = words[first : first + length]
                how = _likeness("".join(word[0] for word in run), name)
                if how is not None:
                    found.append((how, first, first + length - 1))
    for is_slurred, first, last in sorted(found):
        yield first, last, is_slurred


def _likeness(said: str, name: str) -> bool | None:
    """Return None if `said` is not the name, else whether it is slurred."""
    joined = "".join(_WORD.findall(name))
    ours, theirs = _key(joined), _key(said)
    if ours == theirs or _stem(said) == _stem(joined) != "":
        return False
    slips = 0 if len(ours) < 5 else 1 if len(ours) < 8 else 2
    if slips and theirs[:1] == ours[:1] and _distance(theirs, ours, slips) <= slips:
        return True
    return None


def _stem(word: str) -> str:
    """Return a Russian word's key without its ending; "" where too little would be left."""
    folded = word.casefold()
    if not re.search("[а-яё]", folded):
        return _key(folded) if len(folded) >= _SHORTEST_STEM else ""
    for ending in _ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= _SHORTEST_STEM:
            return _key(folded[: -len(ending)])
    return _key(folded) if len(folded) >= _SHORTEST_STEM else ""


def _key(word: str) -> str:
    """Return how a word sounds, roughly, in Latin letters."""
    folded = word.casefold().replace("'", "").replace("’", "")
    latin = "".join(_LATIN.get(letter, letter) for letter in folded)
    latin = latin.replace("ai", "ei").replace("ay", "ei")
    for spelled, sounds in _ALIKE:
        latin = latin.replace(spelled, sounds)
    return _DOUBLES.sub(r"\1", latin)


def _distance(a: str, b: str, most: int) -> int:
    """Return how many letters tell `a` from `b` (Levenshtein); more than `most` is `most + 1`."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (left != right))
    return min(row[-1], most + 1)


def _without(text: str, words: list[re.Match[str]], first: int, last: int) -> str:
    """Return `text` without the name, if it stands at its beginning or end."""
    begins = first
    while begins > 0 and words[begins - 1][0].casefold() in _GREETINGS:
        begins -= 1
    if begins == 0:
        return text[words[last].end() :].lstrip(" ,.!?;:—–-…")
    if last == len(words) - 1:
        mark = text[words[last].end() :].strip()
        return text[: words[first].start()].rstrip(" ,;:—–-") + mark
    return text
