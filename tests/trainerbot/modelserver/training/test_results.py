"""What a job says of itself at its end."""

import pytest

from tests.trainerbot.modelserver.training.tiny import greetings
from trainerbot.modelserver.trainers.lora.results import figures, in_words
from trainerbot.modelserver.trainers.task import Done, Told

RESULT = {
    "general": {"asked": 30, "right_before": 30, "right_after": 27},
    "held_out": {"asked": 24, "right_before": 0, "right_after": 22},
}


def test_what_was_measured_is_said_in_a_sentence():
    assert in_words(RESULT) == (
        "Measured: of 30 general questions that the untouched model answers right, the tuned one "
        "answers 27; of 24 held-out examples, 22 are answered right, by the untouched model 0"
    )


def test_what_was_measured_is_plain_numbers():
    assert figures(RESULT) == {
        "general_asked": 30,
        "general_right_before": 30,
        "general_right_after": 27,
        "held_out_asked": 24,
        "held_out_right_before": 0,
        "held_out_right_after": 22,
    }


@pytest.mark.train
@pytest.mark.filterwarnings("ignore")
def test_a_job_tells_its_figures_before_its_end_and_again_when_that_was_not_heard(trainer):
    told = trainer(greetings(10), valid=greetings(2), n_epochs=1)

    retold = trainer(greetings(10), valid=greetings(2), n_epochs=1, done_steps=3)

    measured, done = told[-2:]
    assert isinstance(measured, Told)
    assert isinstance(done, Done)
    assert measured.figures == figures(done.result)
    assert measured.figures["held_out_asked"] == 2
    assert retold[-2:] == [measured, done]
