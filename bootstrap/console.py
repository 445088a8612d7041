"""Words to the person who waits, and the tools that run meanwhile."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

WORD_EVERY_S = 10.0

Command: TypeAlias = Sequence[str | Path]


class SetupFailed(Exception):
    """Set-up cannot go on. The message says why and what to do, in a sentence or two."""


class ToolFailed(SetupFailed):
    """A tool ended with an error; `output` is all that it wrote."""

    def __init__(self, message: str, *, output: str) -> None:
        super().__init__(message)
        self.output = output


def say(words: str) -> None:
    """Tell how far set-up is, on stderr: stdout belongs to the command that follows."""
    print(words, file=sys.stderr, flush=True)


def run_tool(
    command: Command,
    *,
    doing: str,
    remedy: str,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Run `command` to its end and return what it wrote, stdout and stderr together.

    Says `doing` first, a word every ten seconds, and how long it took. Raises
    ToolFailed, whose message is `doing`, the exit code and `remedy`.
    """
    say(f"{doing} …")
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(os.environ) | dict(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise ToolFailed(f"{doing}: {error.strerror}. {remedy}", output="") from error
    try:
        output = _wait(process, started)
    except BaseException:  # Ctrl-C above all: the tool must not go on alone
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise ToolFailed(
            f"{doing}: failed with exit code {process.returncode}. {remedy}", output=output
        )
    say(f"  done in {time.monotonic() - started:.1f} s")
    return output


def _wait(process: subprocess.Popen[str], started: float) -> str:
    while True:
        try:
            return process.communicate(timeout=WORD_EVERY_S)[0]
        except subprocess.TimeoutExpired:
            say(f"  still at it after {time.monotonic() - started:.0f} s")


def replace_process(command: Command, *, cwd: Path) -> int:
    """Become `command`. Returns its exit code where a process cannot be replaced (Windows)."""
    call = [str(part) for part in command]
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(cwd)
    if os.name == "posix":
        os.execv(call[0], call)
    with subprocess.Popen(call) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the program got the Ctrl-C too and is stopping
