"""Signatures with ECDSA on the curve P-256 and SHA-256 (FIPS 186-5), for the fake alone.

Plain and slow on purpose: the fake signs a handful of proposals with keys that
protect nothing, which is not worth a dependency.
"""

import hashlib
import secrets

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
A = P - 3
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None  # None is the point at infinity


class SigningKey:
    def __init__(self) -> None:
        self._secret = 1 + secrets.randbelow(N - 1)

    @property
    def public(self) -> bytes:
        """The public point, uncompressed (SEC 1): 65 bytes."""
        point = _multiply(self._secret, G)
        assert point is not None
        return b"\x04" + point[0].to_bytes(32) + point[1].to_bytes(32)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`, DER-encoded."""
        digest = int.from_bytes(hashlib.sha256(data).digest())
        while True:
            nonce = 1 + secrets.randbelow(N - 1)
            point = _multiply(nonce, G)
            assert point is not None
            r = point[0] % N
            s = pow(nonce, -1, N) * (digest + r * self._secret) % N
            if r and s:
                return _der_sequence(_der_integer(r) + _der_integer(s))


def _add(first: Point, second: Point) -> Point:
    if first is None or second is None:
        return first or second
    (x1, y1), (x2, y2) = first, second
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    if first == second:
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def _multiply(times: int, point: Point) -> Point:
    total: Point = None
    while times:
        if times & 1:
            total = _add(total, point)
        point = _add(point, point)
        times >>= 1
    return total


def _der_integer(value: int) -> bytes:
    # One byte more than the number needs where its highest bit would read as a sign.
    data = value.to_bytes(value.bit_length() // 8 + 1)
    return bytes([0x02, len(data)]) + data


def _der_sequence(content: bytes) -> bytes:
    return bytes([0x30, len(content)]) + content
