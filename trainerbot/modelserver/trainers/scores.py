"""How near one text is to another, by words: 1 is the same, 0 has nothing in common."""

import re
import unicodedata
from collections import Counter

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Return the words of `text`, without case, punctuation and the marks of full width."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def word_f1(expected: str, given: str) -> float:
    """Return the word-overlap F1 of SQuAD (Rajpurkar et al. 2016), in 0..1."""
    wanted, got = words(expected), words(given)
    if not wanted or not got:
        return float(wanted == got)
    n_common = (Counter(wanted) & Counter(got)).total()
    return 2 * n_common / (len(wanted) + len(got))


def word_accuracy(expected: str, given: str) -> float:
    """Return the share of the expected words that `given` has in the same place, in 0..1."""
    wanted, got = words(expected), words(given)
    if not wanted:
        return float(not got)
    return sum(a == b for a, b in zip(wanted, got, strict=False)) / len(wanted)
