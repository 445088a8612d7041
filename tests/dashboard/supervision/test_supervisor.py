"""The supervisor with real, tiny child processes."""

import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dashboard.services.supervision.supervisor import (
    Patience,
    Program,
    Report,
    State,
    Supervisor,
    describe,
)

HASTE = Patience(first_pause_s=0.01, longest_pause_s=0.04, steady_s=30, loop_after=3, stop_s=5)
ROOT = Path(__file__).resolve().parents[3]
WAIT_S = 60


def python(code: str, *, name: str = "child", **more: object) -> Program:
    return Program(name, (sys.executable, "-S", "-u", "-c", code), **more)


class Running:
    """A started supervisor whose reports and lines can be waited for; stopped at the end."""

    def __init__(self, *programs: Program, patience: Patience = HASTE) -> None:
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self.supervisor = Supervisor(
            list(programs),
            report=self.reports.put,
            write_line=lambda name, text: self.lines.put((name, text)),
            patience=patience,
        )

    def __enter__(self) -> "Running":
        self.supervisor.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.supervisor.stop()

    def report_with(self, state: State, *, restarts: int | None = None) -> Report:
        while True:
            report = self.reports.get(timeout=WAIT_S)
            if report.state is state and restarts in (None, report.restarts):
                return report

    def line_with(self, words: str) -> str:
        while True:
            _, text = self.lines.get(timeout=WAIT_S)
            if words in text:
                return text


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for_end(pid: int) -> bool:
    until = time.monotonic() + WAIT_S
    while is_alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_what_a_program_writes_comes_out_with_its_name():
    with Running(python("print('hello'); import time; time.sleep(60)", name="web")) as running:
        line = running.lines.get(timeout=WAIT_S)

    assert line == ("web", "hello")


def test_a_program_that_ends_is_started_again_and_counted():
    with Running(python("raise SystemExit(3)")) as running:
        ended = running.report_with(State.BACKOFF)
        again = running.report_with(State.RUNNING, restarts=1)

    assert ended.exit_code == 3
    assert ended.pid != again.pid
    assert "exit code 3" in ended.message


def test_a_program_that_keeps_ending_is_called_by_its_name_a_crash_loop():
    with Running(python("raise SystemExit(1)")) as running:
        words = running.line_with("in a row")

    assert "Ended 3 times in a row soon after its start (exit code 1)" in words


def test_pauses_double_up_to_a_cap():
    patience = Patience(first_pause_s=0.5, longest_pause_s=30)

    assert [patience.pause_s(ends) for ends in (1, 2, 3, 7, 100_000)] == [0.5, 1, 2, 30, 30]


def test_a_program_that_was_killed_is_started_again():
    with Running(python("import time; time.sleep(60)")) as running:
        os.killpg(running.report_with(State.RUNNING).pid, signal.SIGKILL)
        ended = running.report_with(State.BACKOFF)
        again = running.report_with(State.RUNNING, restarts=1)

    assert "killed by SIGKILL" in ended.message
    assert not is_alive(again.pid)


def test_refused_settings_are_not_tried_again():
    with Running(python("raise SystemExit(78)", final_codes={78: "Mend the token."})) as running:
        failed = running.report_with(State.FAILED)

    assert (failed.exit_code, failed.message, failed.restarts) == (78, "Mend the token.", 0)
    assert running.supervisor.has_given_up()


def test_stopping_ends_every_program_cleanly_and_at_once():
    polite = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('goodbye'), sys.exit(0)))\n"
        "print('ready'); time.sleep(60)"
    )
    programs = [python(polite, name=name) for name in ("web", "worker", "bot")]
    with Running(*programs) as running:
        for _ in programs:
            running.line_with("ready")
        started = time.monotonic()
        running.supervisor.stop()
        took_s = time.monotonic() - started
    stopped = [running.report_with(State.STOPPED) for _ in programs]

    assert {report.exit_code for report in stopped} == {0}
    assert sum(text == "goodbye" for _, text in drain(running.lines)) == 3
    assert took_s < 30  # by itself each would go on for a minute


def test_a_program_that_will_not_end_is_killed_after_the_time_allowed():
    deaf = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    )
    with Running(python(deaf), patience=Patience(stop_s=0.2)) as running:
        running.line_with("ready")
        running.supervisor.stop()
        stopped = running.report_with(State.STOPPED)

    assert stopped.exit_code == -signal.SIGKILL


