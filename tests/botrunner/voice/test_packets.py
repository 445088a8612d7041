"""RTP as Discord seals it, and whatever else arrives on the socket."""

import os
import struct

import nacl.secret
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botrunner.voice.packets import Unreadable, is_voice, opened

KEY = bytes(range(32))
BOX = nacl.secret.Aead(KEY)


def sealed(
    frame: bytes, *, sources: int = 0, extension: int = 0, padding: bytes = b"", key: bytes = KEY
) -> bytes:
    """A packet with so many contributing sources and words of extension."""
    flags = 0x80 | sources | (0x10 if extension else 0) | (0x20 if padding else 0)
    header = struct.pack(">BBHII", flags, 120, 65_535, 2**32 - 960, 7) + bytes(4 * sources)
    if extension:
        header += struct.pack(">HH", 0xBEDE, extension)
    nonce = os.urandom(4)
    body = bytes(4 * extension) + frame + padding
    box = nacl.secret.Aead(key)
    return header + box.encrypt(body, header, nonce + bytes(20)).ciphertext + nonce


@pytest.mark.parametrize("sources", [0, 2])
@pytest.mark.parametrize("extension", [0, 1, 3])
@pytest.mark.parametrize("n_padding", [0, 1, 255])
def test_a_frame_is_found_among_all_that_rtp_puts_around_it(sources, extension, n_padding):
    padding = bytes(n_padding - 1) + bytes([n_padding]) if n_padding else b""
    datagram = sealed(b"opus", sources=sources, extension=extension, padding=padding)

    packet = opened(datagram, BOX)

    assert is_voice(datagram)
    assert packet.frame == b"opus"
    assert (packet.ssrc, packet.sequence, packet.timestamp) == (7, 65_535, 2**32 - 960)


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(sealed(b"opus", key=bytes(32)), id="another key"),
        pytest.param(sealed(b"opus")[:-1], id="cut short"),
        pytest.param(sealed(b"", padding=b"\x00\x00\x05"), id="more padding than packet"),
        pytest.param(sealed(b"ab", padding=b"\x00"), id="padding of no length"),
        pytest.param(sealed(b"", padding=b"\x00\x02"), id="nothing but padding"),
        pytest.param(sealed(b""), id="nothing at all"),
    ],
)
def test_what_is_broken_is_refused(datagram):
    with pytest.raises(Unreadable):
        opened(datagram, BOX)


@given(st.binary(min_size=33, max_size=200))
def test_no_datagram_breaks_it(noise):
    datagram = bytes([0x80 | noise[0] & 0x3F, 120]) + noise[2:]
    assert is_voice(datagram)

    with pytest.raises(Unreadable):
        opened(datagram, BOX)


@pytest.mark.parametrize("datagram", [b"", b"\x80\x78", bytes(74), b"\x80\xc8" + bytes(60)])
def test_what_is_no_voice_is_told_apart(datagram):
    assert not is_voice(datagram)
