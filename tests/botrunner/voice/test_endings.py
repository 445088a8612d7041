# ruff: noqa: RUF001 (words of two scripts)
"""Whether a turn is over, and whether it was one."""

import pytest

from botrunner.voice.endings import is_finished, is_listening, is_stop


@pytest.mark.parametrize(
    "said", ["mm-hm", "Mm-hm.", "Угу.", "ага", "yeah, okay", "Да, да.", "hmm", ""]
)
def test_who_shows_that_they_listen_says_nothing(said):
    assert is_listening(said)


@pytest.mark.parametrize("said", ["stop", "Стоп!", "no, wait", "yes but why", "и что дальше"])
def test_who_says_something_does_not_only_listen(said):
    assert not is_listening(said)


@pytest.mark.parametrize(
    "said", ["stop", "Стоп, стоп, стоп!", "Please be quiet.", "Ну хватит уже", "shut up", "Тихо!"]
)
def test_who_wants_silence_is_understood(said):
    assert is_stop(said)


@pytest.mark.parametrize(
    "said", ["The bus stop is there.", "ok", "Хватит ли нам денег?", "", "please", "It is now."]
)
def test_who_speaks_of_stopping_does_not_stop_it(said):
    assert not is_stop(said)


@pytest.mark.parametrize(
    "said",
    [
        "When do you open?",
        "Когда вы открываетесь?",
        "Да.",
        "What is it for?",
        "Что?",
    ],
)
def test_a_finished_sentence_ends_the_turn(said):
    assert is_finished(said) is True


@pytest.mark.parametrize("said", ["when do you open", "Когда вы открываетесь", "yes"])
def test_words_without_a_mark_tell_nothing(said):
    assert is_finished(said) is None


@pytest.mark.parametrize(
    "said",
    [
        "I would like to know if",
        "the library and",
        "Скажи мне, что",
        "well,",
        "потому что",
        "I think…",
        "и",
    ],
)
def test_a_sentence_that_hangs_goes_on(said):
    assert is_finished(said) is False
