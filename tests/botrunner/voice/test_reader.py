"""The thread that reads a call's socket, while sockets come and go."""

import queue
import socket
from types import SimpleNamespace

import pytest

from botrunner.voice.reader import Reader, ended


def pair() -> tuple[socket.socket, socket.socket]:
    """A sender and who hears it, connected."""
    hears, says = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for each in (hears, says):
        each.bind(("127.0.0.1", 0))
        each.setblocking(False)
    hears.connect(says.getsockname())
    says.connect(hears.getsockname())
    return says, hears


@pytest.fixture
def reading():
    state = SimpleNamespace(socket=None)
    reader = Reader(state)
    reader.start()
    heard: queue.Queue[bytes] = queue.Queue()
    reader.register(heard.put)
    reader.resume()
    yield state, reader, heard
    reader.stop()
    reader.join(60)
    assert not reader.is_alive()


def test_the_next_socket_is_read_at_once_though_the_last_one_is_silent(reading):
    state, reader, heard = reading
    for number in range(50):
        says, hears = pair()
        reader.pause()
        reader.wake()
        former, state.socket = state.socket, hears
        reader.resume()
        reader.wake()
        if former:
            former.close()

        with says:
            says.send(bytes([number]))
            assert heard.get(timeout=60) == bytes([number])
    state.socket.close()


def test_one_who_cannot_take_a_datagram_does_not_deafen_the_others(reading):
    state, reader, heard = reading

    def fail(datagram: bytes) -> None:
        raise ValueError

    reader._callbacks.insert(0, fail)
    says, state.socket = pair()
    reader.wake()

    with says, state.socket:
        says.send(b"hello")
        assert heard.get(timeout=60) == b"hello"


def test_a_reader_that_has_only_begun_can_be_ended():
    for _ in range(20):
        reader = Reader(SimpleNamespace(socket=None))
        reader.start()
        ended(reader)

        assert not reader.is_alive()
