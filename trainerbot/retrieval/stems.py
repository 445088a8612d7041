"""The stem of a word, in English and in Russian: what its forms have in common.

The Russian half follows the Snowball stemmer (snowballstem.org, M. Porter); the
English one only takes endings off. Both are cut to MAX_LETTERS, so that a verb
meets its noun: "доставка" and "доставляете", "subscribe" and "subscription".
"""

import re
from functools import lru_cache
from typing import Final

MAX_LETTERS: Final = 6
MIN_LETTERS: Final = 3
MAX_KEPT: Final = 32_768

_CYRILLIC: Final = re.compile("[а-я]")
_RV: Final = re.compile("^(.*?[аеиоуыэюя])(.*)$")
_GERUND: Final = re.compile("(?:(?:ив|ыв)(?:ши|шись)?|(?<=[ая])в(?:ши|шись)?)$")
_REFLEXIVE: Final = re.compile("с[яь]$")
_ADJECTIVE: Final = re.compile(
    "(?:ими|ыми|его|ого|ему|ому|ее|ие|ые|ое|ей|ий|ый|ой|ем|им|ым|ом|их|ых|ую|юю|ая|яя|ою|ею)$"
)
_PARTICIPLE: Final = re.compile("(?:ивш|ывш|ующ|(?<=[ая])(?:ем|нн|вш|ющ|щ))$")
_VERB: Final = re.compile(
    "(?:ейте|уйте|ила|ыла|ена|ите|или|ыли|ило|ыло|ено|ует|уют|ены|ить|ыть|ишь|ей|уй|ил|ыл|им|ым|"
    "ен|ят|ит|ыт|ую|ю|(?<=[ая])(?:ете|йте|ешь|нно|ла|на|ли|ем|ло|но|ет|ют|ны|ть|й|л|н))$"
)
_NOUN: Final = re.compile(
    "(?:иями|ями|ами|ией|иям|ием|иях|ев|ов|ие|ье|еи|ии|ей|ой|ий|ям|ем|ам|ом|ах|ях|ию|ью|ия|ья|"
    "[аеийоуыьюя])$"
)
_ENGLISH: Final = (
    *("ations", "ation", "ments", "ment", "ingly", "ings", "ing", "iest", "ers", "er", "ied"),
    *("ies", "ions", "ion", "ed", "es", "ly", "y", "s", "e"),
)


@lru_cache(maxsize=MAX_KEPT)
def stem(word: str) -> str:
    """Return the stem of a folded word; a word with digits, or a short one, stays as it is."""
    if not word.isalpha():
        return word
    if _CYRILLIC.search(word):
        return _russian(word.replace("ё", "е"))[:MAX_LETTERS]
    return _english(word)[:MAX_LETTERS]


def _english(word: str) -> str:
    for ending in _ENGLISH:
        if word.endswith(ending) and len(word) - len(ending) >= MIN_LETTERS:
            if ending == "s" and word.endswith("ss"):
                break
            word = word[: -len(ending)]
            break
    if len(word) > MIN_LETTERS and word[-1] == word[-2] and word[-1] not in "aeiouls":
        return word[:-1]
    return word[:-1] if len(word) > MIN_LETTERS and word[-1] in "ei" else word


def _russian(word: str) -> str:
    found = _RV.match(word)
    if found is None or len(word) <= MIN_LETTERS:
        return word
    head, rest = found.groups()
    # The vowel before the region decides which endings follow it.
    shorter = _GERUND.sub("", word)
    if shorter != word:
        word = shorter
    else:
        word = _REFLEXIVE.sub("", word)
        shorter = _ADJECTIVE.sub("", word)
        if shorter != word:
            word = _PARTICIPLE.sub("", shorter)
        else:
            shorter = _VERB.sub("", word)
            word = shorter if shorter != word else _NOUN.sub("", word)
    if len(word) < max(len(head), MIN_LETTERS - 1):
        word = head + rest[: max(0, MIN_LETTERS - len(head))]
    word = word.removesuffix("и").removesuffix("ь")
    return word[:-1] if word.endswith("нн") else word
