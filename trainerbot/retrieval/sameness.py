"""When two questions are one, and when they only look alike.

A correction's words may be given verbatim only to the question that they
answer. Likeness of letters cannot tell: "How much is plan A?" and "How much is
plan B?" are alike to 0.9. So the words themselves are compared, in order, and
only politeness, "the", a contraction, a space within a word or one small slip
of the keyboard are forgiven.
"""

import re
from functools import lru_cache
from typing import Final

from trainerbot.retrieval.concepts import CONCEPTS, FRAME_WORDS
from trainerbot.retrieval.folding import fold
from trainerbot.retrieval.kinds import asks_another
from trainerbot.retrieval.stems import stem
from trainerbot.retrieval.words import (
    AFTER,
    BEFORE,
    CONTRACTIONS,
    DETERMINERS,
    GRAMMAR,
    LETTER_WORDS,
    NEGATIONS,
)

NEAR_IDENTICAL_SCORE: Final = 0.7
"""Least likeness of two wordings of one question; one slip in three words costs 0.3."""

MIN_TYPO_LETTERS: Final = 6
"""Shorter words have too many real neighbours (form, from) to forgive a slip."""

MIN_PLURAL_LETTERS: Final = 4

MAX_KEPT_CHARACTERS: Final = 300
"""Of texts whose words are kept for the next comparison."""


NONE: Final = frozenset[int]()
_WORD: Final = re.compile(r"\w+(?:['’]s\b)?")
_POSSESSIVE: Final = re.compile(r"['’]s$")

OTHER_WORDS: Final = frozenset(
    frozenset(pair.split("/"))
    for pair in (  # noqa: SIM905 (reads better)
        "casual/causal clothes/cloths coral/corral country/county desert/dessert diner/dinner "
        "fiend/friend filing/filling hoping/hopping later/latter marital/martial planed/planned "
        "sacred/scared scared/scarred signing/singing staring/starring though/through "
        "thorough/through through/trough united/untied "
        "закрыть/зарыть отправить/отравить палата/плата"
    ).split()
)
"""Words that are a slip apart, and each of them meant."""


def same_question(a: str, b: str) -> bool:
    """Say whether two texts are one question but for case, punctuation and white space.

    Numbers, signs and symbols must be equal; texts of mere punctuation are the
    same only when they are equal.
    """
    folded = fold(a)
    if not folded:
        return a.strip() == b.strip()
    return folded == fold(b)


def canonical(text: str) -> tuple[str, ...]:
    """Return the words that make a question what it is, in order.

    Folded, contractions written out, "how can" as "how do", greetings at the
    beginning, thanks at the end, "the" and "your" left out. Questions of equal
    words are the same question.
    """
    # One question is compared with a dozen others, which come again with the next.
    return _canonical_kept(text) if len(text) <= MAX_KEPT_CHARACTERS else _canonical(text)


def _canonical(text: str) -> tuple[str, ...]:
    words = [part for word in fold(text).split() for part in CONTRACTIONS.get(word, (word,))]
    first, last = 0, len(words)
    while last - first > 1 and words[first] in BEFORE:
        first += 1
    while last - first > 1 and words[last - 1] in AFTER:
        last -= 1
    kept = words[first:last]
    for at, word in enumerate(kept[1:], 1):
        if kept[at - 1] == "how" and word in ("can", "could"):
            kept[at] = "do"
    return tuple([word for word in kept if word not in DETERMINERS] or kept)


_canonical_kept = lru_cache(maxsize=2_048)(_canonical)


def near_identical(query: str, text: str, score: float) -> bool:
    """Say whether `text`'s answer may be given to `query` word for word.

    `score` is the cosine of `NearestTexts`, 0 to 1. True for the same words in
    the same order, spaces aside; else the score must reach NEAR_IDENTICAL_SCORE
    and one slip be the only difference, in no number, name or negation.
    """
    a, b = canonical(query), canonical(text)
    if not a or not b:
        return same_question(query, text)
    if "".join(a) == "".join(b):
        return a == b or agree(query, text)
    if score < NEAR_IDENTICAL_SCORE:
        return False
    if len(a) != len(b):
        return False
    differing = [pair for pair in zip(a, b, strict=True) if pair[0] != pair[1]]
    exact = NEGATIONS | names(query) | names(text)
    return len(differing) == 1 and _is_slip(*differing[0]) and exact.isdisjoint(differing[0])


