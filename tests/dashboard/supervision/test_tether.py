"""The portable way of the tether, which Linux does not take by itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.services.supervision import tether
from tests.dashboard.supervision.test_supervisor import wait_for_end

GUARD = f"""
import sys
sys.path.insert(0, {str(Path(tether.__file__).parent)!r})
import tether
sys.exit(tether.guard([sys.executable, "-I", "-S", "-c", sys.argv[1]]))
"""
SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


def guarded(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", GUARD, code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_guarded_command_dies_when_the_pipe_to_its_parent_closes():
    with guarded(SLEEPER) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())

        process.communicate()  # closes the pipe, as the system does for a dead parent

    assert wait_for_end(pid)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("raise SystemExit(78)", 78), ("import os; os.kill(os.getpid(), 9)", 137)],
)
def test_a_guarded_command_passes_its_exit_code_on(code, expected):
    with guarded(code) as process:
        assert process.wait(timeout=60) == expected


def test_a_guarded_command_ends_in_its_own_way_when_asked():
    polite = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", GUARD, polite],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        import os
        import signal

        os.killpg(process.pid, signal.SIGTERM)

        assert process.wait(timeout=60) == 5
