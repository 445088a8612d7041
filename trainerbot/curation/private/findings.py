"""What is private in a text, and where."""

from enum import StrEnum
from typing import NamedTuple


class PrivateKind(StrEnum):
    """What kind of thing was found. The value is what its placeholder says."""

    EMAIL = "e-mail"
    PHONE = "phone"
    CARD = "card"
    IBAN = "IBAN"
    IP_ADDRESS = "IP address"
    KEY = "key"
    PASSWORD = "password"
    LOGIN = "login"


class Finding(NamedTuple):
    """One private thing: text[start:end], in characters."""

    kind: PrivateKind
    start: int
    end: int
