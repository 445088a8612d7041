"""Texts compared by meaning, with a small embedder whose notions are known."""

import numpy as np

from trainerbot.conversation import Memory, Recall
from trainerbot.errors import ProviderUnavailable
from trainerbot.retrieval.calibration import CYRILLIC, LATIN, unit
from trainerbot.retrieval.corpus import Vectors
from trainerbot.retrieval.meaning import MOST_COMPARED, NearestMeanings, Placed, Space, packed

NOTIONS = (("password", "login", "locked"), ("open", "hours"), ("dog", "pets"), ("price", "cost"))


class Notions:
    """Embeds a text as which notions its words are of, with noise that is the same each time."""

    name = "notions"

    def __init__(self, n_dimensions: int = 64) -> None:
        self.asked: list[str] = []
        self._n_dimensions = n_dimensions

    def embed(self, texts):
        self.asked += texts
        made = []
        for text in texts:
            seed = np.random.default_rng(sum(text.encode()))
            vector = seed.normal(scale=0.15, size=self._n_dimensions).astype(np.float32)
            for n, words in enumerate(NOTIONS):
                vector[n] += 3 * any(word in text.lower() for word in words)
            made.append(vector)
        return np.array(made, dtype=np.float32)


class Silent(Notions):
    def embed(self, texts):
        raise ProviderUnavailable("It does not answer.")


QUESTIONS = [
    Memory(1, "How do I reset my password?", "Press *Forgot*."),
    Memory(2, "When do you open?", "At nine."),
    Memory(3, "Is my dog welcome?", "Yes."),
]


def test_a_question_without_a_word_in_common_finds_what_means_the_same():
    recall = Recall(QUESTIONS, Space(Notions()))

    found = recall.recall("locked out, what now")

    assert found.verbatim is None
    assert found.examples[0][0].id == 1


def test_the_same_words_are_answered_without_asking_the_embedder():
    embedder = Notions()
    recall = Recall(QUESTIONS, Space(embedder))

    assert recall.recall("when do you open").verbatim == QUESTIONS[1]
    assert embedder.asked == []


def test_a_stored_vector_is_not_made_again():
    embedder = Notions()
    vector = packed(embedder.embed(["How do I reset my password?"])[0])
    embedder.asked.clear()
    recall = Recall(
        [Memory(1, "How do I reset my password?", "So.", vector=vector)], Space(embedder)
    )

    recall.recall("locked out, what now")

    assert "How do I reset my password?" not in embedder.asked


def test_an_embedder_that_does_not_answer_leaves_the_words():
    vector = packed(np.ones(64, dtype=np.float32))
    memories = [Memory(1, "How do I reset my password?", "So.", vector=vector)]

    found = Recall(memories, Space(Silent())).recall("i want to reset my password")

    assert [memory.id for memory, _ in found.examples] == [1]


def index_of(rows):
    """Index unit vectors, all of texts in Latin letters."""
    space = Space(Notions(rows.shape[1]))
    packs = [np.frombuffer(packed(row), np.int8) for row in rows]
    return NearestMeanings(np.array(packs), space, [LATIN] * len(rows))


def test_among_many_the_signs_of_the_vectors_lead_to_the_nearest():
    rows = unit(np.random.default_rng(1).normal(size=(5_000, 64)).astype(np.float32))
    index = index_of(rows)
    visible = np.ones(5_000, dtype=bool)
    wanted = Placed(rows[77], 0.0, LATIN)

    assert index.nearest(wanted, 3, visible=visible.tobytes())[0] == 77
    visible[77] = False
    assert 77 not in index.nearest(wanted, 3, visible=visible.tobytes())


def test_rows_without_a_vector_are_never_found():
    rows = np.zeros((2, 64), dtype=np.float32)
    rows[0, 3] = 1

    found = index_of(rows).nearest(Placed(rows[0], 0.0, LATIN), 2)

    assert found == [0]


def test_of_two_alike_the_one_in_the_letters_of_the_question_comes_first():
    rows = unit(np.random.default_rng(2).normal(size=(2, 64)).astype(np.float32))
    index = NearestMeanings(
        np.array([np.frombuffer(packed(rows[0]), np.int8)] * 2),
        Space(Notions()),
        [LATIN, CYRILLIC],
    )

    found = index.nearest(Placed(rows[0], 0.0, CYRILLIC), 2)

    assert found == [1, 0]


def test_of_thousands_equally_near_the_newest_are_found():
    row = unit(np.random.default_rng(3).normal(size=(1, 64)).astype(np.float32))
    index = index_of(np.repeat(row, 5_000, axis=0))

    found = index.nearest(Placed(row[0], 0.0, LATIN), 3)

    assert len(found) == 3
    assert min(found) >= 5_000 - MOST_COMPARED


def test_long_vectors_are_told_apart_by_more_signs_than_a_byte_counts():
    rows = unit(np.random.default_rng(4).normal(size=(4_200, 320)).astype(np.float32))
    rows[:9] = -rows[99]  # 320 signs differ, and 320 - 256 would be near

    found = index_of(rows).nearest(Placed(rows[99], 0.0, LATIN), 1)

    assert found == [99]


def test_vectors_are_kept_by_key_and_those_of_another_length_left_out():
    vectors = Vectors()
    vectors.add(5, bytes([1, 2]))
    vectors.add(7, bytes([1, 2, 3]))
    vectors.add(9, bytes([3, 4]))
    vectors.add(5, bytes([5, 6]))

    assert vectors.rows([5, 6, 7, 9]).tolist() == [[5, 6], [0, 0], [0, 0], [3, 4]]
    assert vectors.rows([6, 7]) is None
    assert vectors.without([5]).rows([5, 9]).tolist() == [[0, 0], [3, 4]]
    assert 5 in vectors
    vectors.discard(5)
    assert 5 not in vectors
