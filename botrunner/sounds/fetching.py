"""Sounds from Discord's file servers: from there alone, so much, so long, and no trace left."""

import asyncio
import ipaddress
import logging
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import requests
import urllib3
import yarl
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from botrunner.gateway import AttachmentUnavailable, is_cdn
from trainerbot.errors import InvalidInput

log = logging.getLogger(__name__)

MOST_BYTES: Final = 25 * 1024 * 1024
CONNECT_WITHIN_S: Final = 5.0
SILENCE_S: Final = 5.0
FETCHED_WITHIN_S: Final = 60.0
PIECE_BYTES: Final = 64 * 1024
FOLDER_PREFIX: Final = "trainerbot-sound-"

BROKE_OFF: Final = "Discord's file server broke off, so I did not hear it. Send it again."
NOT_HANDED_OUT: Final = (
    "Discord does not hand this file out (any more). Attach it to a new message."
)
TOO_SLOW: Final = "Discord's file server was too slow, so I did not hear it. Send it again."

# Threads of their own: a slow server shall not keep other work waiting that needs a thread.
FETCHED: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="sound")


class TooMuch(InvalidInput):
    """A sound of more bytes than are fetched."""

    def __init__(self) -> None:
        super().__init__(f"It is too large to hear: {MOST_BYTES // 2**20} MiB is the most.")


class _Elsewhere(Exception):
    """A name of Discord's led to a machine that cannot be Discord's."""


async def fetch(address: str) -> bytes:
    """Return the file at `address`, an attachment's.

    Follows no redirect, and connects to no private address. What comes lies in
    a folder of its own meanwhile, which is gone when this ends in any way.
    Raises InvalidInput when the address is not one of Discord's file servers
    or the file is too large, and AttachmentUnavailable when it is not handed
    out, too slowly, or not whole.
    """
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(FETCHED, _fetch, address, stop)
    finally:
        stop.set()  # whoever is cancelled waits no longer; the thread ends at its next piece


def _fetch(address: str, stop: threading.Event) -> bytes:
    if not is_cdn(address):
        raise InvalidInput("This attachment does not lie with Discord. Attach the file itself.")
    try:
        with (
            tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as folder,
            requests.Session() as session,
        ):
            _set_up(session)
            path = Path(folder) / "sound"
            _save(session, address, path, stop)
            return path.read_bytes()
    except _Elsewhere as error:
        log.warning("An attachment's address led to a private network: %s", error)
        raise AttachmentUnavailable(NOT_HANDED_OUT) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        log.info("A sound could not be fetched: %s", type(error).__name__)
        raise AttachmentUnavailable(BROKE_OFF) from error


def _set_up(session: requests.Session) -> None:
    """Let a session go to Discord's machines, and nowhere else."""
    session.trust_env = False  # no proxy, and no password of this machine's user
    session.mount("http://", _Adapter())
    session.mount("https://", _Adapter())


def _save(session: requests.Session, address: str, path: Path, stop: threading.Event) -> None:
    ends_at = time.monotonic() + FETCHED_WITHIN_S
    with (
        session.get(
            # Written anew by whom it was checked, so that both read the same host in it.
            str(yarl.URL(address, encoded=True)),
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_WITHIN_S, SILENCE_S),
            # As it is: what is unpacked on the way could grow without bounds.
            headers={"Accept-Encoding": "identity"},
        ) as response,
        path.open("wb") as file,
    ):
        if response.status_code != 200:
            log.warning("Discord's file server answered %s.", response.status_code)
            raise AttachmentUnavailable(NOT_HANDED_OUT)
        said = response.headers.get("Content-Length", "")
        if said.isdigit() and int(said) > MOST_BYTES:
            raise TooMuch
        n_bytes = 0
        # A piece as soon as there is one, so that a server that drips is noticed.
        while piece := response.raw.read1(PIECE_BYTES, decode_content=False):
            n_bytes += len(piece)
            if n_bytes > MOST_BYTES:
                raise TooMuch
            if stop.is_set() or time.monotonic() > ends_at:
                raise AttachmentUnavailable(TOO_SLOW)
            file.write(piece)
        if said.isdigit() and n_bytes < int(said):
            raise AttachmentUnavailable(BROKE_OFF)


# --- To Discord, and to nobody else's machine ---------------------------------------------
def _check_peer(sock: socket.socket) -> socket.socket:
    """Raise _Elsewhere, before a byte is sent, unless the peer is on the open internet."""
    peer = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
        peer = peer.ipv4_mapped
    if not peer.is_global or peer.is_multicast:
        sock.close()
        raise _Elsewhere(str(peer))
    return sock


class _CheckedHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        # The address that was really reached: a name may resolve anew at each look.
        return _check_peer(super()._new_conn())


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedHTTPS


class _LocalHTTP(HTTPConnection):
    """In clear only to a test server on this machine, which `is_cdn` lets through by name."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        if not ipaddress.ip_address(sock.getpeername()[0]).is_loopback:
            sock.close()
            raise _Elsewhere(self.host)
        return sock


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _LocalHTTP


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
