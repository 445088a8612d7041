"""How often a message is edited while there is more and more to say, on a clock of the test."""

import asyncio
import heapq
import itertools

import pytest

from botrunner.replies.along import EDIT_INTERVAL_S, Along


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time is moved on to the next timer, so that nothing waits."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            while self._scheduled and self._scheduled[0]._cancelled:
                heapq.heappop(self._scheduled)
            if self._scheduled:
                self._now_s = max(self._now_s, self._scheduled[0]._when)
        super()._run_once()


class Written:
    """What was written along, and when."""

    def __init__(self, *, takes_s: float = 0.0, fails: type[Exception] | None = None) -> None:
        self.latest = 0
        self.at: list[tuple[float, int]] = []
        self.along = Along(self._write, interval_s=EDIT_INTERVAL_S)
        self._takes_s, self._fails = takes_s, fails

    async def _write(self) -> None:
        async with self.along.writing:
            self.at.append((asyncio.get_running_loop().time(), self.latest))
            await asyncio.sleep(self._takes_s)
            if self._fails:
                raise self._fails

    def say(self, number: int) -> None:
        self.latest = number
        self.along.news()


@pytest.fixture
def run():
    with asyncio.Runner(loop_factory=Clock) as runner:
        yield runner.run


async def a_minute_of_news(written: Written) -> None:
    for number in range(600):
        written.say(number)
        await asyncio.sleep(0.1)


def test_a_minute_of_news_makes_an_edit_each_interval_and_the_latest_is_shown(run):
    async def act() -> Written:
        written = Written()
        await a_minute_of_news(written)
        await asyncio.sleep(10)
        return written

    written = run(act())

    times = [at_s for at_s, _ in written.at]
    assert times[0] == pytest.approx(0.05)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == pytest.approx([EDIT_INTERVAL_S] * len(gaps))
    assert written.at[-1][1] == 599


def test_an_edit_that_discord_takes_long_for_is_followed_by_one_edit_only(run):
    async def act() -> Written:
        written = Written(takes_s=20.0)
        await a_minute_of_news(written)
        return written

    written = run(act())

    assert [at_s for at_s, _ in written.at] == pytest.approx([0.05, 21.25, 42.45])


def test_what_discord_refuses_is_shown_with_the_next_edit(run):
    async def act() -> Written:
        written = Written(fails=OSError)
        written.say(1)
        await asyncio.sleep(5)
        written.say(2)
        await asyncio.sleep(5)
        return written

    assert [number for _, number in run(act()).at] == [1, 2]


def test_nothing_is_written_after_the_last_word(run):
    async def act() -> Written:
        written = Written()
        written.say(1)
        async with written.along.ended():
            written.say(2)
        written.say(3)
        await asyncio.sleep(10)
        return written

    assert run(act()).at == []


def test_the_last_word_waits_for_an_edit_on_its_way_and_not_for_the_interval(run):
    async def act() -> float:
        written = Written(takes_s=1.0)
        written.say(1)
        await asyncio.sleep(0.5)
        written.say(2)
        async with written.along.ended():
            return asyncio.get_running_loop().time()

    assert run(act()) == pytest.approx(1.05)
