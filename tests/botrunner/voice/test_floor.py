"""Who has the word: the bot yields to words, and not to a murmur."""

import pytest

from botrunner.voice.floor import ASIDE_S, PATIENCE_S, UNDECIDED_S, Floor

ADA, BOB = 1, 2


class Mouth:
    """Notes what it is told; `is_speaking` until it is interrupted."""

    def __init__(self) -> None:
        self.is_speaking = True
        self.is_held = False
        self.told: list[str] = []

    def hold(self) -> None:
        self.is_held = True
        self.told.append("hold")

    def release(self) -> None:
        self.is_held = False
        self.told.append("release")

    def interrupt(self) -> None:
        self.is_speaking = False
        self.told.append("interrupt")


@pytest.fixture
def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
def floor(mouth) -> Floor:
    return Floor(mouth)


def test_speech_over_the_bot_silences_it_at_once(floor, mouth):
    floor.began(ADA, 0.0)

    assert mouth.told == ["hold"]


def test_who_goes_on_speaking_has_the_word(floor, mouth):
    floor.began(ADA, 0.0)
    floor.went(ADA, 0.3)

    assert mouth.told == ["hold", "interrupt"]
    assert mouth.is_held  # until they are silent
    floor.ended(ADA, 2.0)
    assert mouth.told == ["hold", "interrupt", "release"]


def test_after_mm_hm_it_goes_on(floor, mouth):
    floor.began(ADA, 0.0)
    floor.ended(ADA, 0.5)
    assert mouth.told == ["hold"]

    floor.judged(ADA, 0.6, has_words=False)

    assert mouth.told == ["hold", "release"]
    assert mouth.is_speaking


def test_after_mm_hm_and_a_pause_it_goes_on_until_they_do(floor, mouth):
    floor.began(ADA, 0.0)
    floor.judged(ADA, 0.5, has_words=False)
    assert mouth.told == ["hold", "release"]

    floor.went(ADA, 0.9)

    assert mouth.told == ["hold", "release", "interrupt", "hold"]


def test_after_mm_hm_who_speaks_on_silences_it_anew(floor, mouth):
    floor.began(ADA, 0.0)
    floor.judged(ADA, 0.5, has_words=False)
    assert mouth.told == ["hold", "release"]

    floor.began(ADA, 0.9)

    assert mouth.told == ["hold", "release", "hold"]


def test_a_short_word_has_the_word(floor, mouth):
    floor.began(ADA, 0.0)
    floor.ended(ADA, 0.5)

    floor.judged(ADA, 0.6, has_words=True)

    assert mouth.told == ["hold", "interrupt", "release"]


def test_when_nobody_can_tell_in_time_what_was_said_it_goes_on(floor, mouth):
    floor.began(ADA, 0.0)
    floor.ended(ADA, 0.5)
    due_at = floor.look(0.6)

    floor.look(due_at)

    assert due_at == pytest.approx(0.5 + UNDECIDED_S)
    assert mouth.told == ["hold", "release"]


def test_words_that_are_known_late_still_have_the_word(floor, mouth):
    floor.began(ADA, 0.0)
    floor.ended(ADA, 0.5)
    floor.look(0.5 + UNDECIDED_S)

    floor.judged(ADA, 3.0, has_words=True)

    assert mouth.told == ["hold", "release", "interrupt"]


def test_it_begins_nothing_while_somebody_speaks(floor, mouth):
    mouth.is_speaking = False
    floor.began(BOB, 0.0)
    assert mouth.told == ["hold"]

    floor.ended(BOB, 1.0)

    assert mouth.told == ["hold", "release"]


def test_its_patience_ends(floor, mouth):
    mouth.is_speaking = False
    floor.began(BOB, 0.1)
    due_at = floor.look(0.2)

    floor.look(due_at)

    assert due_at == pytest.approx(0.1 + PATIENCE_S)
    assert mouth.told == ["hold", "release"]


