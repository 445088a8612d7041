"""The way to the rows' thread and back, for what each message on Discord waits for.

A thread that is woken takes the interpreter away from the event loop, and to
commit takes longer than what is committed. So what came meanwhile goes there
together, is committed together and comes back together. Each unit of work
stays whole by itself: what fails is undone alone.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar, overload

from asgiref.sync import AsyncToSync, SyncToAsync, sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

from dashboard.services import storage
from dashboard.services.chat import kept

log = logging.getLogger(__name__)

Given = ParamSpec("Given")
Result = TypeVar("Result")
Ready = TypeVar("Ready")

MOST_AT_ONCE: Final = 8
"""Units of one transaction: other processes wait to write meanwhile, and the loop for what follows."""

GIVES_WAY_S: Final = 0.003
"""How long the log of an answer that its asker has already seen lets questions go before it."""

# Whoever waits would take it for the end of a loop, so a future given one is never done.
NO_FUTURE_TAKES: Final = "A unit of work with rows raised StopIteration."


@overload
def hop(work: Callable[Given, Result]) -> Callable[Given, Awaitable[Result]]: ...


@overload
def hop(
    work: Callable[Given, Result], then: Callable[[Result], Ready]
) -> Callable[Given, Awaitable[Ready]]: ...


@overload
def hop(
    work: Callable[Given, Result], *, gives_way: bool
) -> Callable[Given, Awaitable[Result]]: ...


def hop(
    work: Callable[Given, Any],
    then: Callable[[Any], Any] | None = None,
    *,
    gives_way: bool = False,
) -> Callable[Given, Awaitable[Any]]:
    """Let `work`, one unit of work with rows, be awaited.

    then: makes the result of what `work` returned, in the same thread, once
    that is committed; for what is no affair of the database and may take long.
    gives_way: what comes within GIVES_WAY_S is done before it.
    On SQLite the connection stays open afterwards, as to open it and to set it
    up takes longer than the work; and `work` may be run a second time, after
    all of its first time was undone.
    """
    if not settings.DATABASES[DEFAULT_DB_ALIAS]["ENGINE"].endswith("sqlite3"):
        return database_sync_to_async(_whole(work, then))

    def asked(*args: Given.args, **kwargs: Given.kwargs) -> Awaitable[Any]:
        loop = asyncio.get_running_loop()
        if _is_elsewhere(loop):
            return sync_to_async(_whole(work, then))(*args, **kwargs)
        unit = _Unit(partial(work, *args, **kwargs), then, loop.create_future())
        desk = _desks.get(loop)
        if desk is None:
            desk = _desks[loop] = _Desk(loop)
        desk.take(unit, gives_way=gives_way)
        return unit.future

    return asked


def _whole(work: Callable[Given, Any], then: Callable[[Any], Any] | None) -> Callable[Given, Any]:
    def both(*args: Given.args, **kwargs: Given.kwargs) -> Any:
        try:
            result = work(*args, **kwargs)
            return then(result) if then is not None else result
        except StopIteration as error:
            raise RuntimeError(NO_FUTURE_TAKES) from error

    return both


def _is_elsewhere(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the rows' thread of this loop is another one than that of whoever just runs one."""
    return bool(
        getattr(AsyncToSync.executors, "current", None)
        or SyncToAsync.thread_sensitive_context.get(None)
        or loop in AsyncToSync.loop_thread_executors
    )


