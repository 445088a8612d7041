"""pytest's plugin for OpenAI's tests: starts the server, and has it seeded before each test.

Loaded by name (`-p conformance_plugin`) into a run in the folder of those
tests, where the package `tests` is theirs and nothing of ours can be imported.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Both keys stand in the tests; permissions are asked for with the second.
KEYS = ("My API Key", "My Admin API Key")
# The names of the base models in the tests. One that trains, and the others that answer.
MODELS = ("gpt-6-astra", "gpt-4o-mini", "model")

_running: list[subprocess.Popen[str]] = []
_folder = tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the server before the tests' own settings read its address."""
    folder = Path(_folder.name)
    keys = folder / "keys"
    keys.write_text("\n".join(KEYS), encoding="utf-8")
    weights = Path(os.environ["CONFORMANCE_GGUF"])
    options = []
    for name in MODELS:
        link = folder / f"{name}.gguf"
        link.symlink_to(weights)
        options += ["--model", str(link)]
    command = [sys.executable, str(HERE / "server.py"), "--data", str(folder / "data")]
    command += ["--port", "0", "--api-key-file", str(keys), *options]
    with open(folder / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    _running.append(server)
    _seed("the first")  # answered only when the store is open
    os.environ["TEST_API_BASE_URL"] = f"{_address(server, folder / 'log')}/v1"


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server."""
    for server in _running:
        server.kill()
        with server:  # closes the pipes
            pass
    _folder.cleanup()


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """The rows that the test asks for."""
    _seed(request.node.name)


def _seed(test: str) -> None:
    (server,) = _running
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        server.stdin.write(f"{test}\n")
        server.stdin.flush()
        answer = server.stdout.readline()
    except BrokenPipeError:
        answer = ""
    if answer != "seeded\n":
        log = (Path(_folder.name) / "log").read_text(encoding="utf-8")
        pytest.exit(f"The model server of the conformance tests ended:\n{log}", returncode=3)


def _address(server: subprocess.Popen[str], log: Path) -> str:
    while server.poll() is None:
        if found := re.search(r"Serving on (http://\S+)", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.02)
    pytest.exit(log.read_text(encoding="utf-8"), returncode=3)
