"""How much an archive may unpack to, counted as it happens."""

from typing import BinaryIO, Final, Protocol

from trainerbot.errors import StorageFull, TrainerBotError

MAX_UNPACKED_BYTES: Final = 4 * 2**30
"""What all files of one archive may hold together."""

MAX_RATIO: Final = 200
"""Text packs to a tenth, repetitive text to a hundredth; bombs to a thousandth."""

FREE_BYTES: Final = 32 * 2**20
"""Unpacked bytes below which the ratio is not looked at."""


class Overspent(TrainerBotError):
    """An archive holds far more than its size lets one expect: a bomb."""


class Budget:
    """The bytes that one archive of `packed_bytes` may still unpack to.

    What an archive says about its own sizes is never believed: each byte is
    counted when it comes out.
    """

    def __init__(self, packed_bytes: int) -> None:
        self._left = min(MAX_UNPACKED_BYTES, max(FREE_BYTES, MAX_RATIO * packed_bytes))

    def spend(self, n_bytes: int) -> None:
        """Raise Overspent once more has come out than may."""
        self._left -= n_bytes
        if self._left < 0:
            raise Overspent(
                "This archive unpacks to far more than its size lets one expect (a zip bomb). "
                "It was not read on."
            )


class Readable(Protocol):
    """What bytes come out of, none at its end."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes."""
        ...


def copy_within(budget: Budget, source: Readable, target: BinaryIO, *, chunk: int = 2**20) -> None:
    """Copy what comes out of an archive to a file of ours, as far as the budget goes.

    Raises Overspent past the budget and StorageFull when our own disk is.
    """
    while data := source.read(chunk):
        budget.spend(len(data))
        try:
            target.write(data)
        except OSError as error:
            raise StorageFull("There is no room left to unpack this file.") from error
