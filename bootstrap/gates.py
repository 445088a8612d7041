"""Every check that stands between a change and the main line, pytest last."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from bootstrap import locks
from bootstrap.console import Command
from bootstrap.environment import Environment

TYPED = ["trainerbot", "dashboard", "botrunner", "bootstrap"]
MOST_WORKERS = 4


@dataclass(frozen=True)
class Outcome:
    """How one gate ended: `output` is worth showing only where it failed."""

    name: str
    passed: bool
    output: str
    took_s: float


@dataclass(frozen=True)
class Counts:
    """How many tests pytest ran (failed ones too), and how many it left out."""

    ran: int
    failed: int
    skipped: int


def run(environment: Environment, *, only_tests: bool, pytest_arguments: Sequence[str]) -> int:
    """Run the gates, then pytest, and return 0 if all passed, else 1.

    With CI=true in the environment a skipped test is a failure: what may be
    left out there is deselected by its mark, never skipped.
    """
    failed: list[str] = []
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trainerbot-", ignore_cleanup_errors=True) as scratch:
        # The gates read the settings, which make the data folder: not the real one.
        # What the tests leave in the temporary folder goes with ours.
        environ = dict(os.environ) | {"TRAINERBOT_DATA": str(Path(scratch) / "data")}
        environ |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), scratch)
        # Hundreds of processes import the same modules: each would compile them anew.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        if not only_tests:
            failed += [outcome.name for outcome in _run_gates(environment, environ)]
        report = Path(scratch) / "pytest.xml"
        _print("pytest")
        code = _pytest(environment, environ, report, pytest_arguments)
        counts = read_counts(report)
    if code:
        failed.append("pytest")
    if counts is None:
        _print("No test ran.")
    else:
        _print(f"Tests: {counts.ran} ran, {counts.failed} failed, {counts.skipped} skipped.")
        if counts.skipped and os.environ.get("CI") == "true":
            failed.append("no test may be skipped in CI")
    took = f"{time.monotonic() - started:.0f} s"
    _print(f"FAILED after {took}: {', '.join(failed)}" if failed else f"All passed in {took}.")
    return 1 if failed else 0


def _run_gates(environment: Environment, environ: dict[str, str]) -> list[Outcome]:
    """Run the gates two at a time, print each as it ends, return those that failed."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        # The slowest first, so that the others fit beside it.
        running = [
            pool.submit(_outcome, name, gate) for name, gate in _gates(environment, environ).items()
        ]
        failed = []
        for future in running:
            outcome = future.result()
            result = "passed" if outcome.passed else "FAILED"
            _print(f"{outcome.name:<12} {result}  {outcome.took_s:5.1f} s")
            if not outcome.passed:
                _print(outcome.output.rstrip())
                failed.append(outcome)
    return failed


def _gates(
    environment: Environment, environ: dict[str, str]
) -> dict[str, Callable[[], tuple[bool, str]]]:
    root = environment.root
    program = environment.program
    templates = sorted((root / "templates").rglob("*.html"))

    def tool(*command: str | Path) -> Callable[[], tuple[bool, str]]:
        return lambda: _tool(command, root, environ)

    return {
        "mypy": tool(program("mypy"), *TYPED),
        "imports": tool(program("lint-imports"), "--no-cache"),
        "migrations": tool(
            environment.python, "manage.py", "makemigrations", "--check", "--dry-run"
        ),
        "ruff format": tool(program("ruff"), "format", "--check", "."),
        "ruff check": tool(program("ruff"), "check", "."),
        "djade": tool(program("djade"), "--target-version", "5.2", "--check", *templates),
        "locks": lambda: _locks(root),
    }


def _locks(root: Path) -> tuple[bool, str]:
    found = locks.problems(root)
    return not found, "\n".join(found)


def _tool(command: Command, root: Path, environ: dict[str, str]) -> tuple[bool, str]:
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=root,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return ended.returncode == 0, ended.stdout


def _outcome(name: str, gate: Callable[[], tuple[bool, str]]) -> Outcome:
    started = time.monotonic()
    passed, output = gate()
    return Outcome(name, passed, output, time.monotonic() - started)


def _pytest(
    environment: Environment, environ: dict[str, str], report: Path, arguments: Sequence[str]
) -> int:
    # One more than cores: a test that waits for another process keeps no core busy.
    workers = min((os.cpu_count() or 1) + 1, MOST_WORKERS)
    # `-n` first: whoever gives another one, or -n0 to debug, has the last word.
    defaults = ["-n", str(workers), "--dist", "worksteal", "-rfEs", "--durations=10"]
    defaults += ["--durations-min=1", f"--junit-xml={report}"]
    return subprocess.run(
        [environment.python, "-m", "pytest", *defaults, *arguments],
        cwd=environment.root,
        env=environ,
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


def read_counts(report: Path) -> Counts | None:
    """Return what pytest's JUnit file says, or None where pytest wrote none."""
    try:
        suites = ElementTree.parse(report).getroot().iter("testsuite")
    except (OSError, ElementTree.ParseError):
        return None
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return Counts(ran=total - skipped, failed=failed, skipped=skipped)


def _print(words: str) -> None:
    print(words, file=sys.stdout, flush=True)
