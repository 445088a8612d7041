"""Corrections that bear on a question: one in its own words, or some as examples."""

from __future__ import annotations

import hashlib
import logging
from array import array
from bisect import bisect_left
from copy import copy
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Final, NamedTuple

from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.retrieval import canonical, near_identical
from trainerbot.retrieval.corpus import Corpus, Vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trainerbot.retrieval.corpus import Found
    from trainerbot.retrieval.meaning import Placed, Space

log = logging.getLogger(__name__)

LEAST_CHANCE: Final = 0.18
"""Of an example, where texts are compared by their words; docs/recall.md has the curve."""

LEAST_CHANCE_MEANT: Final = 0.25
LEAST_CHANCE_WORDLESS: Final = 0.1
"""Of an example, where they are compared by meaning too: with letters in common, and without.

Who shares letters and still means another thing misleads a model the most."""

FEW_LETTERS: Final = 0.25

MAX_EXAMPLES: Final = 3
"""Examples shown to the model: a small one loses the question among more."""

MAX_LATE: Final = 64
"""Corrections of the newest part, which is indexed anew with each change."""

MAX_MERGED: Final = 2_048
"""Corrections of a part that later ones are merged into: a fifth of a second to index."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A correction as recall sees it. Of two, the higher `id` is the newer.

    guild_id, channel_id: where alone it counts; None for everywhere. vector:
    its question's embedding as int8, None if there is none yet; what is recalled
    comes without it.
    """

    id: int
    question: str
    answer: str
    guild_id: int | None = None
    channel_id: int | None = None
    vector: bytes | None = None


class Place(NamedTuple):
    """Where somebody asks. channel_ids: the channel and, of a thread, its parent too."""

    guild_id: int | None = None
    channel_ids: tuple[int, ...] = ()


