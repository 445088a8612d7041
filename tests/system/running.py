"""The whole system as a person starts it, on ports and in a data folder of its own."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_S = 180.0


def environment(data: Path, **more: str) -> dict[str, str]:
    """Nothing of the machine's own settings; an SQLite database in `data`."""
    ours = ("TRAINERBOT_", "MODELSERVER_", "OPENAI_", "DISCORD_", "DATABASE_URL", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "TRAINERBOT_DATA": str(data),
        "TRAINERBOT_PORT": str(free_port()),
        "MODELSERVER_PORT": str(free_port()),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@dataclass
class System:
    """A running `manage.py up`."""

    env: dict[str, str]
    process: "subprocess.Popen[str]"
    log: Path
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['TRAINERBOT_PORT']}"

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def ready(self) -> dict[str, Any] | None:
        with contextlib.suppress(requests.RequestException):
            answer = requests.get(f"{self.url}/readyz", timeout=60)
            if answer.ok:
                parts: dict[str, Any] = answer.json()
                return parts
        return None

    def wait_until_ready(self) -> dict[str, Any]:
        until = time.monotonic() + START_S
        while (parts := self.ready()) is None:
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < until, self.output()
            time.sleep(0.2)
        return parts

    def admin_link(self) -> str:
        """The one-time link that `up` printed, waited for."""
        until = time.monotonic() + START_S
        while not (found := re.search(r"http://\S+/start/\S+/", self.output())):
            assert time.monotonic() < until, self.output()
            time.sleep(0.1)
        return found.group()

    def stop(self) -> int:
        """Ctrl-C; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


def manage(env: dict[str, str], *args: str) -> "subprocess.CompletedProcess[str]":
    """Run one management command to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *args],
        cwd=ROOT,
        env=env,
        text=True,
        capture_output=True,
        timeout=180,
        check=False,
    )


def rows(done: "subprocess.CompletedProcess[str]") -> list[Any]:
    """The JSON that a command printed, a value a line."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@contextlib.contextmanager
def system(data: Path, **more: str) -> Iterator[System]:
    """Start everything, wait until it is ready, stop it whatever happens."""
    env = environment(data, **more)
    log = data / "up.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    running = System(env, process, log)
    try:
        running.wait_until_ready()
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