def test_who_spoke_before_it_began_does_not_interrupt(floor, mouth):
    mouth.is_speaking = False
    floor.began(BOB, 0.0)
    floor.look(PATIENCE_S)
    mouth.is_speaking = True

    floor.went(BOB, 10.0)
    floor.ended(BOB, 11.0)
    floor.judged(BOB, 11.1, has_words=True)

    assert mouth.told == ["hold", "release"]


def test_the_doubt_about_one_does_not_end_with_the_murmur_of_another(floor, mouth):
    floor.began(ADA, 0.0)
    floor.began(BOB, 0.3)
    floor.ended(ADA, 0.5)
    floor.judged(ADA, 0.55, has_words=False)
    assert mouth.told == ["hold"]

    floor.went(BOB, 0.7)

    assert mouth.told == ["hold", "interrupt"]


def test_where_it_may_not_be_interrupted_it_goes_on(mouth):
    floor = Floor(mouth, can_be_interrupted=False)
    floor.began(ADA, 0.0)
    floor.went(ADA, 0.4)
    floor.ended(ADA, 3.0)
    floor.judged(ADA, 3.1, has_words=True)

    assert mouth.told == []


def test_once_it_is_known_that_it_may_not_be_interrupted_it_goes_on(floor, mouth):
    floor.began(ADA, 0.0)
    floor.can_be_interrupted = False
    floor.look(0.1)
    floor.judged(ADA, 0.5, has_words=True)

    assert mouth.told == ["hold", "release"]


def test_after_its_call_it_leaves_the_mouth_to_the_next_one(floor, mouth):
    floor.began(ADA, 0.0)
    floor.began(BOB, 0.1)
    floor.close()
    mouth.told.clear()

    floor.judged(ADA, 0.5, has_words=True)
    floor.ended(ADA, 0.6)
    mouth.is_speaking = False
    floor.began(ADA, 0.7)

    assert mouth.told == []


def test_who_leaves_the_call_has_no_word_any_more(floor, mouth):
    floor.began(ADA, 0.0)

    floor.left(ADA, 0.3)

    assert mouth.told == ["hold", "release"]
    assert floor.speaking == frozenset()


# --- words between others ------------------------------------------------------------------
def test_while_others_speak_to_each_other_it_waits(floor, mouth):
    floor.began(BOB, 0.0)
    floor.spoke_aside(BOB, 1.0)
    assert mouth.told == ["hold"]

    floor.ended(BOB, 5.0)

    assert mouth.told == ["hold", "release"]
    assert mouth.is_speaking


def test_words_to_others_that_are_known_after_their_end_let_it_go_on(floor, mouth):
    floor.began(BOB, 0.0)
    floor.ended(BOB, 0.5)

    floor.spoke_aside(BOB, 0.6)

    assert mouth.told == ["hold", "release"]


def test_it_waits_through_their_pauses(floor, mouth):
    floor.began(BOB, 0.0)
    floor.spoke_aside(BOB, 1.0)
    floor.began(BOB, 2.0)
    floor.look(4.0)

    assert mouth.told == ["hold"]


def test_it_waits_for_others_only_for_so_long(floor, mouth):
    floor.began(BOB, 0.0)
    floor.spoke_aside(BOB, 1.0)
    due_at = floor.look(2.0)
    floor.began(BOB, 9.0)  # after a pause

    floor.look(due_at)

    assert due_at == ASIDE_S
    assert mouth.told == ["hold", "release"]
    floor.began(BOB, ASIDE_S + 1.0)
    assert mouth.told == ["hold", "release"]


def test_who_spoke_to_others_and_then_calls_it_has_the_word(floor, mouth):
    floor.began(BOB, 0.0)
    floor.spoke_aside(BOB, 1.0)

    floor.judged(BOB, 3.0, has_words=True)

    assert mouth.told == ["hold", "interrupt"]
