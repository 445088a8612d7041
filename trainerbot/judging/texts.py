"""An answer as words that can be compared: numbers in one spelling, "isn't" as "is not"."""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from trainerbot.retrieval.folding import fold
from trainerbot.retrieval.words import CONTRACTIONS, NEGATIONS

_SENTENCE_END: Final = re.compile(r"(?<=[.!?;\n])\s+|\n+")
_THOUSANDS: Final = re.compile(r"(?<=\d)[,\u00a0\u202f' ](?=\d{3}(?!\d))")
_DECIMAL_COMMA: Final = re.compile(r"(?<=\d),(?=\d)")
_SIGN_AT_NUMBER: Final = re.compile(r"([$€£¥₽%°])")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
_DATE: Final = re.compile(r"\d+(?:[./:-]\d+)+")
MOST_DIGITS: Final = 27  # of a number; longer ones are compared as they are written
_WORD: Final = re.compile(r"[^\W\d_][\w'\u2019-]*")

_ENGLISH: Final = "two three four five six seven eight nine ten eleven twelve"
_RUSSIAN: Final = "два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать"
NUMBER_WORDS: Final = {
    word: str(number)
    for told in (_ENGLISH, _RUSSIAN)
    for number, word in enumerate(told.split(), start=2)
} | {"две": "2"}
"""Not "one", which counts nothing more often than not."""


def sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(text) if part.strip()]


def words(text: str) -> list[str]:
    """Return the words of a text in order: folded, contractions written out, numbers alike.

    "1,000" is "1000", "5.0" is "5", "five" is "5", "$5" is "$" and "5".
    """
    spelled = _DECIMAL_COMMA.sub(".", _THOUSANDS.sub("", text))
    found = []
    for word in fold(_SIGN_AT_NUMBER.sub(r" \1 ", spelled)).split():
        for part in CONTRACTIONS.get(word, (word,)):
            found.append(_number(NUMBER_WORDS.get(part, part)))
    return found


def numbers(text: str) -> frozenset[str]:
    """Return the numbers, dates and times that a text names."""
    return frozenset(word for word in words(text) if any(each.isnumeric() for each in word))


def denials(text: str) -> int:
    """Return how often a text denies."""
    return sum(word in NEGATIONS for word in words(text))


def names(text: str) -> frozenset[str]:
    """Return the words with a capital within a sentence: most likely names. Folded."""
    return frozenset(
        fold(word)
        for sentence in sentences(text)
        for word in _WORD.findall(sentence)[1:]
        if word[0].isupper() and word != "I" and not word.startswith(("I'", "I\u2019"))
    )


def _number(word: str) -> str:
    if _DATE.fullmatch(word) and not _NUMBER.fullmatch(word):
        return word
    if not _NUMBER.fullmatch(word) or len(word) > MOST_DIGITS:
        return word
    try:
        value = Decimal(word)
    except InvalidOperation:
        return word
    return str(value.quantize(Decimal(1)) if value == value.to_integral() else value.normalize())
