"""How likely a correction of one question helps with another, from many signs at once.

No one score can tell a paraphrase from a near miss: "Where is my order?" and
"Where is my invoice?" share more letters than "Where is my order?" and "has my
purchase been posted?". So the signs are weighed together: a logistic model,
whose weights `calibration.fitting` finds on questions of our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trainerbot.retrieval.gist import Shared, gist, shared
from trainerbot.retrieval.kinds import asks_another, names_another
from trainerbot.retrieval.sameness import contrasts, denials, identifiers, names
from trainerbot.retrieval.stems import stem
from trainerbot.retrieval.weights import BY_LETTERS, BY_MEANING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_GIST: Final = 8


@dataclass(frozen=True, slots=True)
class Meaning:
    """How near two texts are in what they mean, by their embeddings.

    cosine: from -1 to 1, both less the mean text. asked, known: the mean cosine
    of either with the strangers nearest to it; likeness beyond that counts.
    """

    cosine: float
    asked: float
    known: float


CLOSE: Final = 0.5
"""Share of telling words in common from which one number more or less makes another question."""

SOME_LETTERS: Final = 0.25

SAME: Final = 0.8
"""The like from which a denial does: "I cannot log in" and "how do I log in" are one matter."""


def chance(
    asked: str,
    known: str,
    letters: float,
    meaning: Meaning | None = None,
    weights: Sequence[float] = BY_MEANING,
) -> float:
    """Return how likely the answer to `known` helps with `asked`, 0 to 1; 0 if it must not be used.

    letters: the cosine of NearestTexts. weights: for where a meaning is known,
    as the calibration of its model has them. Texts that differ in a number, a
    date, a name, a denial or in the one thing asked about are no help at all.
    """
    both = shared(gist(asked), gist(known))
    if (
        meaning is None
        and letters < SOME_LETTERS
        and not max(both.of_asked_meant, both.of_known_meant)
    ):
        return 0.0  # most candidates are such, and none ever came near to being shown
    if is_another(asked, known, both):
        return 0.0
    if meaning is None:
        weights = BY_LETTERS
    found = signs(asked, known, letters, meaning, both)
    total = weights[-1] + sum(sign * weight for sign, weight in zip(found, weights, strict=False))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def is_another(asked: str, known: str, both: Shared | None = None) -> bool:
    """Say whether a number, date, name or denial, or just what is asked about, differs."""
    both = both or shared(gist(asked), gist(known))
    numbers_asked, numbers_known = identifiers(asked), identifiers(known)
    is_close = min(both.of_asked, both.of_known) >= CLOSE
    if numbers_asked != numbers_known and (numbers_known or is_close):
        return True
    if both.n_shared == 0:
        return contrasts(asked, known)
    is_same = min(both.of_asked, both.of_known) >= SAME
    if is_same and denials(asked) != denials(known):
        return True
    return names_another(asked, known) or _other_names(asked, known) or contrasts(asked, known)


def _other_names(asked: str, known: str) -> bool:
    named = [{stem(name) for name in names(text) if name != "i"} for text in (asked, known)]
    return bool(named[0] and named[1] and named[0].isdisjoint(named[1]))


def signs(
    asked: str, known: str, letters: float, meaning: Meaning | None, both: Shared | None = None
) -> Sequence[float]:
    """Return the signs that the weights are for, in their order."""
    gist_asked, gist_known = gist(asked), gist(known)
    both = both or shared(gist_asked, gist_known)
    least = min(both.of_asked_meant, both.of_known_meant)
    differ, no_word = float(both.both_differ), float(both.n_shared == 0)
    found = [
        letters,
        both.of_asked,
        both.of_known,
        both.of_asked_meant,
        both.of_known_meant,
        least,
        differ,
        differ * least,
        differ * letters,
        no_word,
        float(asks_another(asked, known)),
        float(denials(asked) != denials(known)),
        float(max(both.of_asked_meant, both.of_known_meant) == 0),
        min(len(gist_asked), LONG_GIST) / LONG_GIST,
        min(len(gist_known), LONG_GIST) / LONG_GIST,
    ]
    if meaning is not None:
        beyond = meaning.cosine - (meaning.asked + meaning.known) / 2
        above = max(0.0, beyond)
        found += [
            meaning.cosine,
            meaning.cosine * no_word,
            beyond,
            beyond * no_word,
            beyond * differ,
            above,
            above * no_word,
            meaning.cosine - max(meaning.asked, meaning.known),
        ]
    return found
