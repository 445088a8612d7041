"""Keep programs running: start, watch, restart with growing pauses, stop together.

Knows nothing of Django or of what the programs do; `manage.py up` names them.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
# What a signal to a process that ended just now raises; the second on macOS.
GONE = (ProcessLookupError, PermissionError)


class State(StrEnum):
    """How a program is; the words of `ProcessState.State`."""

    RUNNING = "running"
    BACKOFF = "backoff"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Program:
    """One program to keep running.

    `environ` is its whole environment, or None for ours. `final_codes` maps an
    exit code after which a restart cannot help to the sentence that says why.
    `niceness` above 0 lets the other programs go first when all cores are busy.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] | None = None
    niceness: int = 0
    final_codes: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What became of a program just now; `message` is for people."""

    name: str
    state: State
    pid: int | None
    restarts: int
    exit_code: int | None
    message: str


@dataclass(frozen=True)
class Patience:
    """When a program is started again after it ended, and how long it may take to stop.

    The pause doubles from `first_pause_s` to `longest_pause_s` and starts over
    once the program has lived for `steady_s`.
    """

    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    steady_s: float = 30.0
    loop_after: int = 5
    stop_s: float = 5.0

    def pause_s(self, quick_ends: int) -> float:
        """Return the pause after the `quick_ends`th early end in a row, counted from 1."""
        # 2**30 pauses are past any cap; without the bound a week of crashes overflows.
        return min(self.first_pause_s * 2.0 ** min(quick_ends - 1, 30), self.longest_pause_s)


@dataclass
class _Will:
    """What is wanted of one program from outside; guarded by the supervisor's lock."""

    is_wanted: bool = True
    again: bool = False
    why_not: str = ""


