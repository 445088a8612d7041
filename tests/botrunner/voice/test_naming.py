# ruff: noqa: RUF001 (words of two scripts)
"""Called by name, whatever the recogniser makes of it."""

import pytest

from botrunner.voice.naming import called


@pytest.mark.parametrize(
    ("said", "name", "left"),
    [
        ("Trainer, when do you open?", "Trainer", "when do you open?"),
        ("hey trainer when do you open", "Trainer", "when do you open"),
        ("When do you open, Trainer?", "Trainer", "When do you open?"),
        ("trainer bot what is this", "TrainerBot", "what is this"),
        ("Trainer-Bot, what is this?", "TrainerBot", "what is this?"),
        ("Trainee bot, what is this?", "TrainerBot", "what is this?"),
        ("Тренер бот, когда вы открываетесь?", "ТренерБот", "когда вы открываетесь?"),
        ("Бот, сколько времени?", "Bot", "сколько времени?"),
        ("Эй, Марина, который час?", "Марина", "который час?"),
        ("Спросим у Марины", "Марина", "Спросим у"),
        ("скажи Марине чтобы она ответила", "Марина", "чтобы она ответила"),
        ("а ну-ка Алису спроси", "Алиса", "а ну-ка Алису спроси"),
        ("Маринa, привет", "Марина", "привет"),
        ("Jarvis", "Jarvis", ""),
        ("ok jarvis!", "Jarvis", ""),
        ("Джарвис, привет", "Джарвис", "привет"),
        ("Алекса, привет", "Alexa", "привет"),
    ],
)
def test_it_hears_its_name(said, name, left):
    found = called(said, [name])

    assert found is not None
    assert found.text == left


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("when do you open", "Trainer"),
        ("this is a training", "Trainer"),
        ("но это не так", "Bot"),
        ("it was but a boat", "Bot"),
        ("машина едет", "Марина"),
        ("marine biology is fun and so is the whole of what we once called", "Martin"),
        ("", "Bot"),
        ("anything", ""),
    ],
)
def test_it_does_not_hear_its_name_in_other_words(said, name):
    assert called(said, [name]) is None


def test_a_name_that_is_slurred_in_the_middle_is_another_word():
    said = "we went to see the containers before we came home again to eat"

    assert called(said, ["container ship"]) is None
    assert called("Containerchip, go on", ["container ship"]) is not None


def test_any_of_its_names_counts():
    assert called("Bib, where are you?", ["TrainerBot", "Bib"]) is not None
