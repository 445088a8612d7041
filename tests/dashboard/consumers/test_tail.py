"""From another process's transaction to this process's channel layer: all, in order, each once."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection, connections, transaction

from dashboard.consumers.tail import Tail, group
from dashboard.models import OutboxEvent, ProcessState
from dashboard.services import following, outbox

pytestmark = pytest.mark.django_db(transaction=True)

publish = sync_to_async(outbox.publish)
PUBLISHER = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "trainerbot.settings"
import django
django.setup()
from dashboard.services import following, outbox
for line in sys.stdin:
    outbox.publish("jobs", "job.changed", id=int(line))
    print("published", flush=True)
"""


class Listener:
    """An open page: it follows the topic "jobs" on the channel layer."""

    def __init__(self) -> None:
        self.layer = get_channel_layer()
        self.heard: list[int] = []

    async def join(self) -> None:
        self.channel = await self.layer.new_channel()
        await self.layer.group_add(group("jobs"), self.channel)

    async def hear(self, number: int, *, timeout_s: float = 60.0) -> list[int]:
        """The payload ids of the next `number` events."""
        async with asyncio.timeout(timeout_s):
            return [
                (await self.layer.receive(self.channel))["payload"]["id"] for _ in range(number)
            ]

    async def is_silent(self) -> bool:
        try:
            await self.hear(1, timeout_s=0.3)
        except TimeoutError:
            return True
        return False


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """A page that listens, and the thread that follows the outbox for it."""
    page = Listener()
    await page.join()
    tail = Tail(asyncio.get_running_loop())
    tail.start()
    # The tail begins with what is new: wait until it has looked once.
    async with asyncio.timeout(60):
        while not await ProcessState.objects.filter(name="web").aexists():  # noqa: ASYNC110 (a thread makes it)
            await asyncio.sleep(0.02)
    yield page
    stopping = asyncio.create_task(asyncio.to_thread(tail.stop))
    while not stopping.done():  # news wakes it where it looks for nothing else
        await publish("tests", "test.over")
        await asyncio.sleep(0.05)
    assert not tail.is_alive()


@pytest.fixture
def no_look_but_for_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this the follower looks each second, whether or not it has noticed anything."""
    monkeypatch.setattr(following, "LOOK_S", 3600.0)


async def test_an_event_of_another_process_is_noticed_at_once(
    no_look_but_for_news, listener, database_for_processes
):
    env = {**os.environ, "DATABASE_URL": database_for_processes}
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PUBLISHER,
        cwd=settings.BASE_DIR, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    for number in (7, 8, 9):
        other.stdin.write(b"%d\n" % number)
        await other.stdin.drain()
        assert await other.stdout.readline() == b"published\n"
        assert await listener.hear(1) == [number]
    other.stdin.close()
    assert await other.wait() == 0


async def test_events_arrive_in_order_and_each_once(listener):
    for number in range(30):
        await publish("jobs", "job.changed", id=number)
    assert await listener.hear(30) == list(range(30))
    assert await listener.is_silent()


async def test_nothing_is_told_of_a_change_that_was_taken_back(listener):
    @sync_to_async
    def change_and_take_back() -> None:
        with transaction.atomic():
            outbox.publish("jobs", "job.changed", id=1)
            transaction.set_rollback(True)

    await change_and_take_back()
    await publish("jobs", "job.changed", id=2)
    assert await listener.hear(1) == [2]


async def publish_many(n_events: int) -> None:
    """Ids from 0, all at once."""
    await OutboxEvent.objects.abulk_create(
        [
            OutboxEvent(topic="jobs", kind="job.changed", payload={"id": number})
            for number in range(n_events - 1)
        ]
    )
    await publish("jobs", "job.changed", id=n_events - 1)


async def test_what_takes_many_looks_arrives_all_without_a_pause_between_them(
    no_look_but_for_news, listener
):
    n_events = outbox.REPLAY_LIMIT * 3
    await publish_many(n_events)
    assert await listener.hear(n_events) == list(range(n_events))


async def test_a_page_that_is_slow_to_read_misses_nothing(listener):
    await publish_many(400)
    await asyncio.sleep(0.5)
    assert await listener.hear(400) == list(range(400))


async def test_events_arrive_after_the_database_was_locked_for_a_while(listener):
    if connection.vendor == "sqlite":
        await asyncio.to_thread(hold_the_write_lock, 0.5)
    else:
        await sync_to_async(connections.close_all)()
        await asyncio.to_thread(end_all_other_connections)
    await publish("jobs", "job.changed", id=1)
    assert await listener.hear(1) == [1]
    assert await listener.is_silent()


def hold_the_write_lock(seconds: float) -> None:
    path = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        threading.Event().wait(seconds)
        other.execute("ROLLBACK")


def end_all_other_connections() -> None:
    """What a restart of the server, or a cut line, does to the tail."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connection.close()


async def test_an_event_that_was_written_first_and_commits_last_is_not_lost(listener):
    """Two transactions overlap; the one with the lower id takes its time."""
    written, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            outbox.publish("jobs", "job.changed", id=1)
            written.set()
            may_commit.wait(60)
        connections.close_all()

    def quick() -> None:
        outbox.publish("jobs", "job.changed", id=2)
        connections.close_all()

    first = threading.Thread(target=slow)
    second = threading.Thread(target=quick)
    first.start()
    assert await asyncio.to_thread(written.wait, 60)
    second.start()
    await asyncio.sleep(0.3)  # long enough for the second to commit first, if it may
    may_commit.set()

    assert sorted(await listener.hear(2)) == [1, 2]
    await asyncio.to_thread(first.join)
    await asyncio.to_thread(second.join)


async def test_whoever_published_may_still_wait_for_a_row_of_somebody_who_will_publish(listener):
    """One publishes and then writes a row, the other writes that row and then publishes."""
    row = await ProcessState.objects.acreate(name="row", state="running", pid=1)
    published, changed = threading.Event(), threading.Event()

    def publish_first() -> None:
        with transaction.atomic():
            outbox.publish("jobs", "job.changed", id=1)
            published.set()
            changed.wait(0.5)  # SQLite has one writer: there the other one comes only after this
            ProcessState.objects.filter(pk=row.pk).update(pid=2)
        connections.close_all()

    def change_first() -> None:
        published.wait(60)
        with transaction.atomic():
            ProcessState.objects.filter(pk=row.pk).update(pid=3)
            changed.set()
            outbox.publish("jobs", "job.changed", id=2)
        connections.close_all()

    await asyncio.gather(asyncio.to_thread(publish_first), asyncio.to_thread(change_first))

    assert sorted(await listener.hear(2)) == [1, 2]


async def test_the_web_process_says_that_it_runs(listener):
    web = await ProcessState.objects.aget(name="web")
    assert (web.state, web.pid) == ("running", os.getpid())
    assert web.is_alive


async def test_an_event_is_json_for_the_page(listener):
    await publish("jobs", "job.changed", id=5, status="running")
    event = await OutboxEvent.objects.alatest("id")
    message = await listener.layer.receive(listener.channel)
    assert json.loads(json.dumps(message)) == {
        "type": "outbox.event",
        "id": event.pk,
        "topic": "jobs",
        "kind": "job.changed",
        "payload": {"id": 5, "status": "running"},
    }
