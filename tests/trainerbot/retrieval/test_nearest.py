"""The index over short texts."""

import random
import subprocess
import sys

import pytest

from trainerbot.retrieval import Match, NearestTexts

QUESTIONS = (
    "What is your refund policy?",
    "When do you open on Monday?",
    "How do I reset my password?",
    "Как вернуть товар?",
)


def an_index() -> NearestTexts:
    return NearestTexts(list(enumerate(QUESTIONS)))


def test_a_paraphrase_finds_its_question_in_either_language():
    index = an_index()

    assert index.nearest("how do refunds work", 1)[0].key == 0
    assert index.nearest("opening hours", 1)[0].key == 1
    assert index.nearest("i forgot my pasword", 1)[0].key == 2
    assert index.nearest("хочу сделать возврат товара", 1)[0].key == 3


def test_the_question_itself_scores_one():
    (match,) = an_index().nearest("when do you open on monday", 1)

    assert match == Match(1, 1.0)


def test_matches_come_best_first_and_no_more_than_asked():
    matches = an_index().nearest("reset the refund password policy", k=2)

    assert [match.key for match in matches] == [2, 0]
    assert 1.0 >= matches[0].score >= matches[1].score > 0


def test_of_equal_texts_the_higher_key_comes_first():
    index = NearestTexts([(number, "When do you open?") for number in (5, 9, 7, 1)])

    assert [match.key for match in index.nearest("when do you open", 2)] == [9, 7]


def test_a_text_that_shares_nothing_finds_nothing():
    assert an_index().nearest("zzzz") == []
    assert an_index().nearest("") == []
    assert an_index().nearest("?!") == []
    assert an_index().nearest("refund", k=0) == []


def test_words_that_every_question_has_make_no_likeness():
    (match,) = NearestTexts([(1, "What is the capital of France?")]).nearest("what is the time", 1)

    assert match.score < 0.4


def test_an_index_of_nothing_or_of_mere_punctuation_finds_nothing():
    assert NearestTexts([]).nearest("anything") == []
    assert NearestTexts([(1, "?"), (2, " ")]).nearest("?") == []
    assert len(NearestTexts([(1, "?"), (2, "hi")])) == 1


def test_importing_retrieval_loads_nothing_heavy():
    code = (
        "import sys, trainerbot.retrieval;"
        "assert not {'sklearn', 'numpy', 'scipy', 'django'} & sys.modules.keys()"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=180)


def test_the_score_is_the_cosine_as_computed_by_hand():
    # " ab " has six pieces of equal weight; of "a" only " a" is among them.
    (match,) = NearestTexts([(1, "ab"), (2, "cd")]).nearest("a")
    assert match == (1, round(6**-0.5, 4))


def test_few_rows_are_compared_as_many_are():
    words = " ".join(QUESTIONS).split()
    chance = random.Random(7)
    texts = [" ".join(chance.choices(words, k=4)) for _ in range(60)]
    index = NearestTexts(list(enumerate(texts)))
    seen = bytes(number % 3 > 0 for number in range(60))
    asked = [" ".join(chance.choices(words, k=2)) for _ in range(20)]

    by_hand = [index.nearest(each, 60, visible=seen) for each in asked]
    best = [index.nearest(each, 3, visible=seen) for each in asked]
    index._few_rows = 0
    by_numpy = [index.nearest(each, 60, visible=seen) for each in asked]

    assert [dict(each) for each in by_hand] == [
        pytest.approx(dict(each), abs=2e-4) for each in by_numpy
    ]
    assert best == [each[:3] for each in by_hand]
    assert all(seen[match.key] for each in by_hand for match in each)


def test_what_most_texts_have_is_looked_up_in_the_newest_of_them(monkeypatch):
    monkeypatch.setattr("trainerbot.retrieval.nearest.MAX_ROWS", 10)
    monkeypatch.setattr("trainerbot.retrieval.nearest.AT_ONCE", 7)
    texts = ["zebra crossing"] * 30 + ["quiet street"]
    index = NearestTexts([(number, text) for number, text in enumerate(texts)])
    index._few_rows = 0

    assert [match.key for match in index.nearest("zebra crossing", 3)] == [29, 28, 27]
    assert index.nearest("quiet street", 1) == [(30, 1.0)]


def test_an_index_made_piece_by_piece_is_the_same(monkeypatch):
    whole = NearestTexts(list(enumerate(QUESTIONS)))
    monkeypatch.setattr("trainerbot.retrieval.nearest.AT_ONCE", 2)
    in_pieces = NearestTexts(list(enumerate(QUESTIONS)))

    for question in QUESTIONS:
        assert in_pieces.nearest(question, 9) == whole.nearest(question, 9)
