"""Processes that work for the server: few, replaced when they die, ended when idle."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from trainerbot.errors import ProviderUnavailable
from trainerbot.modelserver.runtimes.base import Overloaded
from trainerbot.modelserver.speech.pool import Pool
from trainerbot.modelserver.speech.work import Heard, Say
from trainerbot.speech import NothingHeard

# A process that does as the text says, and tells its own number.
_OBEDIENT = """
import json, os, sys, time
for line in sys.stdin.buffer:
    text = json.loads(line)["text"]
    if text == "die":
        os._exit(1)
    if text == "last":
        print(json.dumps({"type": "heard", "text": "bye", "language": "en",
                          "provider": "obedient", "segments": [], "duration_s": 1.0}), flush=True)
        os._exit(1)
    if text == "hang":
        time.sleep(600)
    if text == "talk":
        sys.stdout.write(json.dumps({"type": "sound", "n_bytes": 3, "is_last": False}) + "\\nabc")
        sys.stdout.flush()
        os._exit(1)
    if text == "lecture":
        print(json.dumps({"type": "heard", "text": "слово " * 40_000, "language": "ru",
                          "provider": "obedient", "segments": [], "duration_s": 600.0}), flush=True)
        continue
    if text == "rubbish":
        print("Segmentation fault", flush=True)
        continue
    if text == "nothing":
        print(json.dumps({"type": "fault", "kind": "NothingHeard", "message": "x"}), flush=True)
        continue
    print(json.dumps({"type": "heard", "text": str(os.getpid()), "language": "en",
                      "provider": "obedient", "segments": [], "duration_s": 1.0}), flush=True)
"""


@pytest.fixture
async def make():
    """Pools of obedient processes, closed after the test."""
    pools = []

    def made(**given: Any) -> Pool:
        usual = {"size": 1, "timeout_s": 60.0, "idle_s": 60.0}
        command = (sys.executable, "-I", "-S", "-c", _OBEDIENT)
        pools.append(Pool("obedient", command, environ={}, **{**usual, **given}))
        return pools[-1]

    yield made
    for pool in pools:
        await pool.close()


def to_do(text: str) -> Say:
    return Say(text, "en", "", 1.0, "wav")


async def done(pool: Pool, text: str = "work") -> str:
    """Ask the pool, and return the number of the process that answered."""
    async with aclosing(pool.ask(to_do(text))) as replies:
        async for reply in replies:
            assert isinstance(reply, Heard)
            return reply.text
    raise AssertionError("no reply")


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what processes do, of which no event tells."""
    while not is_so():  # noqa: ASYNC110 (a process that ends sets no event)
        await asyncio.sleep(0.001)


async def test_one_process_serves_one_after_the_other(make):
    pool = make()

    assert await done(pool) == await done(pool)
    assert len(pool.pids) == 1


async def test_no_more_processes_than_allowed_serve_many_at_once(make):
    pool = make(size=2)

    served = await asyncio.gather(*(done(pool) for _ in range(12)))

    assert len(served) == 12
    assert len(set(served)) <= 2


@pytest.mark.parametrize("deed", ["die", "talk", "rubbish"])
async def test_a_process_that_dies_is_a_failure_in_words_and_the_next_one_serves(make, deed):
    pool = make()
    first = await done(pool)

    with pytest.raises(ProviderUnavailable, match="stopped in the middle"):
        async for _ in pool.ask(to_do(deed)):
            pass

    assert await done(pool) != first


async def test_a_process_that_was_killed_while_idle_is_replaced_unseen(make):
    pool = make()
    first = await done(pool)
    os.kill(int(first), signal.SIGKILL)
    await until(lambda: not pool.pids)

    assert await done(pool) != first


async def test_a_process_that_dies_after_its_last_word_is_not_kept(make):
    pool = make()

    async with aclosing(pool.ask(to_do("last"))) as replies:
        await anext(replies)
        await until(lambda: not pool.pids)

    async with asyncio.timeout(60):
        await until(lambda: not pool._all)


async def test_a_process_that_takes_too_long_is_killed(make):
    pool = make(timeout_s=0.05)

    with pytest.raises(ProviderUnavailable, match=r"longer than 0\.05 s"):
        await done(pool, "hang")
    await until(lambda: not pool.pids)


async def test_a_fault_keeps_its_kind_and_the_process(make):
    pool = make()
    first = await done(pool)

    with pytest.raises(NothingHeard):
        await done(pool, "nothing")

    assert await done(pool) == first


async def test_an_idle_process_is_ended(make):
    pool = make(idle_s=0.0)

    await done(pool)

    await until(lambda: not pool.pids)


async def test_too_many_who_wait_are_refused_at_once(make):
    pool = make(n_waiting=1)
    waiting = [asyncio.create_task(done(pool, "hang")) for _ in range(2)]
    await until(lambda: bool(pool.pids))

    third = asyncio.create_task(done(pool))
    fourth = asyncio.create_task(done(pool))

    with pytest.raises(Overloaded):
        await fourth
    for task in (*waiting, third):
        task.cancel()
    await asyncio.wait([*waiting, third])


async def test_who_goes_away_leaves_a_process_that_is_done_soon_to_the_next(make):
    pool = make()
    first = await done(pool)
    leaving = asyncio.create_task(done(pool))
    await asyncio.sleep(0)  # it has asked, and not been answered

    leaving.cancel()

    assert await done(pool) == first


async def test_a_reply_of_any_length_is_taken_whole(make):
    pool = make()

    assert len(await done(pool, "lecture")) == 240_000
    assert len(pool.pids) == 1
