"""Judges that read words alone: in milliseconds, for nothing, the same each time."""

import re
from collections.abc import Sequence
from typing import Final

from trainerbot.judging.likeness import likeness
from trainerbot.judging.texts import denials, names, numbers, sentences, words
from trainerbot.judging.verdicts import Verdict
from trainerbot.retrieval import contrasts, same_question
from trainerbot.retrieval.stems import stem
from trainerbot.retrieval.words import NEGATIONS

REACH: Final = 3
"""Words before a phrase within which "not" denies it."""

OTHERWISE: Final = 0.4
"""The most that an answer is worth that says another number, name or "not"."""

NEARLY_EQUAL: Final = 0.8
"""From this likeness on each denial counts; texts that are less alike deny in their own ways."""

BEGINNING: Final = 5
"""Letters at the beginning that make a name the same in another form."""

_REPLY: Final = re.compile(r"^\W*(?:no|nope|нет|nein|non)\s*[,:;!.\u2013\u2014-]\s*", re.IGNORECASE)
"""A "no" that answers, and denies nothing of what follows: "No, it is free"."""

_CALLS: Final = r"(?i:\b(?:option|answer|choice|label|class|grade|type|letter|variant|ответ|вариант|класс|тип|буква))"
"""Words before a single letter that say it is one."""

_NOT_ONLY: Final = frozenset({"only", "just", "merely", "только", "просто", "лишь"})


def verbatim(*, expected: str, answer: str) -> Verdict:
    """Right for the same words in the same order; case, punctuation and spaces do not count."""
    if same_question(expected, answer):
        return Verdict(True, 1.0, "The very words.")
    return Verdict(False, round(min(likeness(expected, answer), 0.99), 4), "Not the very words.")


def contains(*, phrases: Sequence[str], answer: str, without: Sequence[str] = ()) -> Verdict:
    """Right if the answer says all of `phrases`, word for word, and none of `without`.

    "5" is not found in "15", nor "free" in "not free"; the score is the share
    of all these wishes that came true.
    """
    missing = [phrase for phrase in phrases if not says(phrase, answer)]
    unwanted = [phrase for phrase in without if says(phrase, answer)]
    n_wishes, n_failed = len(phrases) + len(without), len(missing) + len(unwanted)
    if not n_failed:
        return Verdict(True, 1.0, "It says all that it should.")
    told = [f"it does not say {phrase!r}" for phrase in missing]
    told += [f"it says {phrase!r}" for phrase in unwanted]
    return Verdict(False, round(1 - n_failed / n_wishes, 4), _sentence(told))


def says(phrase: str, answer: str) -> bool:
    """Whether an answer says a phrase and does not deny it."""
    wanted = words(phrase)
    if not wanted:
        return phrase.strip() in answer
    denied = any(word in NEGATIONS for word in wanted)
    return any(
        denied or not _is_denied(said, at)
        for said in [words(_REPLY.sub("", each)) for each in sentences(answer)] or [[]]
        for at in _places(wanted, said)
    ) or (len(sentences(phrase)) > 1 and any(True for _ in _places(wanted, words(answer))))


def similar(*, expected: str, answer: str, least: float) -> Verdict:
    """Right if an answer says nearly the same words, from a likeness of `least` (0 to 1) on.

    Never where it names another number or another name, or denies what is not
    denied: such an answer differs in one word and means the contrary.
    """
    alike = likeness(expected, answer)
    if other := _otherwise(expected, answer, alike):
        return Verdict(False, round(min(alike, OTHERWISE), 4), other)
    told = f"{alike:.0%} alike; {least:.0%} are needed."
    return Verdict(alike >= least, round(alike, 4), told)


def label(*, expected: str, answer: str, labels: Sequence[str]) -> Verdict:
    """Right if the answer names the expected label, and no other of `labels`."""
    named = [each for each in labels if _names(each, answer)]
    # "very good" also says "good": a label within another that is named does not count.
    told = [
        each
        for each in named
        if not any(each != other and _is_within(words(each), words(other)) for other in named)
    ]
    if told == [expected]:
        return Verdict(True, 1.0, f"It says {expected!r}.")
    said = ", ".join(repr(each) for each in told) or "none of the labels"
    return Verdict(False, 0.0, f"It says {said}, not {expected!r}.")


def _names(label: str, answer: str) -> bool:
    """Whether an answer names a label. One of a single letter may be a word: "a good one", "I think".

    It is named where it is all that is said, stands apart ("A)", "(b)", "is A.") or is asked for
    by a word such as "option".
    """
    letter = label.strip()
    if len(letter) != 1 or not letter.isalpha():
        return says(label, answer)
    if words(answer) == words(letter):
        return True
    written = re.escape(letter)
    apart = rf"(?<![\w'\u2019-]){written}(?=\s*(?:$|[.)\]:;,!?*\"\u201d\u00bb\n]))"
    called = rf"(?:{_CALLS})\W{{0,3}}{written}(?![\w'\u2019-])"
    return re.search(apart, answer) is not None or re.search(called, answer) is not None


def _otherwise(expected: str, answer: str, alike: float) -> str:
    """Return in a sentence what the answer says otherwise, or ""."""
    wanted, given = numbers(expected), numbers(answer)
    if missing := wanted - given:
        return f"It does not say {', '.join(sorted(missing))}."
    if wanted and (more := given - wanted):
        return f"It also says {', '.join(sorted(more))}."
    if not wanted and given and alike >= NEARLY_EQUAL:
        return f"It says {', '.join(sorted(given))} besides."
    others, unnamed = _named_alone(answer, expected), _named_alone(expected, answer)
    if others and unnamed:
        return f"It names {', '.join(others)}, not {', '.join(unnamed)}."
    if contrasts(" ".join(words(expected)), " ".join(words(answer))):
        return "One thing in it is another."
    ours, theirs = denials(expected), denials(answer)
    if ours != theirs and (alike >= NEARLY_EQUAL or 0 in (ours, theirs)):
        return "It denies more than it should." if theirs > ours else "It does not deny it."
    return ""


def _named_alone(text: str, other: str) -> list[str]:
    """Return the names of a text that another says in no form."""
    spoken = {form for word in words(other) for form in _forms(word)}
    return sorted(name for name in names(text) if spoken.isdisjoint(_forms(name)))


def _forms(name: str) -> tuple[str, str]:
    # English stems lose a "y" at the end, and "Fridays" are no other days than "Friday".
    return stem(name), name[:BEGINNING]


def _is_denied(said: Sequence[str], at: int) -> bool:
    for back in range(at - 1, max(at - 1 - REACH, -1), -1):
        if said[back] in NEGATIONS:
            return not (back + 1 < len(said) and said[back + 1] in _NOT_ONLY)
    return False


def _places(wanted: Sequence[str], said: Sequence[str]) -> list[int]:
    n = len(wanted)
    return [at for at in range(len(said) - n + 1) if list(said[at : at + n]) == list(wanted)]


def _is_within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    return len(inner) < len(outer) and bool(_places(inner, outer))


def _sentence(told: Sequence[str]) -> str:
    joined = "; ".join(told)
    return f"{joined[:1].upper()}{joined[1:]}."
