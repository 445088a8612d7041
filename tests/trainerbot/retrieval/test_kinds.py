"""Things of a kind, stems and notions: what tells near misses from paraphrases."""

import pytest

from trainerbot.retrieval.gist import gist, shared
from trainerbot.retrieval.judging import chance, is_another
from trainerbot.retrieval.kinds import asks_another, names_another
from trainerbot.retrieval.stems import stem


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Do you open on Monday?", "do you open on sundays"),
        ("Тренировка утром?", "тренировка вечером"),
        ("Кто в первой команде?", "кто во второй команде"),
        ("Is there an app for Android?", "is there an app for iphone"),
    ],
)
def test_two_things_of_one_kind_make_two_questions(a, b):
    assert names_another(a, b)
    assert is_another(a, b)
    assert not names_another(a, a)


def test_when_is_not_where_though_wordings_of_when_are_one():
    assert asks_another("When is the exam?", "Where is the exam?")
    assert not asks_another("When is the exam?", "at what time is the exam")
    assert not asks_another("Когда экзамен?", "во сколько экзамен")


@pytest.mark.parametrize(
    "forms",
    [
        ("moderators", "moderate"),
        ("shipping", "shipped", "ships"),
        ("доставка", "доставляете", "доставки"),
        ("тренировка", "тренируются"),
        ("школа", "школе", "школы"),
    ],
)
def test_forms_of_a_word_share_their_stem(forms):
    assert len({stem(form) for form in forms}) == 1


def test_words_that_mean_the_same_count_where_their_letters_do_not():
    both = shared(gist("refund for an item"), gist("return an item"))

    assert both.of_asked < 1
    assert both.of_asked_meant == 1


def test_a_denial_makes_another_question_only_of_the_same_words():
    assert chance("Can I come without a ticket?", "Can I come with a ticket?", 0.9) == 0
    assert (
        chance("I can't log in, reset my password please", "How do I reset my password?", 0.6) > 0
    )


def test_a_name_that_differs_makes_another_question():
    assert chance("What drops from the Frost Queen?", "What drops from the Bone King?", 0.6) == 0
