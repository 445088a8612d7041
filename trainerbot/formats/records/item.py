"""A record as it was found, before anybody asks what it means."""

from typing import Any, NamedTuple


class Item(NamedTuple):
    """One element of a file: its number from 1, and what it holds.

    `from_table` says that numbers and dates may stand where a text is meant,
    because a sheet knows no difference.
    """

    line: int
    value: Any
    from_table: bool = False