class _Unit:
    """One unit of work, who waits for it, and how it ended."""

    __slots__ = ("_context", "_then", "_work", "error", "future", "result")

    def __init__(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], Any] | None,
        future: asyncio.Future[Any],
    ) -> None:
        self._work = work
        self._then = then
        self._context = contextvars.copy_context()
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        self.error = None
        self._do(self._work)

    def go_on(self) -> None:
        """Do what follows once all is committed."""
        if self.error is None and self._then is not None:
            self._do(self._then, self.result)

    def _do(self, work: Callable[..., Any], *given: Any) -> None:
        try:
            self.result = self._context.run(work, *given)
        except StopIteration as error:
            self.error = RuntimeError(NO_FUTURE_TAKES)
            self.error.__cause__ = error
        except BaseException as error:
            # Whatever it is, it is for whoever waits: here it would stop all units that follow.
            self.error = error

    def fail(self, error: BaseException) -> None:
        """Let it end with an error that is not its own."""
        self.error = error

    def tell(self) -> None:
        """On the event loop: hand over what came of it, if anybody still waits."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class _Desk:
    """Takes the units of one event loop to the rows' thread, as many at once as wait."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Not held for ever: the desk is kept for as long as its loop is.
        self._loop = weakref.ref(loop)
        self._waiting: deque[_Unit] = deque()
        self._giving_way: deque[tuple[float, _Unit]] = deque()  # by the moment until which
        self._is_busy = False
        self._comes = threading.Condition(threading.Lock())

    def take(self, unit: _Unit, *, gives_way: bool) -> None:
        with self._comes:
            if gives_way:
                self._giving_way.append((time.monotonic() + GIVES_WAY_S, unit))
            else:
                self._waiting.append(unit)
            if self._is_busy:
                self._comes.notify()
                return
            self._is_busy = True
        self._send()

    def _send(self) -> None:
        # The one thread in which all of a process's rows are read and written.
        SyncToAsync.single_thread_executor.submit(self._work_off)

    def _work_off(self) -> None:
        """In the rows' thread: do what waits, then let others have the thread."""
        with self._comes:
            taken = self._next()
        # What nobody waits for any more need not be begun.
        units = [unit for unit in taken if not unit.future.cancelled()]
        if len(units) < 2 or not _run_together(units):
            for unit in units:
                unit.run()
        for unit in units:
            unit.go_on()
        loop = self._loop()
        if loop is not None and units:
            try:
                loop.call_soon_threadsafe(_tell, units)
            except RuntimeError:
                log.info("The event loop ended before its work with rows.")
        with self._comes:
            self._is_busy = bool(self._waiting or self._giving_way)
            if not self._is_busy:
                return
        self._send()

    def _next(self) -> list[_Unit]:
        """In the rows' thread, by the lock: wait for what comes first, and take it."""
        while self._giving_way and not self._waiting:
            left_s = self._giving_way[0][0] - time.monotonic()
            if left_s <= 0:
                break
            self._comes.wait(left_s)
        taken: list[_Unit] = []
        # What has given way for long enough goes first, however many questions come.
        moment = time.monotonic()
        while self._giving_way and self._giving_way[0][0] <= moment and len(taken) < MOST_AT_ONCE:
            taken.append(self._giving_way.popleft()[1])
        while self._waiting and len(taken) < MOST_AT_ONCE:
            taken.append(self._waiting.popleft())
        return taken


def _tell(units: list[_Unit]) -> None:
    for unit in units:
        unit.tell()


def _run_together(units: list[_Unit]) -> bool:
    """Run units in one transaction. False where none of them was kept, so each is to be run alone.

    Where the database is not to be had at all, each is told so.

    The transactions of the units themselves are savepoints in it.
    """
    database = connections[DEFAULT_DB_ALIAS]
    has_begun = False
    committed: list[bool] = []
    try:
        with transaction.atomic():
            has_begun = True
            # The first of what follows the commit, so that it is known of a failure
            # there that nothing may be done again.
            transaction.on_commit(partial(committed.append, True))
            for unit in units:
                unit.run()
                if database.needs_rollback or not database.connection.in_transaction:
                    # What SQLite cannot carry out may undo all that went before, too; what
                    # came after it would be committed by itself, and then done again.
                    transaction.set_rollback(True)
                    kept.forget()
                    return False
    except Exception as error:
        if committed:
            log.exception("What follows units of work with rows went wrong.")
            return True
        if not has_begun and isinstance(error, OperationalError):
            # Alone each of them would wait as long for whoever keeps the database locked.
            for unit in units:
                unit.fail(storage.in_words(error) or error)
            return True
        log.info("Units of work with rows did not go together, so each goes alone: %s", error)
        kept.forget()
        return False
    return True


_desks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Desk] = weakref.WeakKeyDictionary()
