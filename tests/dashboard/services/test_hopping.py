"""Units of work with rows that go to their thread together, and stay whole each by itself."""

import asyncio
import contextvars
import sqlite3
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async
from django.db import IntegrityError, connection, transaction

from dashboard.models import Conversation, DiscordUser, Message, Source
from dashboard.services import chat
from dashboard.services.chat import hopping
from dashboard.services.storage import DatabaseUnavailable
from tests.botrunner.talking import rows

pytestmark = pytest.mark.django_db(transaction=True)


@asynccontextmanager
async def waiting_together() -> AsyncIterator[None]:
    """Keep the rows' thread busy for as long as the block hands work to it."""
    go = threading.Event()
    SyncToAsync.single_thread_executor.submit(go.wait)
    try:
        yield
    finally:
        go.set()


def meet(name: str, fails: Callable[[], None] = lambda: None) -> int:
    """Write down a person, then fail if it must."""
    with transaction.atomic():
        person = DiscordUser.objects.create(discord_user_id=zlib.crc32(name.encode()), name=name)
        fails()
    return person.pk


def refuse() -> None:
    raise ValueError("Not this one.")


async def names() -> set[str]:
    return {person.name for person in await rows(DiscordUser.objects.all())}


meeting = chat.hop(meet)


async def test_all_that_waits_is_done_and_each_hears_of_its_own():
    async with waiting_together():
        met = [meeting(f"person {n}") for n in range(40)]
    ids = await asyncio.gather(*met)
    assert len(set(ids)) == 40
    assert await names() == {f"person {n}" for n in range(40)}


@pytest.mark.parametrize(("gives_way_s", "order"), [(0.5, ["eve", "ada"]), (0.0, ["ada", "eve"])])
async def test_what_gives_way_does_so_for_a_moment(monkeypatch, gives_way_s, order):
    monkeypatch.setattr(hopping, "GIVES_WAY_S", gives_way_s)
    done: list[str] = []
    async with waiting_together():
        units = [chat.hop(done.append, gives_way=True)("ada"), chat.hop(done.append)("eve")]
    await asyncio.gather(*units)
    if connection.vendor != "sqlite":  # there nobody waits for one thread
        order = done
    assert done == order
    assert sorted(done) == ["ada", "eve"]


async def test_a_question_wakes_the_thread_that_waits_for_one(monkeypatch):
    monkeypatch.setattr(hopping, "GIVES_WAY_S", 0.5)
    ada: Any = asyncio.ensure_future(chat.hop(meet, gives_way=True)("ada"))
    eve: Any = asyncio.ensure_future(meeting("eve"))
    await asyncio.wait([ada, eve], return_when=asyncio.FIRST_COMPLETED)
    assert ada.done() + eve.done() == 1
    assert eve.done() or connection.vendor != "sqlite"  # there nobody waits for one thread
    await eve
    await ada
    assert await names() == {"ada", "eve"}


async def test_what_fails_is_undone_alone():
    async with waiting_together():
        met = [meeting("ada"), meeting("bob", refuse), meeting("eve")]
    ada, bob, eve = await asyncio.gather(*met, return_exceptions=True)
    assert isinstance(bob, ValueError)
    assert {type(ada), type(eve)} == {int}
    assert await names() == {"ada", "eve"}


async def test_what_undoes_all_that_went_with_it_lets_the_others_go_again_alone():
    @transaction.atomic(savepoint=False)
    def meet_without_a_savepoint() -> None:
        DiscordUser.objects.create(discord_user_id=1, name="bob")
        refuse()

    async with waiting_together():
        met: list[Any] = [meeting("ada"), chat.hop(meet_without_a_savepoint)(), meeting("eve")]
    ada, bob, eve = await asyncio.gather(*met, return_exceptions=True)
    assert isinstance(bob, ValueError)
    assert {type(ada), type(eve)} == {int}
    assert await names() == {"ada", "eve"}


async def test_a_lock_that_keeps_all_out_is_waited_for_once():
    """Three that go together are told at once, not each after a wait of its own."""
    tried: list[str] = []

    def watch(busy_ms: int, follow: Callable[[str], None] | None) -> None:
        connection.ensure_connection()
        connection.connection.execute(f"PRAGMA busy_timeout={busy_ms}")
        connection.connection.set_trace_callback(follow)

    if connection.vendor != "sqlite":
        return  # elsewhere nobody waits for one writer, and each goes alone
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await sync_to_async(watch)(10, tried.append)
    try:
        async with waiting_together():
            met = [meeting("ada"), meeting("bob"), meeting("eve")]
        told = await asyncio.gather(*met, return_exceptions=True)
    finally:
        other.close()
        await sync_to_async(watch)(20_000, None)
    assert {type(each) for each in told} == {DatabaseUnavailable}
    assert len([statement for statement in tried if statement.startswith("BEGIN")]) == 1
    assert await meeting("zoe")


