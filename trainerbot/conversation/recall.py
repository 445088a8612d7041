"""Corrections that bear on a question: one in its own words, or some as examples."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

from trainerbot.retrieval import Match, NearestTexts, agree, canonical, contrasts, near_identical

EXAMPLE_SCORE: Final = 0.45
"""Least likeness of an example. Strangers reached 0.32 among 27 questions, kin 0.45 and more."""

MAX_EXAMPLES: Final = 3
"""Examples shown to the model: a small one loses the question among more."""

MAX_CANDIDATES: Final = 12
"""Nearest corrections looked at: more than are shown, since some will contradict the question."""


MAX_LATE: Final = 64
"""Questions whose corrections may change before all are indexed anew."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A correction as recall sees it. Of two, the higher `id` is the newer."""

    id: int
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered about a question.

    `verbatim` answers it, and its words may be given as they are. `examples`
    come with their likeness from 0 to 1, best first; empty beside a verbatim.
    """

    verbatim: Memory | None = None
    examples: tuple[tuple[Memory, float], ...] = ()


class Recall:
    """All corrections, ready to be asked. Never changes; safe to share among threads.

    Of corrections of one question only the newest is heard.
    """

    def __init__(self, memories: Iterable[Memory]) -> None:
        self._by_id: dict[int, Memory] = {}
        # Ids of the corrections of each question, the newest last.
        self._of_question: dict[tuple[str, ...], tuple[int, ...]] = {}
        for memory in memories:
            self._keep(memory)
        self._early = _Index(self._heard(self._of_question))
        # Questions whose corrections changed since; `_early` is not to be believed on them.
        self._late_questions: frozenset[tuple[str, ...]] = frozenset()
        self._late = _Index(())

    def __len__(self) -> int:
        """Return how many questions have a correction."""
        return sum(1 for ids in self._of_question.values() if ids)

    @property
    def n_corrections(self) -> int:
        """How many corrections there are, those that a newer one silences included."""
        return len(self._by_id)

    def recall(self, question: str) -> Recalled:
        """Return the correction of this very question, else examples like it, else nothing.

        A question asked in the same words is looked up at once. The first
        other one builds the index, which takes a second and more, so call this
        off the event loop. A correction that differs in a number, a letter, a
        denial or just the thing asked about is never an example: a small
        model would repeat its words.
        """
        if ids := self._of_question.get(_key(question)):
            return Recalled(verbatim=self._by_id[ids[-1]])
        near = self._nearest(question)
        same = [
            memory for memory, score in near if near_identical(question, memory.question, score)
        ]
        if same:
            return Recalled(verbatim=max(same, key=lambda memory: memory.id))
        examples = [
            (memory, score)
            for memory, score in near
            if score >= EXAMPLE_SCORE
            and agree(question, memory.question)
            and not contrasts(question, memory.question)
        ]
        return Recalled(examples=tuple(examples[:MAX_EXAMPLES]))

    def changed(self, changes: Mapping[int, Memory | None]) -> "Recall":
        """Return what is recalled after `changes`: by id the correction as it is now, or None.

        Takes milliseconds, where an index of 20,000 takes two seconds: the
        questions that they are about get a small index of their own. Past
        MAX_LATE such questions all are indexed anew.
        """
        made = copy(self)
        made._by_id, made._of_question = dict(self._by_id), dict(self._of_question)
        late = set(self._late_questions)
        for pk, memory in changes.items():
            if pk in made._by_id:
                late.add(made._forget(pk))
            if memory is not None:
                late.add(made._keep(memory))
        if len(late) > MAX_LATE:
            return Recall(made._by_id.values())
        made._late_questions = frozenset(late)
        made._late = _Index(made._heard(late))
        return made

    def _nearest(self, question: str) -> list[tuple[Memory, float]]:
        """Return the corrections nearest to `question` with their likeness, best first."""
        late = self._late_questions
        found = self._early.nearest(question, MAX_CANDIDATES + len(late))
        if late:
            found = [
                match
                for match in found
                if match.key in self._by_id and _key(self._by_id[match.key].question) not in late
            ]
            found += self._late.nearest(question, MAX_CANDIDATES)
        found.sort(key=lambda match: (-match.score, -match.key))
        return [(self._by_id[match.key], match.score) for match in found[:MAX_CANDIDATES]]

    def _heard(self, questions: Iterable[tuple[str, ...]]) -> list[Memory]:
        """Return the newest correction of each of `questions` that has one."""
        return [self._by_id[ids[-1]] for key in questions if (ids := self._of_question.get(key))]

    def _keep(self, memory: Memory) -> tuple[str, ...]:
        key = _key(memory.question)
        self._by_id[memory.id] = memory
        self._of_question[key] = tuple(sorted((*self._of_question.get(key, ()), memory.id)))
        return key

    def _forget(self, pk: int) -> tuple[str, ...]:
        key = _key(self._by_id.pop(pk).question)
        self._of_question[key] = tuple(other for other in self._of_question[key] if other != pk)
        return key


class _Index:
    """The nearest of some corrections; built when it is first asked."""

    def __init__(self, memories: Sequence[Memory]) -> None:
        self._memories = memories
        self._index: NearestTexts | None = None
        self._building = threading.Lock()

    def nearest(self, question: str, k: int) -> list[Match]:
        if not self._memories:
            return []
        if self._index is None:
            with self._building:
                if self._index is None:
                    self._index = NearestTexts([(m.id, m.question) for m in self._memories])
        return self._index.nearest(question, k)


def _key(question: str) -> tuple[str, ...]:
    """Return what two wordings of one question share; of mere punctuation, all of it."""
    return canonical(question) or (question.strip(),)
