"""Programs under another licence, each in a process of its own, spoken to over pipes."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech.contracts import Pcm


class Program:
    """A small program that is given a line of JSON and returns a line of JSON, then samples.

    Started at the first question, anew after it died. It ends when this
    process does, because its input ends. Safe to ask from several threads.
    """

    def __init__(
        self, file: str, arguments: Sequence[str] = (), *, options: Sequence[str] = ("-I",)
    ) -> None:
        path = Path(__file__).with_name(file)
        self._command = [sys.executable, *options, str(path), *arguments]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any], *, timeout_s: float) -> Pcm:
        """Return the sound that it makes.

        Raises ProviderRefused with its own sentence, and ProviderUnavailable when
        it dies or is silent for `timeout_s`.
        """
        with self._lock:
            process = self._running()
            # A pipe has no time-out of its own; ending the process ends the wait.
            alarm = threading.Timer(timeout_s, process.kill)
            alarm.daemon = True
            alarm.start()
            try:
                return self._answer(process, request)
            except (OSError, ValueError, EOFError) as error:
                self._end()
                raise ProviderUnavailable("The voice stopped while it spoke. Try again.") from error
            finally:
                alarm.cancel()

    def _answer(self, process: "subprocess.Popen[bytes]", request: dict[str, Any]) -> Pcm:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        head = json.loads(_whole_line(process.stdout))
        if "problem" in head:
            raise ProviderRefused(head["problem"], code=head.get("code"))
        data = process.stdout.read(head["n_bytes"])
        if len(data) < head["n_bytes"]:
            raise EOFError
        return Pcm(data, head["rate_hz"])

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                continue  # what it did not read any more is of no use

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()


def _whole_line(stream: IO[bytes]) -> bytes:
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return line