def test_stopping_does_not_wait_for_the_next_try():
    patience = Patience(first_pause_s=600, longest_pause_s=600)
    with Running(python("raise SystemExit(1)"), patience=patience) as running:
        running.report_with(State.BACKOFF)
        running.supervisor.stop()
        stopped = running.report_with(State.STOPPED)

    assert stopped.restarts == 0


SLEEP = "import time; time.sleep(60)"


def test_one_program_can_be_stopped_and_started_while_the_others_go_on():
    with Running(python(SLEEP, name="web"), python(SLEEP, name="bot")) as running:
        pids = {
            report.name: report.pid for report in (running.reports.get(), running.reports.get())
        }
        running.supervisor.stop_one("bot", "Stopped on the dashboard.")
        stopped = running.report_with(State.STOPPED)
        gone = wait_for_end(pids["bot"])
        running.supervisor.start_one("bot")
        again = running.report_with(State.RUNNING)

        assert (stopped.name, stopped.message) == ("bot", "Stopped on the dashboard.")
        assert gone
        assert again.name == "bot"
        assert is_alive(pids["web"])
        assert not running.supervisor.has_given_up()


@pytest.mark.origin(4)
def test_starting_what_runs_changes_nothing():
    with Running(python(SLEEP)) as running:
        pid = running.report_with(State.RUNNING).pid

        running.supervisor.start_one("child")
        running.supervisor.start_one("child")

        assert is_alive(pid)
        assert running.reports.empty()


def test_a_restart_ends_one_process_and_starts_one():
    with Running(python(SLEEP)) as running:
        first = running.report_with(State.RUNNING)
        running.supervisor.restart("child")
        second = running.report_with(State.RUNNING, restarts=1)

        assert wait_for_end(first.pid)
        assert is_alive(second.pid)


def test_a_program_that_does_not_hear_is_killed_for_its_restart():
    deaf = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    )
    with Running(python(deaf), patience=Patience(stop_s=0.2)) as running:
        running.line_with("ready")
        running.supervisor.restart("child")

        assert running.report_with(State.RUNNING, restarts=1)


def test_what_was_given_up_is_started_again_by_an_order():
    with Running(python("raise SystemExit(78)", final_codes={78: "Mend the token."})) as running:
        running.report_with(State.FAILED)
        running.supervisor.restart("child")

        assert running.report_with(State.FAILED, restarts=1)


def test_what_is_stopped_before_the_start_is_not_started():
    running = Running(python("print('ran')"))
    running.supervisor.stop_one("child", "Stopped on the dashboard.")
    with running:
        stopped = running.report_with(State.STOPPED)

    assert stopped.pid is None
    assert ("child", "ran") not in drain(running.lines)


def test_what_a_program_started_goes_with_it():
    parent = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)"
    )
    with Running(python(parent)) as running:
        _, pid = running.lines.get(timeout=WAIT_S)
        ended = wait_for_end(int(pid))

    assert ended


def test_a_missing_program_is_said_and_tried_again():
    with Running(Program("web", ("/no/such/program",))) as running:
        ended = running.report_with(State.BACKOFF)

    assert ended.exit_code == 1


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(0, "exit code 0"), (-9, "killed by SIGKILL"), (-999, "exit code -999")],
)
def test_an_end_is_told_in_words(exit_code, words):
    assert describe(exit_code) == words


SUPERVISE = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from dashboard.services.supervision.supervisor import Program, Supervisor
child = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)")
supervisor = Supervisor(
    [Program(name, child) for name in ("web", "worker")],
    # In one write: two threads report at once.
    report=lambda report: os.write(1, b"%d\\n" % report.pid),
    write_line=lambda name, text: None,
)
supervisor.start()
time.sleep(60)
"""


def test_a_killed_supervisor_leaves_no_orphans():
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(ROOT)], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    pids = [int(supervisor.stdout.readline()) for _ in range(2)]
    assert all(is_alive(pid) for pid in pids)

    supervisor.kill()
    supervisor.communicate()

    assert all(wait_for_end(pid) for pid in pids)


def drain(lines: queue.SimpleQueue[tuple[str, str]]) -> list[tuple[str, str]]:
    return [lines.get() for _ in range(lines.qsize())]