async def test_what_only_the_commit_finds_out_hits_none_but_its_own():
    def of_a_talk_that_is_gone() -> None:
        Message.objects.create(
            conversation=Conversation(pk=987_654), role=Message.Role.USER, source=Source.API
        )

    async with waiting_together():
        met = [meeting("ada"), meeting("bob", of_a_talk_that_is_gone), meeting("eve")]
    ada, bob, eve = await asyncio.gather(*met, return_exceptions=True)
    assert isinstance(bob, IntegrityError)
    assert {type(ada), type(eve)} == {int}
    assert await names() == {"ada", "eve"}


async def test_what_follows_comes_after_the_commit_and_its_failure_undoes_nothing():
    seen: list[bool] = []

    def greeted(pk: int) -> str:
        seen.append(connection.in_atomic_block)
        if len(seen) == 1:
            raise ValueError("No greeting.")
        return f"hello {pk}"

    greeting = chat.hop(meet, greeted)
    async with waiting_together():
        met = [greeting("ada"), greeting("bob")]
    ada, bob = await asyncio.gather(*met, return_exceptions=True)
    assert isinstance(ada, ValueError)
    assert str(bob).startswith("hello")
    assert seen == [False, False]
    assert await names() == {"ada", "bob"}


@pytest.mark.parametrize("odd", [StopIteration, GeneratorExit, asyncio.CancelledError])
async def test_what_no_future_or_thread_bears_keeps_nobody_else_waiting(odd):
    def end() -> None:
        raise odd

    async with waiting_together():
        met = [meeting("bob", end), meeting("ada"), meeting("eve")]
    async with asyncio.timeout(10):
        bob, ada, eve = await asyncio.gather(*met, return_exceptions=True)
        alone = await asyncio.gather(meeting("bob", end), return_exceptions=True)
    told_as = RuntimeError if odd is StopIteration else odd
    assert [type(bob), type(alone[0])] == [told_as, told_as]
    assert {type(ada), type(eve)} == {int}
    assert await names() == {"ada", "eve"}


@pytest.mark.parametrize("failure", [ValueError, IntegrityError])
async def test_what_fails_once_all_is_committed_lets_nothing_be_done_twice(failure):
    n_done = 0

    def fail() -> None:
        raise failure

    def meet_and_tell() -> None:
        nonlocal n_done
        n_done += 1
        meet("bob", lambda: transaction.on_commit(fail))

    async with waiting_together():
        met = [meeting("ada"), chat.hop(meet_and_tell)(), meeting("eve")]
    async with asyncio.timeout(10):
        ada, _, eve = await asyncio.gather(*met, return_exceptions=True)
        assert await meeting("zoe")
    assert (type(ada), type(eve), n_done) == (int, int, 1)
    assert await names() == {"ada", "bob", "eve", "zoe"}


async def test_what_comes_after_a_lost_transaction_is_done_once():
    n_lost = 0

    def lose() -> None:
        nonlocal n_lost
        n_lost += 1
        if n_lost == 1:
            # As SQLite does itself where the disk is full.
            connection.connection.execute("ROLLBACK")

    def is_new() -> bool:
        with transaction.atomic():
            _, made = DiscordUser.objects.get_or_create(discord_user_id=1, defaults={"name": "bob"})
        return made

    async with waiting_together():
        met: list[Any] = [meeting("ada"), chat.hop(lose)(), chat.hop(is_new)(), meeting("eve")]
    ada, _, made, eve = await asyncio.gather(*met, return_exceptions=True)
    assert (type(ada), made, type(eve)) == (int, True, int)
    assert await names() == {"ada", "bob", "eve"}


async def test_a_unit_may_itself_wait_for_another():
    async def meet_one_more() -> int:
        return await meeting("eve")

    def meet_two() -> int:
        return meet("bob") and async_to_sync(meet_one_more)()

    async with waiting_together():
        met = [meeting("ada"), chat.hop(meet_two)()]
    async with asyncio.timeout(10):
        await asyncio.gather(*met)
    assert await names() == {"ada", "bob", "eve"}


async def test_a_unit_sees_what_surrounds_whoever_waits_for_it():
    surroundings = contextvars.ContextVar("surroundings", default="none")
    see = chat.hop(surroundings.get)

    async def look_from(where: str) -> str:
        surroundings.set(where)
        return await see()

    async with waiting_together():
        looks = [asyncio.create_task(look_from(where)) for where in ("here", "there")]
        await asyncio.sleep(0)
    assert await asyncio.gather(*looks, see()) == ["here", "there", "none"]


async def test_what_nobody_waits_for_any_more_is_not_begun():
    async with waiting_together():
        met: list[Any] = [asyncio.ensure_future(meeting(name)) for name in ("ada", "bob")]
        await asyncio.sleep(0)
        met[0].cancel()
        await asyncio.wait(met[:1])
    await met[1]
    assert await names() == {"bob"}


def test_a_loop_that_ended_in_the_middle_leaves_the_next_one_its_thread():
    begun = []

    async def begin_only() -> None:
        begun.append(asyncio.ensure_future(meeting("ada")))

    async def meet_one() -> int:
        return await meeting("bob")

    asyncio.run(begin_only())
    assert asyncio.run(meet_one())