NOWHERE: Final = Place()


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered about a question.

    `verbatim` answers it, and its words may be given as they are. `examples`
    come with the chance that they help, from 0 to 1, best first; empty beside
    a verbatim.
    """

    verbatim: Memory | None = None
    examples: tuple[tuple[Memory, float], ...] = ()


class _Part(NamedTuple):
    """Some corrections with an index of their own, by ascending ids, and which still count."""

    corpus: Corpus
    alive: bytearray
    ids: array[int]

    def row_of(self, pk: int) -> int | None:
        row = bisect_left(self.ids, pk)
        return row if row < len(self.ids) and self.ids[row] == pk else None


_Scope = tuple[int | None, int | None]
_Row = tuple[str, str, int | None, int | None]


class Recall:
    """All corrections, ready to be asked. Never changes; safe to share among threads.

    Of corrections of one question only one is heard: that of the narrowest
    place where it is asked, and of those of one place the newest. No
    correction is heard outside its guild or channel.
    """

    def __init__(self, memories: Iterable[Memory], space: Space | None = None) -> None:
        self._space = space
        # As plain tuples, which the garbage collector does not look at again and again: a
        # hundred thousand objects would stop the whole process for an eighth of a second.
        self._rows: dict[int, _Row] = {}
        # Of those that may be indexed anew; a large index alone has what it needs.
        self._vectors = Vectors()
        # Ids of the corrections of each question, oldest first. Of most there is one.
        self._of_question: dict[int, tuple[int, ...] | int] = {}
        self._places: dict[_Scope, int] = {(None, None): 0}
        for memory in memories:
            self._keep(memory)
        heard = [pk for key in self._of_question for pk in self._heard_of(key)]
        self._parts: tuple[_Part, ...] = ()
        if heard:
            self._parts = (self._part(heard),)

    def __len__(self) -> int:
        """Return how many questions have a correction."""
        return len(self._of_question)

    @property
    def n_corrections(self) -> int:
        """How many corrections there are, those that a newer one silences included."""
        return len(self._rows)

    @property
    def is_by_meaning(self) -> bool:
        """Whether questions are compared by what they mean, too."""
        return self._space is not None

    @property
    def space(self) -> Space | None:
        """Where meanings are compared; None where only words are."""
        return self._space

    def has(self, question: str) -> bool:
        """Whether there is a correction of this very question, wherever it counts."""
        return _key(question) in self._of_question

    def recall(self, question: str, place: Place = NOWHERE, *, asks: bool = True) -> Recalled:
        """Return the correction of this very question, else examples like it, else nothing.

        A question asked in the same words is looked up at once. The first
        other one builds the index, which takes a second and more, so call this
        off the event loop. A correction that differs in a number, a date, a
        name, a denial or just the thing asked about is never an example: a
        small model would repeat its words. asks: whether a model is asked what
        the question means where that is not known yet; else its words have to do.
        """
        scopes = self._scopes(place)
        said = self._narrowest(self._ids(_key(question)), scopes)
        if said is not None:
            return Recalled(verbatim=self._memory(said))
        meant = self._meant(question, scopes, asks=asks)
        found = self._search(question, scopes, meant)
        same = [
            one.key
            for one in found
            if near_identical(question, self._rows[one.key][0], one.letters)
        ]
        if (heard := self._narrowest(same, scopes)) is not None:
            return Recalled(verbatim=self._memory(heard))
        examples = [
            (self._memory(one.key), round(one.chance, 4))
            for one in found
            if one.chance >= _least_chance(one, meant)
        ]
        return Recalled(examples=tuple(examples[:MAX_EXAMPLES]))

    def same(self, question: str) -> list[Memory]:
        """Return all corrections of this very question, whatever their place, newest first."""
        keys = {_key(question)}
        places = list(self._places.values())
        for part in self._parts:
            for one in part.corpus.search(question, places=places, alive=part.alive):
                known = self._rows[one.key][0]
                if near_identical(question, known, one.letters):
                    keys.add(_key(known))
        ids = {pk for key in keys for pk in self._ids(key)}
        return [self._memory(pk) for pk in sorted(ids, reverse=True)]

    def repeated(self) -> list[list[Memory]]:
        """Return the corrections of each question that has several, newest first."""
        several = [ids for ids in self._of_question.values() if not isinstance(ids, int)]
        return [[self._memory(pk) for pk in reversed(ids)] for ids in several]

    def newest(self, n: int) -> list[Memory]:
        """Return the `n` newest corrections, newest first."""
        return [self._memory(pk) for pk in sorted(self._rows, reverse=True)[:n]]

    def changed(self, changes: Mapping[int, Memory | None]) -> Recall:
        """Return what is recalled after `changes`: by id the correction as it is now, or None.

        Takes milliseconds: what changed gets a small index of its own, and
        only small indexes are ever merged.
        """
        made = copy(self)
        made._rows, made._of_question = dict(self._rows), dict(self._of_question)
        made._places, made._vectors = dict(self._places), self._vectors.without()
        touched = set()
        for pk, memory in changes.items():
            if pk in made._rows:
                touched.add(made._forget(pk))
            if memory is not None:
                touched.add(made._keep(memory))
        before = {pk for key in touched for pk in self._ids(key)}
        made._index_anew(touched, before)
        return made

    def _index_anew(self, questions: set[int], before: set[int]) -> None:
        """Give the corrections of these questions a new index; `before`: which there were."""
        parts = []
        for part in self._parts:
            rows = [row for row in map(part.row_of, before) if row is not None]
            if rows:
                alive = bytearray(part.alive)
                for row in rows:
                    alive[row] = 0
                part = part._replace(alive=alive)
            parts.append(part)
        fresh = [pk for key in questions for pk in self._heard_of(key)]
        # Of the parts at the end all that are no larger than the new one are merged with it.
        while parts and _n_alive(parts[-1]) <= _room(len(fresh)):
            part = parts.pop()
            fresh += compress(part.ids, part.alive)
        if fresh:
            parts.append(self._part(fresh))
        self._parts = tuple(parts)

    def _part(self, unordered: Sequence[int]) -> _Part:
        ids = array("q", sorted(unordered))
        places = array("i", [self._places[self._rows[pk][2:]] for pk in ids])
        vectors = self._vectors
        if len(ids) > MAX_MERGED:
            self._vectors = vectors.without(ids)
        texts = [self._rows[pk][0] for pk in ids]
        corpus = Corpus(ids, texts, places, vectors, self._space)
        return _Part(corpus, bytearray(b"\1") * len(ids), ids)

    def _search(self, question: str, scopes: Sequence[_Scope], meant: Placed | None) -> list[Found]:
        places = [self._places[scope] for scope in scopes if scope in self._places]
        found = [
            one
            for part in self._parts
            for one in part.corpus.search(question, places=places, alive=part.alive, meant=meant)
        ]
        if len(self._of_question) == len(self._rows):
            kept = found
        else:
            kept = self._not_silenced(found, scopes)
        kept.sort(key=lambda one: (-one.chance, -one.letters, -one.key))
        return kept

    def _not_silenced(self, found: list[Found], scopes: Sequence[_Scope]) -> list[Found]:
        """Leave out what a narrower place says otherwise of the same question."""
        return [
            one
            for one in found
            if self._narrowest(self._ids(_key(self._rows[one.key][0])), scopes) == one.key
        ]

    def _meant(self, question: str, scopes: Sequence[_Scope], *, asks: bool) -> Placed | None:
        """Return the question's meaning, if there is a model to tell and anything to compare."""
        if self._space is None or not any(scope in self._places for scope in scopes):
            return None
        if not self._rows or not question.strip():
            return None
        if not asks and not self._space.knows(question):
            return None
        try:
            return self._space.find(question)
        except (ProviderUnavailable, ProviderRefused) as error:
            log.info("A question was compared by its words alone: %s", error)
            return None

    def _narrowest(self, ids: Iterable[int], scopes: Sequence[_Scope]) -> int | None:
        """Return of some corrections the id of the one heard at `scopes`, narrowest first."""
        best: tuple[int, int] | None = None
        for pk in ids:
            scope = self._rows[pk][2:]
            if scope in scopes:
                rank = (-scopes.index(scope), pk)
                best = rank if best is None else max(best, rank)
        return None if best is None else best[1]

    @staticmethod
    def _scopes(place: Place) -> list[_Scope]:
        """Return what counts at a place, narrowest first."""
        scopes: list[_Scope] = [(place.guild_id, channel_id) for channel_id in place.channel_ids]
        if place.guild_id is not None:
            scopes.append((place.guild_id, None))
        return [*scopes, (None, None)]

    def _ids(self, key: int) -> tuple[int, ...]:
        found = self._of_question.get(key, ())
        return (found,) if isinstance(found, int) else found

    def _heard_of(self, key: int) -> list[int]:
        """Return of each place the newest correction of a question."""
        newest: dict[_Scope, int] = {}
        for pk in self._ids(key):
            newest[self._rows[pk][2:]] = pk
        return list(newest.values())

    def _memory(self, pk: int) -> Memory:
        return Memory(pk, *self._rows[pk])

    def _keep(self, memory: Memory) -> int:
        key = _key(memory.question)
        if memory.vector is not None:
            self._vectors.add(memory.id, memory.vector)
        scope = (memory.guild_id, memory.channel_id)
        self._places.setdefault(scope, len(self._places))
        self._rows[memory.id] = (memory.question, memory.answer, *scope)
        ids = tuple(sorted((*self._ids(key), memory.id)))
        self._of_question[key] = ids if len(ids) > 1 else memory.id
        return key

    def _forget(self, pk: int) -> int:
        self._vectors.discard(pk)
        key = _key(self._rows.pop(pk)[0])
        ids = tuple(other for other in self._ids(key) if other != pk)
        if ids:
            self._of_question[key] = ids if len(ids) > 1 else ids[0]
        else:
            del self._of_question[key]
        return key


def _least_chance(found: Found, meant: Placed | None) -> float:
    if meant is None:
        return LEAST_CHANCE
    return LEAST_CHANCE_WORDLESS if found.letters < FEW_LETTERS else LEAST_CHANCE_MEANT


def _n_alive(part: _Part) -> int:
    return part.alive.count(1)


def _room(n_fresh: int) -> int:
    """Return how large a part may be that so many new corrections are merged with."""
    return min(MAX_MERGED, max(MAX_LATE, n_fresh))


def _key(question: str) -> int:
    """Return what two wordings of one question share; of mere punctuation, all of it.

    A number of 128 bits and not the words, which take ten times the memory.
    """
    words = canonical(question) or (question.strip(),)
    told = " ".join(words).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(told, digest_size=16).digest())
