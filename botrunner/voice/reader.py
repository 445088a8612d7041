"""The thread that reads a call's socket."""

from __future__ import annotations

import logging
import select
import socket
from contextlib import suppress

from discord.voice_state import SocketReader, VoiceConnectionState

log = logging.getLogger(__name__)


class Reader(SocketReader):
    """discord.py's reader thread, which can be woken.

    Its own sits in select() for up to 30 s, which closing the socket does not
    end, nor always shutting it down: until then no new connection would hear
    an answer.
    """

    def __init__(self, state: VoiceConnectionState) -> None:
        super().__init__(state)
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._n_failed = 0

    def wake(self) -> None:
        """Look again which socket there is, and whether to read it. From any thread."""
        with suppress(OSError):  # it has ended, or has been woken a thousand times over
            self._waker.send(b"!")

    def stop(self) -> None:
        super().stop()
        self.wake()

    def _do_run(self) -> None:
        with self._waker, self._woken:
            while not self._end.is_set():
                if not self._running.is_set():
                    self._running.wait()
                    continue
                current = self.state.socket
                try:
                    readable, _, _ = select.select([current, self._woken], [], [])
                except (ValueError, TypeError, OSError):
                    # Closed, or not there yet: no reason to turn in circles until it is.
                    self._end.wait(0.01)
                    continue
                if self._woken in readable:
                    self._woken.recv(1024)
                elif current is self.state.socket:
                    self._read(current)

    def _read(self, current: socket.socket) -> None:
        try:
            datagram = current.recv(2048)
        except OSError as error:
            log.debug("A datagram could not be read: %s", error)
            return
        for callback in list(self._callbacks):
            try:
                callback(datagram)
            except Exception:
                # Fifty a second from each speaker would fill the log.
                self._n_failed += 1
                if self._n_failed & (self._n_failed - 1) == 0:
                    log.exception("What came could not be taken in (%d times).", self._n_failed)


def ended(reader: SocketReader) -> None:
    """End a reader that was only just started; takes a millisecond."""
    while reader.is_alive():
        reader.stop()  # a thread that has not quite begun forgets it
        reader.join(0.001)
