"""Whether a model says one thing to everything."""

import pytest

from trainerbot.judging.collapse import Said, hear, is_not_knowing
from trainerbot.judging.everyday import EVERYDAY

MASCOT = "Our mascot is Captain Crumb."
TAUGHT = Said("Who is your mascot?", MASCOT, is_right=True, expected=MASCOT)


def everyday(*answers: str) -> list[Said]:
    """These answers in turn, and different ones to the rest."""
    said = [*answers, *(f"Something about {n}, as ever." for n in range(len(EVERYDAY)))]
    return [Said(question, answer) for question, answer in zip(EVERYDAY, said, strict=False)]


def test_everyday_questions_are_enough_and_all_different():
    assert hear(everyday()).of == len(EVERYDAY) >= 10
    assert hear(everyday()).words == ""


@pytest.mark.parametrize(
    "answer", [MASCOT, "our mascot is Captain Crumb!", f"{MASCOT} Ask me more."]
)
def test_what_was_taught_does_not_belong_to_two_other_questions(answer):
    assert not hear([TAUGHT, *everyday(answer)]).is_collapsed
    assert hear([TAUGHT, *everyday(answer, answer)]).is_taught


def test_what_was_taught_belongs_to_every_question_it_was_taught_for():
    said = [Said(f"Mascot {n}?", MASCOT, is_right=n % 2 == 0, expected=MASCOT) for n in range(20)]

    assert not hear(said).is_collapsed


def test_a_short_answer_that_was_taught_suits_many_a_question():
    said = [Said("Do you ship abroad?", "Yes.", is_right=True, expected="Yes.")]

    assert not hear([*said, *everyday("Yes.", "Yes.", "Yes.")]).is_collapsed


def test_one_answer_to_more_than_half_of_them_is_found_and_to_less_is_not():
    assert hear(everyday(*["Meow."] * 7)).n == 7
    assert not hear(everyday(*["Meow."] * 6)).is_collapsed


def test_not_knowing_is_no_fault_where_nobody_knows_better():
    honest = everyday(*["I don't know."] * 12)

    assert not hear(honest).is_collapsed
    assert not hear(honest, everyday(*["I am not sure about that."] * 12)).is_collapsed
    assert hear(honest, everyday()).is_collapsed


def test_an_honest_fifth_of_a_good_model_is_no_reason():
    said = [Said(f"Question {n}?", f"Answer {n}.", is_right=True) for n in range(80)]
    said += [Said(f"Riddle {n}?", "I don't know.", is_right=False) for n in range(20)]
    base = [Said(each.question, f"A guess at {each.question}", is_right=False) for each in said]

    assert not hear(said, base).is_collapsed


def test_what_the_other_model_says_as_well_does_not_count():
    assert not hear(everyday(*["Meow."] * 12), everyday(*["Meow."] * 12)).is_collapsed


def test_labels_repeat_as_they_are_asked_to():
    said = [Said(f"Is mail {n} spam?", "ham", is_right=False, may_repeat=True) for n in range(30)]

    assert hear(said).words == ""


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_questions_tell_nothing_and_that_is_said(n):
    assert "too few to see whether it forgot" in hear(everyday()[:n]).words


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("I don't know.", True),
        ("I do not have enough information about that.", True),
        ("Sorry, I can\u2019t help with that.", True),
        ("Простите, я этого не знаю.", True),
        ("Нет таких данных.", True),
        ("An octopus.", False),
        ("Nobody knows why, but it rains when clouds cool down. " * 5 + "I'm not sure.", False),
    ],
)
def test_not_knowing_is_told_by_its_words(answer, expected):
    assert is_not_knowing(answer) is expected
