"""Judges that read words: what they forgive, and what they never do."""

import pytest

from trainerbot.judging import contains, label, similar, verbatim
from trainerbot.judging.texts import numbers, words


@pytest.mark.parametrize(
    ("expected", "answer", "is_right"),
    [
        ("At 9 o'clock.", "at 9 o’clock", True),
        ("Ask Maya!", "  ask   maya ", True),
        ("Use C++.", "Use C.", False),
        ("It costs 3.5 euros.", "It costs 35 euros.", False),
        ("We open at 9.", "We open at 9, I think.", False),
        ("Привет, мир", "привет мир", True),
    ],
)
def test_verbatim_forgives_spelling_and_nothing_else(expected, answer, is_right):
    found = verbatim(expected=expected, answer=answer)

    assert found.is_right is is_right
    assert (found.score == 1) is is_right


@pytest.mark.parametrize(
    ("phrase", "answer", "is_right"),
    [
        ("5 euros", "It costs 5 euros.", True),
        ("5", "It costs 15 euros.", False),
        ("1000 euros", "You pay 1,000 euros.", True),
        ("$5", "Only 5 $ a month? No: $5!", True),
        ("free", "It is not free.", False),
        ("free", "It isn't really free.", False),
        ("free", "It is not only free but good.", True),
        ("free", "No, it is free.", True),
        ("free", "Not today. It is free tomorrow.", True),
        ("not free", "It is not free.", True),
        ("бесплатно", "Это не бесплатно.", False),
        ("five", "I have 5.", True),
        ("C++", "Written in C++.", True),
    ],
)
def test_phrases_are_found_as_words_and_not_where_they_are_denied(phrase, answer, is_right):
    assert contains(phrases=[phrase], answer=answer).is_right is is_right


def test_contains_scores_the_share_of_its_wishes():
    found = contains(phrases=["9", "Monday"], without=["sorry"], answer="At 9. Sorry!")

    assert (found.is_right, found.score) == (False, 0.3333)
    assert found.reason == "It does not say 'Monday'; it says 'sorry'."


@pytest.mark.parametrize(
    "answer",
    [
        "On Mondays we open at 9 in the morning.",
        "We open at nine in the morning on Mondays!",
        "we open at 9:00 in the morning on Mondays".replace(":00", ""),
    ],
)
def test_nearly_the_words_are_similar(answer):
    expected = "We open at 9 in the morning on Mondays."
    assert similar(expected=expected, answer=answer, least=0.75).is_right


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("We open at 9 on Mondays.", "We open at 10 on Mondays."),
        ("We open at 9 on Mondays.", "We open at 9 or 10 on Mondays."),
        ("Refunds are free.", "Refunds are not free."),
        ("We never ship abroad, no.", "We ship abroad."),
        ("Please ask Maya at the desk.", "Please ask Igor at the desk."),
        ("Вечер игр будет в пятницу вечером.", "Вечер игр будет в субботу вечером."),
        ("Our mascot is Pixel the fox.", "The capital of France is Paris."),
        ("At 9.", ""),
    ],
)
def test_one_word_that_means_the_contrary_is_never_similar(expected, answer):
    found = similar(expected=expected, answer=answer, least=0.3)

    assert found.is_right is False
    assert found.score <= 0.4
    assert found.reason.endswith(".")


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("good", True),
        ("It is GOOD!", True),
        ("very good", False),
        ("not good", False),
        ("good or bad", False),
        ("?", False),
    ],
)
def test_a_label_is_the_only_one_that_is_named(answer, is_right):
    labels = ["good", "very good", "bad"]
    assert label(expected="good", answer=answer, labels=labels).is_right is is_right


def test_numbers_have_one_spelling():
    assert numbers("1,000 and 5.0, then five; 3,5 %") == {"1000", "5", "3.5"}
    assert "2027" in words("3 March 2027")


def test_the_longest_answers_are_judged_too():
    found = similar(expected="word " * 50_000, answer="other words " * 50_000, least=0.5)
    assert found.is_right is False


@pytest.mark.parametrize("n_digits", [29, 400, 5_000])
def test_a_number_without_end_is_judged_like_any_other_words(n_digits):
    found = similar(expected="It is 5.", answer="It is " + "9" * n_digits, least=0.5)

    assert found.is_right is False
    assert not contains(phrases=["5"], answer="1" * n_digits).is_right


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("A", True),
        ("a", True),
        ("(A)", True),
        ("A.", True),
        ("**A**", True),
        ("The answer is A.", True),
        ("Option A", True),
        ("It is option A, since it is cheap.", True),
        ("A) It is free", True),
        ("It is a good one.", False),
        ("A good one.", False),
        ("B is a good one.", False),
        ("B", False),
        ("A or B?", False),
    ],
)
def test_a_label_of_one_letter_is_no_article(answer, is_right):
    assert label(expected="A", answer=answer, labels=["A", "B", "C"]).is_right is is_right


def test_a_word_of_one_letter_is_no_label_beside_the_one_that_is_named():
    assert label(expected="B", answer="B) It is a good one.", labels=["A", "B"]).is_right
    assert label(expected="I", answer="I", labels=["I", "II"]).is_right
