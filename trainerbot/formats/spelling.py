"""The one spelling of a record: what is hashed, compared and written."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

_encode: Final = msgspec.json.Encoder(order="sorted").encode


def canonical(record: Mapping[str, Any]) -> str:
    """Return one row in the one spelling that is hashed: sorted keys, no spaces, a line end.

    PostgreSQL does not keep the order of keys, so it cannot be part of it.
    """
    if is_plain(record):
        # The same bytes in a sixth of the time; numbers are what the two write
        # differently (1e+16, 1e16), and a plain row has none.
        return _encode(record).decode() + "\n"
    row = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return row + "\n"


def is_plain(record: Mapping[str, Any]) -> bool:
    """Say whether a row is messages and nothing else, each of them a role and a text."""
    messages = record.get("messages")
    if len(record) != 1 or type(messages) is not list:
        return False
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return False
        if type(message.get("content")) is not str or type(message.get("role")) is not str:
            return False
    return True
