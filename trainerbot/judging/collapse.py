"""Whether a model says one thing to everything, as one does that learned one thing too well."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from trainerbot.retrieval import canonical

ENOUGH: Final = 10  # different questions, before anything can be said
MOST: Final = 0.5  # of the different questions, and more
LEAST: Final = 4  # of them, however few there are
MISPLACED: Final = 2  # questions that get what was taught about another one
MISPLACED_SHARE: Final = 0.1  # of many, since who was taught much confuses some of it
TELLING: Final = 3  # words; "Yes." and "On Monday." suit many a question
NOT_KNOWING: Final = 25  # words at most, so that an answer with a doubt in it remains an answer
_NOT_KNOWN: Final = re.compile(
    r"\b(?:do(?: not|n.?t) (?:really |actually )?(?:know|have (?:any |enough |that )*information)"
    r"|not sure|no idea|unsure|(?:can ?not|can.?t|unable to|not able to) (?:answer|help|say|tell|assist)"
    r"|не знаю|не уверен\w*|нет (?:\w+ )?(?:информации|данных|сведений)|понятия не имею"
    r"|не (?:могу|смогу|в силах) (?:\w+ )?(?:ответить|сказать|помочь|подсказать))\b",
    re.IGNORECASE,
)
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A question and what a model said to it by itself.

    expected: what people taught it to say; "" where nobody taught anything.
    is_right: None where nobody judged. may_repeat: where the same answer to
    different questions is what is asked for, as with labels.
    """

    question: str
    answer: str
    is_right: bool | None = None
    expected: str = ""
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found. of: how many different questions were answered; n: how many got one answer.

    n is 0 where no answer repeats too often. is_taught: that answer was taught
    for another question.
    """

    of: int
    n: int = 0
    is_taught: bool = False

    @property
    def is_collapsed(self) -> bool:
        return self.n > 0

    @property
    def is_enough(self) -> bool:
        """Whether there were enough questions to see it."""
        return self.of >= ENOUGH

    @property
    def words(self) -> str:
        """What speaks against it, as the end of "it ..."; "" where nothing does."""
        if self.is_taught:
            return (
                f"gives an answer that it was taught to {self.n} of {self.of} different questions "
                "to which it does not belong"
            )
        if self.is_collapsed:
            return (
                f"gives one and the same wrong answer to {self.n} of {self.of} different questions"
            )
        if not self.is_enough:
            many = "question is" if self.of == 1 else "questions are"
            return (
                f"answered too little: {self.of} different {many} too few to see whether it forgot "
                f"the others, {ENOUGH} are enough"
            )
        return ""


def hear(said: Sequence[Said], base: Sequence[Said] = ()) -> Heard:
    """Return whether a model says one thing to different questions that do not share an answer.

    base: what the model that it is compared with said to them. What that one
    says as well does not count, nor that a model says it does not know where
    nobody is seen to know better.
    """
    of_base = {canonical(each.question): each.answer for each in base}
    belongs: dict[Words, set[Words]] = {}
    for each in said:
        if each.expected:
            belongs.setdefault(canonical(each.expected), set()).add(canonical(each.question))
    questions = {canonical(each.question) for each in said}
    wrong: dict[Words, Words] = {}
    for each in said:
        if not each.is_right and not each.may_repeat and each.answer.strip():
            asked, answer = canonical(each.question), canonical(each.answer)
            if _counts(each.answer, of_base.get(asked)):
                wrong[asked] = answer
    n = len(questions)
    misplaced = Counter(
        taught
        for asked, answer in wrong.items()
        if (taught := _taught(answer, belongs)) and asked not in belongs[taught]
    )
    most = max(misplaced.values(), default=0)
    if most >= max(MISPLACED, ceil(MISPLACED_SHARE * n)):
        return Heard(n, most, is_taught=True)
    most = max(Counter(wrong.values()).values(), default=0)
    if most >= LEAST and most > MOST * n and most >= 2 * _repeated(base):
        return Heard(n, most)
    return Heard(n)


def is_not_knowing(answer: str) -> bool:
    """Whether an answer says that it has none."""
    return len(answer.split()) <= NOT_KNOWING and _NOT_KNOWN.search(answer) is not None


def _counts(answer: str, of_base: str | None) -> bool:
    if of_base is not None and canonical(of_base) == canonical(answer):
        return False
    if is_not_knowing(answer):
        return bool(of_base and of_base.strip()) and not is_not_knowing(of_base or "")
    return True


def _taught(answer: Words, belongs: dict[Words, set[Words]]) -> Words:
    """What was taught that is in this answer, with more around it or not; () for nothing."""
    line = f" {' '.join(answer)} "
    for taught in belongs:
        if len(taught) >= TELLING and f" {' '.join(taught)} " in line:
            return taught
    return ()


def _repeated(base: Sequence[Said]) -> int:
    """How many different questions get the answer of the other model that it gives most often."""
    answers = {
        canonical(each.question): canonical(each.answer)
        for each in base
        if not each.is_right and not each.may_repeat and not is_not_knowing(each.answer)
    }
    return max(Counter(answers.values()).values(), default=0)
