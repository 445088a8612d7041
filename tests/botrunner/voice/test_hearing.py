"""A bot that cannot hear notices, and says so within ten seconds."""

from dataclasses import replace

import pytest

from botrunner.voice.hearing import Hearing, Sight

WELL = Sight({"received": 0, "heard": 0}, n_others=1)


def faults(*sights: Sight) -> list[str]:
    """What is wrong at each second, in words."""
    hearing = Hearing("lounge")
    found = [hearing.fault(sight, float(now)) for now, sight in enumerate(sights)]
    return [fault.sentence if fault else "" for fault in found]


def heard(n: int, *, received: int, **more: int) -> Sight:
    return replace(WELL, counts={"received": received, "heard": n, **more})


def test_whoever_is_heard_makes_no_fault():
    assert faults(*(heard(50 * s, received=52 * s) for s in range(10))) == [""] * 10


def test_a_call_in_which_nobody_speaks_is_no_fault():
    assert faults(*[WELL] * 20) == [""] * 20
    assert faults(*[heard(100, received=120)] * 20) == [""] * 20


@pytest.mark.parametrize("more", [{}, {"undecryptable": 900}, {"broken": 0, "no_key": 900}])
def test_packets_of_which_none_can_be_used_are_one_within_ten_seconds(more):
    found = faults(*(heard(0, received=50 * s, **more) for s in range(10)))

    assert "cannot decode it" in found[-1]
    assert found[2] == ""


def test_frames_that_are_no_opus_are_not_heard():
    found = faults(*(heard(50 * s, received=50 * s, broken=50 * s) for s in range(10)))

    assert "cannot decode it" in found[-1]


def test_those_who_are_not_listened_to_are_no_fault():
    assert faults(*(heard(0, received=50 * s, unheard=50 * s) for s in range(10))) == [""] * 10


def test_it_hears_again_when_it_does():
    deaf = [heard(10, received=10 + 50 * s) for s in range(6)]
    found = faults(*deaf, heard(30, received=300))

    assert "cannot decode it" in found[-2]
    assert found[-1] == ""


def test_somebody_speaks_and_nothing_arrives():
    found = faults(*[replace(WELL, n_speakers=1)] * 10)

    assert "UDP" in found[-1]
    assert found[3] == ""


def test_an_encryption_that_lets_nobody_in_is_noticed_only_with_others_there():
    assert "does not let me in" in faults(*[replace(WELL, is_locked=True)] * 10)[-1]
    assert faults(*[replace(WELL, is_locked=True, n_others=0)] * 10)[-1] == ""


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"is_deafened": True}, "Undeafen me"),
        ({"is_muted": True}, "answer in writing"),
        ({"is_audience": True}, "Invite me to speak"),
        ({"may_speak": False}, "permission Speak"),
        ({"may_speak": False, "is_deafened": True}, "Undeafen me"),
    ],
)
def test_what_moderators_and_permissions_do_to_it_is_said_at_once(how, words):
    [found] = faults(replace(WELL, **how))

    assert words in found
    assert "lounge" in found


def test_the_ends_of_speech_which_are_never_encrypted_do_not_hide_that_it_hears_nothing():
    # A sentence of a second, then a pause of one: each ends with five frames in clear.
    sights = [
        heard(500 + 5 * (s // 2), received=600 + 50 * ((s + 1) // 2), silent=5 * (s // 2))
        for s in range(11)
    ]

    assert "cannot decode it" in faults(*sights)[-1]


def test_who_is_not_listened_to_does_not_hide_that_nobody_else_is_understood():
    sights = [heard(500, received=600 + 100 * s, unheard=50 * s) for s in range(10)]

    assert "cannot decode it" in faults(*sights)[-1]


def test_half_a_second_between_two_keys_is_no_fault_however_long_it_is_silent_then():
    assert faults(heard(500, received=500), *[heard(500, received=530)] * 10) == [""] * 11


def test_sound_that_dies_in_mid_call_is_noticed_when_somebody_begins_to_speak():
    alive = [replace(heard(50 * s, received=50 * s), n_speakers=1, n_begun=s) for s in range(5)]
    quiet = [replace(alive[-1], n_begun=4)] * 5
    dead = [replace(alive[-1], n_begun=5)] * 8

    found = faults(*alive, *quiet, *dead)

    assert found[:10] == [""] * 10
    assert "UDP" in found[-1]


def test_that_somebody_begins_may_be_told_after_their_voice_came():
    spoke = replace(heard(50, received=50), n_speakers=1)
    told = replace(spoke, n_begun=1)
    hearing = Hearing("lounge")

    assert hearing.fault(spoke, 0.0) is None
    assert hearing.fault(told, 0.5) is None
    assert hearing.fault(told, 20.0) is None
