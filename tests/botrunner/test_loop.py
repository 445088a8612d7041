"""The loop that a bot runs on."""

import sys

import pytest

from botrunner.process import loop


async def switch_interval() -> float:
    return sys.getswitchinterval()


async def fall() -> None:
    raise OSError("It broke.")


def test_a_thread_that_computes_lets_the_player_go_on_within_a_millisecond():
    assert loop.run(switch_interval()) == pytest.approx(0.001)


def test_after_it_threads_take_turns_as_before():
    before = sys.getswitchinterval()

    with pytest.raises(OSError, match="broke"):
        loop.run(fall())

    assert sys.getswitchinterval() == before
