"""The model server that comes with us, for whoever needs it while the system is down."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import requests
from django.conf import settings

from dashboard.services import providers
from trainerbot.errors import ProviderUnavailable

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0


def command() -> list[str]:
    """How the model server is started, by `up` and by commands alike."""
    argv = [
        sys.executable, "-m", "trainerbot.modelserver",
        "--data", str(Path(settings.DATA_DIR) / "modelserver"),
        "--host", "127.0.0.1",
        "--port", str(settings.MODELSERVER_PORT),
    ]  # fmt: skip
    if settings.MODELSERVER_MODEL_PATH:
        argv += ["--model", settings.MODELSERVER_MODEL_PATH]
    return argv


def environment() -> dict[str, str]:
    """The environment for it: the key travels there, since arguments can be read by anyone."""
    ours = {**os.environ, "MODELSERVER_API_KEY": settings.MODELSERVER_API_KEY}
    # Whoever starts us from another folder has our packages on no path that it inherits.
    paths = [str(settings.BASE_DIR), ours.get("PYTHONPATH", "")]
    return ours | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def answers(timeout_s: float = 1.0) -> bool:
    """Whether a model server lives at our address."""
    url = settings.MODELSERVER_URL.removesuffix("/v1") + "/healthz"
    with requests.Session() as session:
        session.trust_env = False  # no proxy leads to this machine
        try:
            return session.get(url, timeout=timeout_s).ok
        except requests.RequestException:
            return False


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Let the endpoint answer while the block runs: one that runs is used, else ours is started.

    Raises ProviderUnavailable, with the server's own last words, when it does not start.
    """
    if not providers.uses_embedded_server() or answers():
        yield
        return
    # A file, not a pipe: nobody reads while the block runs, and a full pipe stops its writer.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command(),
            env=environment(),
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            _wait(process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while not answers():
        if process.poll() is not None and not answers():
            log.seek(0)
            last_words = log.read().decode(errors="replace")
            reason = last_words.strip().splitlines()[-1:] or ["it said nothing"]
            raise ProviderUnavailable(f"The model server did not start: {reason[0]}")
        if time.monotonic() > until:
            raise ProviderUnavailable(
                f"The model server did not answer within {START_TIMEOUT_S:.0f} s. Try again."
            )
        time.sleep(0.1)
