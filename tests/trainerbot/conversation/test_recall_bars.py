"""How often the right correction is recalled, and another one's words are not: by words alone."""

import pytest

from tests.trainerbot.conversation.recall_set import lines, twins, unrelated
from trainerbot.conversation import Memory, Recall, Recalled

KNOWN = [line.question for language in ("en", "ru") for line in lines(language)]
PAIRED = [question for pair in twins() for question in pair]


@pytest.fixture(scope="module")
def recall() -> Recall:
    return Recall(Memory(n, question, f"{n}.") for n, question in enumerate([*KNOWN, *PAIRED]))


def first(found: Recalled) -> int | None:
    if found.verbatim is not None:
        return found.verbatim.id
    return found.examples[0][0].id if found.examples else None


def test_every_question_that_was_corrected_gets_its_own_words(recall):
    for n, question in enumerate([*KNOWN, *PAIRED]):
        assert recall.recall(question).verbatim == Memory(n, question, f"{n}.")


@pytest.mark.parametrize(("language", "least"), [("en", 0.92), ("ru", 0.88)])
def test_an_ordinary_paraphrase_finds_its_correction_first(recall, language, least):
    asked = lines(language)

    n_right = sum(
        first(recall.recall(line.ordinary)) == KNOWN.index(line.question) for line in asked
    )

    assert n_right >= least * len(asked)


def test_no_paraphrase_gets_the_words_of_another_correction(recall):
    for language in ("en", "ru"):
        for line in lines(language):
            for wording in (line.ordinary, line.hard):
                said = recall.recall(wording).verbatim
                assert said is None or said.question == line.question


def test_of_twins_each_gets_its_own_words_and_neither_shows_the_other():
    for one, other in twins():
        alone = Recall([Memory(1, one, "One.")]).recall(other)

        assert alone == Recalled(), (one, other)


def test_near_misses_get_no_words_and_seldom_an_example(recall):
    missed = [line.near for language in ("en", "ru") for line in lines(language)]

    found = [recall.recall(wording) for wording in missed]

    assert not any(one.verbatim for one in found)
    assert sum(bool(one.examples) for one in found) <= 0.15 * len(missed)


def test_unrelated_questions_get_no_words_and_hardly_ever_an_example(recall):
    found = [recall.recall(wording) for wording in unrelated()]

    assert not any(one.verbatim for one in found)
    assert sum(bool(one.examples) for one in found) <= 0.05 * len(found)
