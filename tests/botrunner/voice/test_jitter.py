"""Frames in order, without waiting where nothing is missing."""

from botrunner.voice.jitter import Jitter, Lost


def put(jitter, *sequences, now=0.0):
    return [each for sequence in sequences for each in jitter.put(sequence, sequence, now)]


def test_frames_in_order_wait_for_nobody():
    assert put(Jitter(), 7, 8, 9) == [7, 8, 9]


def test_two_that_overtook_each_other_are_put_in_order():
    assert put(Jitter(), 1, 3, 4, 2, 5) == [1, 2, 3, 4, 5]


def test_numbers_begin_anew_after_the_last_one():
    assert put(Jitter(), 65_534, 0, 65_535, 1) == [65_534, 65_535, 0, 1]


def test_what_is_missing_is_given_up_after_a_moment():
    jitter = Jitter()
    assert put(jitter, 1, 4, now=0.0) == [1]

    assert jitter.due(0.05) == []
    assert jitter.due(0.06) == [Lost(2), 4]
    assert put(jitter, 2, now=0.07) == []
    assert (jitter.n_lost, jitter.n_late) == (2, 1)


def test_several_holes_are_each_told():
    jitter = Jitter()
    put(jitter, 1, 3, 6, now=0.0)

    assert jitter.due(0.1) == [Lost(1), 3, Lost(2), 6]


def test_the_same_frame_twice_counts_once():
    assert put(Jitter(), 1, 3, 3, 2, 2) == [1, 2, 3]


def test_a_client_that_counts_anew_is_followed():
    assert put(Jitter(), 100, 102, 30_000, 30_001) == [100, Lost(1), 102, 30_000, 30_001]