def agree(query: str, text: str) -> bool:
    """Say whether two texts name the same numbers and letters and deny equally often."""
    return denials(query) == denials(text) and identifiers(query) == identifiers(text)


def denials(text: str) -> int:
    """Return how often a text says "not", "without" or another word that denies."""
    return _denials_kept(text) if len(text) <= MAX_KEPT_CHARACTERS else _denials(text)


def _denials(text: str) -> int:
    return sum(word in NEGATIONS for word in canonical(text))


_denials_kept = lru_cache(maxsize=2_048)(_denials)


def contrasts(query: str, text: str) -> bool:
    """Say whether two questions are alike but for the one thing that they ask about.

    "What is the capital of France?" against "... of Peru?": the answer to one
    is wrong for the other, and a small model shown it repeats it.
    """
    a, b = canonical(query), canonical(text)
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    shared = head + tail
    asked, answered = a[head : len(a) - tail], b[head : len(b) - tail]
    if not asked or not answered or shared < 2 or max(len(asked), len(answered)) > 2:
        return False
    if len(asked) == len(answered) == 1:
        if {*asked, *answered} <= GRAMMAR or _is_slip(asked[0], answered[0]):
            return False
        if asked[0][0] == answered[0][0] and sorted(asked[0]) == sorted(answered[0]):
            return False  # an example may be shown for "huose", though not given word for word
    elif shared <= 0.6 * max(len(a), len(b)):
        return False
    if asks_another(query, text):
        return True
    return not (_are_frame(asked) or _are_frame(answered) or _mean_the_same(asked, answered))


def _are_frame(words: tuple[str, ...]) -> bool:
    return all(word in FRAME_WORDS for word in words)


def _mean_the_same(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Say whether a word of either stands for the same notion."""
    one, other = ({stem(word) for word in words} for words in (a, b))
    notions = [NONE.union(*(CONCEPTS.get(each, NONE) for each in stems)) for stems in (one, other)]
    return not one.isdisjoint(other) or not notions[0].isdisjoint(notions[1])


def identifiers(text: str) -> frozenset[str]:
    """Return the numbers, names with digits and single letters that pick one thing of many."""
    return _identifiers_kept(text) if len(text) <= MAX_KEPT_CHARACTERS else _identifiers(text)


def _identifiers(text: str) -> frozenset[str]:
    named = names(text)
    return frozenset(
        word
        for word in canonical(text)
        if _has_number(word)
        or (len(word) == 1 and word != "i" and word in named)
        or (len(word) == 1 and word.isascii() and word.isalpha() and word not in LETTER_WORDS)
    )


@lru_cache(maxsize=2_048)
def _has_number(word: str) -> bool:
    return any(character.isnumeric() for character in word)


_identifiers_kept = lru_cache(maxsize=2_048)(_identifiers)


def names(text: str) -> frozenset[str]:
    """Return the words that have a capital and are not the first: most likely names. Folded."""
    return _names_kept(text) if len(text) <= MAX_KEPT_CHARACTERS else _names(text)


def _names(text: str) -> frozenset[str]:
    found = [word for word in _WORD.findall(text)[1:] if word[0].isupper()]
    # "Kate's" is Kate, and "kates" where words are compared.
    return frozenset(fold(form) for word in found for form in (word, _POSSESSIVE.sub("", word)))


_names_kept = lru_cache(maxsize=2_048)(_names)


def _is_slip(a: str, b: str) -> bool:
    """Say whether two different words are one, mistyped or in the plural.

    Forgiven are two letters exchanged and one missing, both within the word. A
    replaced letter is not (nitrite, nitrate), nor one added (plane, planet).
    """
    short, long = sorted((a, b), key=len)
    if not (a.isalpha() and b.isalpha()) or a[0] != b[0] or {a, b} in OTHER_WORDS:
        return False
    if long == short + "s":
        return len(short) >= MIN_PLURAL_LETTERS
    if len(long) < MIN_TYPO_LETTERS or a[-1] != b[-1]:
        return False
    if long.startswith("вы") and short == f"в{long[2:]}":
        return False  # "включить" and "выключить": on and off, in and out
    at = next((i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    if len(short) == len(long):
        return short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return len(long) - len(short) == 1 and short[at:] == long[at + 1 :]
