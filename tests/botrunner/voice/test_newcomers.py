"""Everybody in a call is told that it listens: each once, and not all of them each time."""

import asyncio

import pytest

from botrunner.voice.newcomers import Newcomers
from botrunner.voice.written import reminder

ADA, BOB, EVE = 1, 2, 3


class Room:
    """Who is there, and what they were told."""

    def __init__(self, **waits: float) -> None:
        self.people: list[int] = []
        self.n_announced = 0
        self.reminded: list[list[int]] = []
        self.newcomers = Newcomers(
            announce=self.announce, remind=self.remind, people=lambda: self.people, **waits
        )

    async def announce(self) -> None:
        self.n_announced += 1
        self.newcomers.note_announced()

    async def remind(self, people) -> None:
        self.reminded.append(list(people))

    async def enter(self, *people: int) -> None:
        for who in people:
            self.people.append(who)
            await self.newcomers.entered(who)


async def told() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def room():
    room = Room(together_s=0.0, line_every_s=0.0)
    yield room
    room.newcomers.close()


async def test_the_first_hears_all_of_it_and_who_comes_soon_after_gets_a_line(room):
    await room.enter(ADA)
    await room.enter(BOB, EVE)
    await told()

    assert (room.n_announced, room.reminded) == (1, [[BOB, EVE]])


async def test_nobody_is_told_twice_in_a_call(room):
    await room.enter(ADA, BOB)
    await told()
    for who in (ADA, BOB):
        room.people.remove(who)
        await room.enter(who)
    await told()

    assert (room.n_announced, room.reminded) == (1, [[BOB]])


async def test_who_was_there_when_it_was_announced_is_told():
    room = Room(together_s=0.0)
    room.people = [ADA]
    room.newcomers.note_announced()
    await room.newcomers.entered(ADA)

    assert (room.n_announced, room.reminded) == (0, [])


async def test_a_crowd_gets_a_line_in_half_a_minute():
    room = Room(together_s=0.0, line_every_s=30.0)
    room.people = [ADA]
    room.newcomers.note_announced()
    await room.enter(BOB)
    await told()
    await room.enter(EVE)
    await told()

    assert room.reminded == [[BOB]]
    room.newcomers.close()
    await told()


async def test_who_has_gone_again_is_not_told(room):
    room.newcomers.note_announced()
    await room.enter(BOB)
    room.people.clear()
    await told()

    assert room.reminded == []


def test_the_line_says_what_is_kept_where_it_goes_and_how_to_object():
    line = reminder(["Ada", "Bob"], keeps_audio_days=3, heard_by=["Google"])

    assert line.startswith("-# Ada, Bob: I listen here.")
    for words in ("as a recording", "Google", "`/listen off`"):
        assert words in line
