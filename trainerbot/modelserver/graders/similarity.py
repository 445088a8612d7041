"""How alike two texts are, by the measures that OpenAI's text_similarity grader names.

Words are runs of letters and digits, in lower case. Every measure lies
between 0 and 1, and two equal texts have 1.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

_MOST_WORDS_IN_A_GRAM = 4


def fuzzy_match(text: str, reference: str) -> float:
    """Return twice the longest common subsequence of characters over both lengths (Indel ratio)."""
    if not text and not reference:
        return 1.0
    return 2 * _common_length(text, reference) / (len(text) + len(reference))


def bleu(text: str, reference: str) -> float:
    """Return sentence BLEU (Papineni et al., 2002) with add-one smoothing from 2-grams on.

    The smoothing is Lin and Och's of 2004: short answers would else always get 0.
    """
    words, expected = _words(text), _words(reference)
    if not words or not expected:
        return float(words == expected)
    logs = 0.0
    for n in range(1, _MOST_WORDS_IN_A_GRAM + 1):
        found, wanted = _grams(words, n), _grams(expected, n)
        matches, total = (found & wanted).total(), found.total()
        if n == 1 and not matches:
            return 0.0
        smooth = n > 1
        logs += math.log((matches + smooth) / (total + smooth)) / _MOST_WORDS_IN_A_GRAM
    brevity = min(1.0, math.exp(1 - len(expected) / len(words)))
    return brevity * math.exp(logs)


def gleu(text: str, reference: str) -> float:
    """Return Google's BLEU (Wu et al., 2016): the lower of precision and recall of all 1- to 4-grams."""
    words, expected = _words(text), _words(reference)
    if not words or not expected:
        return float(words == expected)
    matches = n_found = n_wanted = 0
    for n in range(1, _MOST_WORDS_IN_A_GRAM + 1):
        found, wanted = _grams(words, n), _grams(expected, n)
        matches += (found & wanted).total()
        n_found += found.total()
        n_wanted += wanted.total()
    return matches / max(n_found, n_wanted)


def meteor(text: str, reference: str) -> float:
    """Return METEOR (Banerjee and Lavie, 2005) over equal words; stems and synonyms count not."""
    words, expected = _words(text), _words(reference)
    if not words or not expected or words == expected:
        return float(words == expected)
    places: dict[str, list[int]] = {}
    for place, word in enumerate(expected):
        places.setdefault(word, []).append(place)
    aligned = [places[word].pop(0) for word in words if places.get(word)]
    if not aligned:
        return 0.0
    n_chunks = 1 + sum(b != a + 1 for a, b in itertools.pairwise(aligned))
    precision, recall = len(aligned) / len(words), len(aligned) / len(expected)
    mean = 10 * precision * recall / (recall + 9 * precision)
    return mean * (1 - 0.5 * (n_chunks / len(aligned)) ** 3)


def rouge_l(text: str, reference: str) -> float:
    """Return ROUGE-L (Lin, 2004): F1 of the longest common subsequence of words."""
    words, expected = _words(text), _words(reference)
    return _f1(_common_length(words, expected), len(words), len(expected))


def _rouge(n: int) -> Callable[[str, str], float]:
    def rouge(text: str, reference: str) -> float:
        found, wanted = _grams(_words(text), n), _grams(_words(reference), n)
        if not found and not wanted:
            return float(_words(text) == _words(reference))
        return _f1((found & wanted).total(), found.total(), wanted.total())

    return rouge


MEASURES: dict[str, Callable[[str, str], float]] = {
    "fuzzy_match": fuzzy_match,
    "bleu": bleu,
    "gleu": gleu,
    "meteor": meteor,
    **{f"rouge_{n}": _rouge(n) for n in range(1, 6)},
    "rouge_l": rouge_l,
}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _grams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _f1(matches: int, n_found: int, n_wanted: int) -> float:
    if not n_found and not n_wanted:
        return 1.0
    return 2 * matches / (n_found + n_wanted)


def _common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, by bits (Hyyrö, 2004)."""
    places: dict[str, int] = {}
    for i, item in enumerate(one):
        places[item] = places.get(item, 0) | (1 << i)
    everything = (1 << len(one)) - 1
    row = everything
    for item in other:
        matched = row & places.get(item, 0)
        row = ((row + matched) | (row - matched)) & everything
    return len(one) - row.bit_count()
