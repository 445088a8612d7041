"""A real model server in a process of its own, on a free loopback port."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openai

KEY = "test-key"


class RunningServer:
    """Started at construction; its log lines are kept in `lines`."""

    def __init__(
        self,
        data: Path,
        *arguments: str,
        key: str | None = KEY,
        settings: Mapping[str, str] | None = None,
        **popen: Any,
    ) -> None:
        self.key = key
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command(data, *arguments),
            env={**environment(key), **(settings or {})},
            stderr=subprocess.PIPE,
            text=True,
            **popen,
        )
        self._served = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._served.wait(60), "no start in 60 s"
        assert self.url, "".join(self.lines)
        # The SDK, set up as any user would; no retries, so that errors are seen.
        self.client = openai.OpenAI(
            base_url=f"{self.url}/v1", api_key=key or "none", max_retries=0, timeout=60
        )

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r"Serving on (http://\S+)", line):
                self.url = found[1]
                self._served.set()
        self._served.set()

    def kill(self) -> None:
        """End it as a power cut would. Harmless when it ended already."""
        self.process.kill()
        self.process.wait(60)
        self._reader.join(60)
        self.client.close()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def __enter__(self) -> "RunningServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def command(data: Path, *arguments: str) -> list[str]:
    """The command line of a server on a free port."""
    module = "trainerbot.modelserver"
    return [sys.executable, "-m", module, "--data", str(data), "--port", "0", *arguments]


def environment(key: str | None = KEY) -> dict[str, str]:
    """This process's environment with the key of the server, or with none."""
    given = {name: value for name, value in os.environ.items() if name != "MODELSERVER_API_KEY"}
    return given if key is None else {**given, "MODELSERVER_API_KEY": key}


def finished(client: openai.OpenAI, job_id: str, *, timeout_s: float = 180) -> Any:
    """Wait until the job is over, and return it."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        job = client.fine_tuning.jobs.retrieve(job_id)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"job still {job.status} after {timeout_s} s")


def all_events(client: openai.OpenAI, job_id: str) -> list[Any]:
    """Every event of the job, oldest first."""
    return list(client.fine_tuning.jobs.list_events(job_id, limit=100))[::-1]
