"""What Discord's voice servers send: RTP (RFC 3550) under XChaCha20-Poly1305."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import nacl.exceptions
import nacl.secret

SILENCE: Final = b"\xf8\xff\xfe"  # Opus; what a client sends when somebody stops speaking
SAMPLES_PER_FRAME: Final = 960  # of RTP's clock, 48 kHz
OPUS: Final = 120  # Discord's RTP payload type of sound; video, RTCP and keep-alives have others
END_TO_END: Final = b"\xfa\xfa"  # the last bytes of a frame that is end-to-end encrypted
_HEADER_BYTES, _TAG_BYTES, _NONCE_BYTES = 12, 16, 4
_VERSION, _PADDING, _EXTENSION, _N_SOURCES = 0b1100_0000, 0b0010_0000, 0b0001_0000, 0b0000_1111


class Unreadable(Exception):
    """A packet that is broken, or sealed with another key than ours."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One frame of somebody's voice, perhaps still end-to-end encrypted.

    `sequence` counts packets modulo 2**16, `timestamp` samples at 48 kHz
    modulo 2**32; `ssrc` names the source, in this connection only.
    """

    ssrc: int
    sequence: int
    timestamp: int
    frame: bytes

    @property
    def is_silence(self) -> bool:
        return self.frame == SILENCE


def is_voice(datagram: bytes) -> bool:
    """Whether a datagram is sound, and long enough to be read."""
    return (
        len(datagram) > _HEADER_BYTES + _TAG_BYTES + _NONCE_BYTES
        and datagram[0] & _VERSION == 0b1000_0000
        and datagram[1] & 0x7F == OPUS
    )


def opened(datagram: bytes, box: nacl.secret.Aead) -> Packet:
    """Decrypt what the voice server sealed, in the mode aead_xchacha20_poly1305_rtpsize.

    The header, with the first word of its extension, is authenticated only;
    the extension itself is inside. The padding goes, too: it is RTP's, and
    whoever leaves it on finds no end-to-end encrypted frame before it.
    Raises Unreadable.
    """
    flags, _, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", datagram)
    header = _HEADER_BYTES + 4 * (flags & _N_SOURCES)
    extension = 0
    try:
        if flags & _EXTENSION:
            extension = 4 * struct.unpack_from(">H", datagram, header + 2)[0]
            header += 4
        body = box.decrypt(
            datagram[header:-_NONCE_BYTES],
            datagram[:header],
            datagram[-_NONCE_BYTES:] + bytes(nacl.secret.Aead.NONCE_SIZE - _NONCE_BYTES),
        )
    except (struct.error, nacl.exceptions.CryptoError, ValueError) as error:
        raise Unreadable("not sealed with our key") from error
    frame = body[extension:]
    if flags & _PADDING:
        n_padding = frame[-1] if frame else 0
        if not 0 < n_padding <= len(frame):
            raise Unreadable("more padding than packet")
        frame = frame[:-n_padding]
    if not frame:
        raise Unreadable("nothing but padding")
    return Packet(ssrc, sequence, timestamp, frame)
