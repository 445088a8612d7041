"""Ports: whether one is free, who has it if not, and when it answers."""

import errno
import http.client
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from trainerbot.errors import Conflict, InvalidInput

ASK_TIMEOUT_S = 2.0
LOOK_EVERY_S = 0.05
OUR_NAME = b"TrainerBot"


@dataclass(frozen=True)
class Port:
    """A port that `owner` wants to open, and the setting that names another."""

    owner: str
    host: str
    number: int
    setting: str

    @property
    def url(self) -> str:
        """The address at which this machine's browser finds it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.number}" if ":" in host else f"http://{host}:{self.number}"


def refuse_taken_port(port: Port) -> None:
    """Raise Conflict, with who has it and what to do, unless the port can be opened now."""
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform == "win32":  # there REUSEADDR would share the port with its holder
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, port.number))
        except (OSError, OverflowError) as error:
            raise _refusal(port, error) from error


def _refusal(port: Port, error: Exception) -> Conflict | InvalidInput:
    number = getattr(error, "errno", None)
    another = f"set another port, such as {port.setting}={_another(port.number)}."
    if number == errno.EADDRINUSE:
        if answers_as_ours(port.url):
            return Conflict(f"TrainerBot already runs at {port.url}. Open it there, or {another}")
        return Conflict(
            f"Port {port.number}, which {port.owner} needs, is taken by another program. "
            f"Stop that, or {another}"
        )
    if number == errno.EACCES:
        return InvalidInput(f"This user may not open port {port.number}: {another}")
    return InvalidInput(f"{port.owner.capitalize()} cannot be at {port.host}:{port.number}.")


def _another(number: int) -> int:
    return number + 10 if number + 10 < 65536 else 8010


def answers_as_ours(url: str) -> bool:
    """Whether a TrainerBot dashboard is at `url`: its first page says so."""
    try:
        with urllib.request.urlopen(url, timeout=ASK_TIMEOUT_S) as page:
            return OUR_NAME in page.read(65536)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def wait_until_open(port: Port, *, give_up: Callable[[float], bool]) -> bool:
    """Wait until somebody answers at `port` and return True.

    Between looks calls `give_up` with the seconds to pause there; once that
    returns True, so does the waiting end, with False.
    """
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(port.host, port.host)
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((host, port.number)) == 0:
                return True
        if give_up(LOOK_EVERY_S):
            return False
