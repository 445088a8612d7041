"""A seeded model server in a process of its own, for as long as the tests take."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
# Both keys stand in OpenAI's tests; permissions are asked for with the second.
KEYS = ("My API Key", "My Admin API Key")
# The names of the base models in those tests; all are the packaged one.
MODELS = ("gpt-6-astra", "gpt-4o-mini", "model", "text-embedding-3-small")


class ServerEnded(Exception):
    """The server is not there any more; the message is its log."""


class SeededServer:
    """Started at construction. The packaged model's file is named by CONFORMANCE_GGUF."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="conformance-", ignore_cleanup_errors=True
        )
        folder = Path(self._folder.name)
        self._log = folder / "log"
        keys = folder / "keys"
        keys.write_text("\n".join(KEYS), encoding="utf-8")
        command = [sys.executable, str(HERE / "server.py"), "--data", str(folder / "data")]
        command += ["--port", "0", "--api-key-file", str(keys), "--no-packaged-model"]
        # An answer without max_tokens would else be as long as the model likes.
        command += ["--context-tokens", "256"]
        for name in MODELS:
            link = folder / f"{name}.gguf"
            link.symlink_to(os.environ["CONFORMANCE_GGUF"])
            command += ["--model", str(link)]
        # The SDK asks for base64 where its user asks for nothing, and then, checking strictly,
        # takes only the numbers of the description.
        command.append("--embeddings-as-numbers")
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.seed("the first")  # answered only when the store is open
        self.url = f"{self._address()}/v1"

    def seed(self, test: str) -> None:
        """Lay every row anew, for the test of this name. Raises ServerEnded."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{test}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if answer != "seeded\n":
            raise ServerEnded(self._log.read_text(encoding="utf-8"))

    def end(self) -> None:
        """Kill it, and remove what it stored."""
        self._process.kill()
        with self._process:  # closes the pipes
            pass
        self._folder.cleanup()

    def _address(self) -> str:
        while self._process.poll() is None:
            if found := re.search(r"Serving on (http://\S+)", self._log.read_text("utf-8")):
                return found[1]
            time.sleep(0.02)
        raise ServerEnded(self._log.read_text(encoding="utf-8"))
