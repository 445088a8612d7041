"""How long a newcomer waits: from `git clone` to the first page, and from a warm start.

    python3 benchmarks/start.py [--rounds 5]

Standard library only. Clones this checkout's HEAD into a new folder, with
empty package caches, and starts it on free ports; then starts it again,
`--rounds` times. Prints seconds of wall time until /healthz and /readyz
answer 200, and CPU seconds of all processes of a start.
"""

import argparse
import contextlib
import os
import platform
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 300.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, since: float) -> float:
    """Seconds from `since` until `url` answers 200."""
    while time.monotonic() - since < PATIENCE_S:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(url, timeout=5).close()
            return time.monotonic() - since
        time.sleep(0.02)
    sys.exit(f"{url} did not answer within {PATIENCE_S:.0f} s")


def start(clone: Path, environ: dict[str, str]) -> tuple[float, float, float]:
    """Start, wait, stop: wall seconds to the first page and to readiness, CPU seconds in all."""
    url = f"http://127.0.0.1:{environ['TRAINERBOT_PORT']}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with (clone / "start.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "run.py"], cwd=clone, env=environ, stdout=log, stderr=log
        )
    page_s, ready_s = wait_for(f"{url}/healthz", began), wait_for(f"{url}/readyz", began)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return page_s, ready_s, cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="warm starts")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="trainerbot-start-") as folder:
        scratch = Path(folder)
        environ = os.environ | {
            "UV_CACHE_DIR": str(scratch / "uv"),
            "PIP_CACHE_DIR": str(scratch / "pip"),
            "TRAINERBOT_PORT": str(free_port()),
            "MODELSERVER_PORT": str(free_port()),
        }
        ours = ("TRAINERBOT_DATA", "DATABASE_URL", "DISCORD_TOKEN", "OPENAI_BASE_URL")
        # A person's Python keeps what it compiled, so the warm starts do too.
        for name in (*ours, "PYTHONDONTWRITEBYTECODE"):
            environ.pop(name, None)
        clone = scratch / "clone"
        began = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        clone_s = time.monotonic() - began
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        page_s, ready_s, cpu_s = start(clone, environ)
        print(
            f"cold: first page {clone_s + page_s:.1f} s, ready {clone_s + ready_s:.1f} s, "
            f"{cpu_s:.1f} s CPU"
        )
        warm = [start(clone, environ) for _ in range(rounds)]
        for name, column in (("first page", 0), ("ready", 1), ("CPU", 2)):
            figures = [row[column] for row in warm]
            print(
                f"warm {name}: median {statistics.median(figures):.2f} s "
                f"({min(figures):.2f} to {max(figures):.2f}, {rounds} rounds)"
            )


if __name__ == "__main__":
    main()
