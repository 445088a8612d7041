"""Forks `manage.py` from a process that has loaded the libraries already.

To load discord.py, Django and the openai SDK takes two seconds of a core, and
dozens of tests start a bot in a process of its own. Of ours nothing is loaded
before the fork and no setting is read: each child begins where `python
manage.py` begins, with the environment that its test gives it.
"""

import asyncio
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

LIBRARIES = (
    "aiohttp",
    "channels.db",
    "channels.layers",
    "discord.ext.commands",
    "discord.ext.tasks",
    "django.core.management",
    "django.core.serializers",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.db.models",
    "django.forms",
    "django.http",
    "django.template",
    "django_stubs_ext",
    "environ",
    "msgspec",
    "openai",
    "openai.resources.chat",
    "openai.resources.fine_tuning",
    "openai.types.chat",
)
MOST_BYTES = 64 * 1024
# The fake names its guild at once; discord.py waits two seconds for more of them.
GUILDS_COME_WITHIN_S = 0.3


class Forked:
    """A child, with as much of asyncio's own `Process` as tests need."""

    def __init__(
        self,
        pid: int,
        stdout: asyncio.StreamReader,
        said: asyncio.StreamReader,
        answers: asyncio.StreamWriter,
    ) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._ending = asyncio.create_task(self._end(said, answers))

    async def _end(self, said: asyncio.StreamReader, answers: asyncio.StreamWriter) -> int:
        self.returncode = int(await said.readline())
        answers.close()
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ending)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forks:
    """Starts children; one for all tests of a session."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__)), str(theirs.fileno())],
                env=dict(os.environ) | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    async def start(
        self, arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str]
    ) -> Forked:
        """Run `python ARGUMENTS...`; what it says on stdout and stderr comes as one stream."""
        reading, writing = os.pipe()
        ending, theirs = socket.socketpair()
        wanted = {"arguments": list(arguments), "cwd": str(cwd), "environ": dict(environ)}
        with theirs:
            socket.send_fds(
                self._control, [json.dumps(wanted).encode()], [writing, theirs.fileno()]
            )
        os.close(writing)
        stdout = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(reading, "rb")
        )
        said, answers = await asyncio.open_connection(sock=ending)
        return Forked(int(await said.readline()), stdout, said, answers)

    def close(self) -> None:
        self._control.close()
        self._process.wait(60)


# --- the process that forks -------------------------------------------------------------
def serve(control: socket.socket) -> list[str] | None:
    """Fork what is asked for. Returns in each child, with its arguments, and at the end."""
    tasks = os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else [""]
    assert len(tasks) == 1, "a library starts threads, which no fork takes along"
    children: dict[int, socket.socket] = {}
    awake, wake = socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake.fileno())
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(awake, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is awake:
                awake.recv(4096)
                _reap(children)
                continue
            asked, descriptors, _, _ = socket.recv_fds(control, MOST_BYTES, 2)
            if not asked:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                return None
            said, ending = descriptors
            pid = os.fork()
            if not pid:
                return _become(json.loads(asked), said)
            os.close(said)
            children[pid] = socket.socket(fileno=ending)
            children[pid].sendall(b"%d\n" % pid)


def _reap(children: dict[int, socket.socket]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with children.pop(pid) as ending, suppress(OSError):  # a test may have gone away
            ending.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(wanted: dict[str, object], said: int) -> list[str]:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.closerange(3, 1024)
    os.environ.clear()
    os.environ.update(wanted["environ"])  # type: ignore[call-overload]  # as JSON gives it
    time.tzset()
    os.chdir(str(wanted["cwd"]))
    return list(wanted["arguments"])  # type: ignore[call-overload]  # as above


def hasten_ready() -> None:
    """Let every bot say sooner that all guilds have come, unless it says when itself."""
    state = import_module("discord.state").ConnectionState
    begin = state.__init__

    def begin_hastily(self: object, *args: object, **options: object) -> None:
        begin(self, *args, **{"guild_ready_timeout": GUILDS_COME_WITHIN_S, **options})

    state.__init__ = begin_hastily


if __name__ == "__main__":
    for name in LIBRARIES:
        import_module(name)
    hasten_ready()
    gc.collect()
    gc.freeze()
    arguments = serve(socket.socket(fileno=int(sys.argv[1])))
    if arguments is not None:
        sys.argv = arguments
        sys.path[0] = str(Path(arguments[0]).parent)
        runpy.run_path(arguments[0], run_name="__main__")
