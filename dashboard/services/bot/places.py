"""One runbot for each shard: two with the same one would answer everything twice."""

import os
import re
import socket
from dataclasses import dataclass
from typing import Self

from django.db import transaction

from dashboard.models import ProcessState
from dashboard.services import processes
from trainerbot.errors import InvalidInput

NAME = "bot"
MOST_SHARDS = 10_000
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_NAME = re.compile(r"bot:(\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class ShardRange:
    """The shards `first` to `last` of `count` that one process runs; all of them if `is_all`.

    count: 0 where nobody gave one: a bot on one connection.
    """

    first: int = 0
    last: int = 0
    count: int = 0

    @classmethod
    def parse(cls, ids: str, count: int) -> Self:
        """Read "2" or "0-3" of `count` shards; "" for all of them.

        Raises InvalidInput, in words.
        """
        if not ids and not count:
            return cls()
        if not 1 <= count <= MOST_SHARDS:
            raise InvalidInput(f"--shard-count is 1 to {MOST_SHARDS:,}, the same for every runbot.")
        if not ids:
            return cls(0, count - 1, count)
        found = _RANGE.fullmatch(ids.strip())
        if not found:
            raise InvalidInput("--shard-ids is one shard or a range of them, such as 2 or 0-3.")
        first = int(found[1])
        last = int(found[2] or first)
        if not first <= last < count:
            raise InvalidInput(f"--shard-ids {ids} is not within the {count} shards 0-{count - 1}.")
        return cls(first, last, count)

    @classmethod
    def of(cls, name: str) -> Self | None:
        """Read back the range from the name of its row; None if it is no bot's."""
        if name == NAME:
            return cls()
        found = _NAME.fullmatch(name)
        return cls(*map(int, found.groups())) if found else None

    @property
    def is_all(self) -> bool:
        return self.last - self.first + 1 >= self.count

    @property
    def name(self) -> str:
        """The name of its row among the processes."""
        return NAME if self.is_all else f"{NAME}:{self.first}-{self.last}/{self.count}"

    @property
    def ids(self) -> list[int]:
        return list(range(self.first, self.last + 1))

    def overlaps(self, other: "ShardRange") -> bool:
        """Whether some server would be served by both. With another count any may be."""
        if self.is_all or other.is_all or self.count != other.count:
            return True
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        if self.count == 0:
            return "the bot"
        return f"shards {self.first} to {self.last} of {self.count}"


def is_of_bot(name: str) -> bool:
    """Whether the process called `name` is the bot, or one of its parts."""
    return name == NAME or name.startswith(f"{NAME}:")


def this_process() -> str:
    """What a holder of a place calls itself."""
    return f"{socket.gethostname()}:{os.getpid()}"


@transaction.atomic
def take_place(shards: ShardRange, holder: str) -> bool:
    """Be the one runbot of these shards for 30 seconds, or stay it. False while another lives.

    One that died without a word, on this machine, is not waited for.
    """
    # Locked, so that two ranges that overlap cannot both find the other absent.
    ProcessState.objects.get_or_create(name=NAME)
    rows = list(ProcessState.objects.select_for_update().filter(name__startswith=NAME))
    for row in rows:
        theirs = ShardRange.of(row.name)
        if theirs is None or not row.is_held or row.holder == holder:
            continue
        if shards.overlaps(theirs):
            if not _is_gone(row.holder):
                return False
            processes.release(row.name, row.holder)
    return processes.hold(shards.name, holder)


def leave_place(shards: ShardRange, holder: str) -> None:
    """Let another run these shards at once."""
    processes.release(shards.name, holder)


def _is_gone(holder: str) -> bool:
    """Whether `holder` was a process of this machine that no longer runs."""
    host, _, pid = holder.rpartition(":")
    return host == socket.gethostname() and pid.isdigit() and not is_running(int(pid))


def is_running(pid: int) -> bool:
    """Whether a process of this machine has the id `pid`. On Windows we cannot tell: True."""
    if os.name != "posix":
        return True  # there, signal 0 would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