class Supervisor:
    """Runs each program in a group of its own, with one thread that waits for its end.

    `report` and `write_line` are called from those threads, several at a time.
    The thread that starts a program waits for it too: on Linux the kernel ends
    the program when that very thread is gone.
    """

    def __init__(
        self,
        programs: list[Program],
        *,
        report: Callable[[Report], None],
        write_line: Callable[[str, str], None],
        patience: Patience | None = None,
    ) -> None:
        self._programs = programs
        self._report = report
        self._write_line = write_line
        self._patience = patience or Patience()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._guard = threading.RLock()  # a signal handler may kill while `stop` holds it
        self._changed = threading.Condition(self._guard)
        self._wills = {program.name: _Will() for program in programs}
        self._given_up: set[str] = set()
        self._stopping = threading.Event()
        self._keepers: list[threading.Thread] = []

    def start(self) -> None:
        """Start all programs at once and return."""
        for program in self._programs:
            keeper = threading.Thread(target=self._keep, args=[program], name=program.name)
            keeper.start()
            self._keepers.append(keeper)

    def has_given_up(self) -> bool:
        """Whether no program runs or will run again by itself."""
        with self._guard:
            return all(
                keeper.name in self._given_up or not keeper.is_alive() for keeper in self._keepers
            )

    def stop_one(self, name: str, why: str) -> None:
        """Have one program ended, and not started until `start_one`. `why` is for people."""
        self._want(name, is_wanted=False, why_not=why)

    def start_one(self, name: str) -> None:
        """Undo `stop_one`. A program that was not stopped goes on as it is."""
        self._want(name, is_wanted=True)

    def restart(self, name: str) -> None:
        """Have one program ended and started anew at once, also one that was given up."""
        self._want(name, is_wanted=True, again=True)

    def stop(self) -> None:
        """Ask every program to end, wait `stop_s` for all together, then kill what is left."""
        with self._guard:
            self._stopping.set()
            self._changed.notify_all()
            running = dict(self._running)
        for process in running.values():
            _ask_to_end(process)
        deadline = time.monotonic() + self._patience.stop_s
        for keeper in self._keepers:
            keeper.join(max(0.0, deadline - time.monotonic()))
        self.kill()
        for keeper in self._keepers:
            keeper.join()

    def kill(self) -> None:
        """End what still runs without asking. Safe to call while `stop` waits."""
        with self._guard:
            running = dict(self._running)
        for process in running.values():
            _kill(process)

    def _want(self, name: str, *, is_wanted: bool, again: bool = False, why_not: str = "") -> None:
        with self._guard:
            will = self._wills[name]
            will.is_wanted, will.why_not = is_wanted, why_not
            will.again = again
            self._changed.notify_all()
            process = self._running.get(name)
        if process is not None and (again or not is_wanted):
            _ask_to_end(process)
            patience = threading.Timer(self._patience.stop_s, _kill_if_alive, [process])
            patience.daemon = True
            patience.start()

    def _keep(self, program: Program) -> None:
        will = self._wills[program.name]
        restarts = quick_ends = 0
        exit_code: int | None = None
        while True:
            if not self._wait_until_wanted(program.name, restarts, exit_code):
                return
            will.again = False
            started = time.monotonic()
            exit_code, pid = self._run_once(program, restarts)
            if self._stopping.is_set():
                state, message = State.STOPPED, "Stopped with the system."
            elif not will.is_wanted:
                quick_ends = 0
                continue
            elif will.again:
                self._write_line(program.name, "Starting it anew, as asked.")
                restarts, quick_ends = restarts + 1, 0
                continue
            elif exit_code is not None and exit_code in program.final_codes:
                state, message = State.FAILED, program.final_codes[exit_code]
            else:
                lived_s = time.monotonic() - started
                quick_ends = 1 if lived_s >= self._patience.steady_s else quick_ends + 1
                state, message = State.BACKOFF, self._why_again(exit_code, quick_ends)
            if state is not State.STOPPED:
                self._write_line(program.name, message)
            self._report(Report(program.name, state, pid, restarts, exit_code, message))
            if state is State.STOPPED:
                return
            self._rest(program.name, state, quick_ends)
            if not self._stopping.is_set():
                restarts += 1
            elif state is State.FAILED:
                return  # why it failed is worth more than that all has stopped

    def _wait_until_wanted(self, name: str, restarts: int, exit_code: int | None) -> bool:
        """Wait while the program shall not run. False once everything is to stop."""
        will = self._wills[name]
        told = False
        while not self._stopping.is_set():
            with self._guard:
                if will.is_wanted:
                    return True
                why_not = will.why_not
            if not told:
                self._write_line(name, why_not)
                self._report(Report(name, State.STOPPED, None, restarts, exit_code, why_not))
                told = True
            with self._guard:
                self._changed.wait_for(lambda: self._stopping.is_set() or will.is_wanted)
        if not told:
            stopped = "Stopped with the system."
            self._report(Report(name, State.STOPPED, None, restarts, exit_code, stopped))
        return False

    def _rest(self, name: str, state: State, quick_ends: int) -> None:
        """Wait for the end of the pause, or for an order where none can help by itself."""
        will = self._wills[name]
        pause_s = None if state is State.FAILED else self._patience.pause_s(quick_ends)
        with self._guard:
            if pause_s is None:
                self._given_up.add(name)
            self._changed.wait_for(
                lambda: self._stopping.is_set() or will.again or not will.is_wanted, pause_s
            )
            self._given_up.discard(name)

    def _why_again(self, exit_code: int | None, quick_ends: int) -> str:
        pause_s = self._patience.pause_s(quick_ends)
        if quick_ends < self._patience.loop_after:
            return f"Ended ({describe(exit_code)}); starting it again in {pause_s:g} s."
        return (
            f"Ended {quick_ends} times in a row soon after its start ({describe(exit_code)}). "
            f"Its last lines above say why; trying again in {pause_s:g} s."
        )

    def _run_once(self, program: Program, restarts: int) -> tuple[int | None, int | None]:
        """Run the program to its end; (None, None) where it could not or may not start."""
        with self._guard:  # so that `stop` misses no program that starts meanwhile
            if self._stopping.is_set():
                return None, None
            try:
                process = _launch(program)
            except OSError as error:
                self._write_line(program.name, f"Could not be started: {error.strerror}.")
                return None, None
            self._running[program.name] = process
        self._report(Report(program.name, State.RUNNING, process.pid, restarts, None, ""))
        reader = threading.Thread(target=self._read_lines, args=[program.name, process])
        # A grandchild may hold the pipe open after the end: never wait for it.
        reader.daemon = True
        reader.start()
        exit_code = process.wait()
        with self._guard:
            del self._running[program.name]
        _kill(process)  # what it started and left behind goes with it
        reader.join(timeout=1.0)
        assert process.stdin is not None
        process.stdin.close()
        return exit_code, process.pid

    def _read_lines(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._write_line(name, line.decode(errors="replace").rstrip())


def describe(exit_code: int | None) -> str:
    """Return the end of a process in words: "exit code 1", "killed by SIGKILL"."""
    if exit_code is None:
        return "could not be started"
    if exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _launch(program: Program) -> subprocess.Popen[bytes]:
    environ = os.environ if program.environ is None else program.environ
    tether = (sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(program.niceness))
    # A group of its own: a Ctrl-C in the terminal reaches only us, and we
    # stop each program once and in order.
    return subprocess.Popen(
        [*tether, *program.command],
        env=dict(environ) | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0 if os.name == "posix" else None,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(*GONE):
        if sys.platform == "win32":
            process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(process.pid, signal.SIGTERM)


def _kill_if_alive(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(*GONE):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
