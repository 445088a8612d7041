"""Looking for everything private in one text."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from trainerbot.curation.private.addresses import emails, ip_addresses, logins
from trainerbot.curation.private.findings import Finding
from trainerbot.curation.private.keys import MIN_LETTERS, SECRET_NAMES, keys, passwords
from trainerbot.curation.private.numbers import cards, ibans, phones

_DIGITS: Final = b"0123456789"

# One AWS key in thirty has no digit; what is named a private key needs none.
_KEYS_WITHOUT_DIGITS: Final = ("AKIA", "ASIA", "PRIVATE KEY")

# The fewest digits of a phone, a card or an account, and half of an IP address.
_RUN: Final = re.compile(r"\d(?:[ \u00a0().\u2010-\u2013-]{0,3}\d){6}")
_DOTTED: Final = re.compile(r"\d\.\d{1,3}\.\d")


def find_private(text: str) -> list[Finding]:
    """Return what is private in a text, in order; no two findings overlap.

    E-mail addresses, phone numbers, payment cards, IBANs, public IP addresses,
    API keys and tokens, passwords that are named so, and logins within URLs.
    By form alone: names of people and street addresses are not found, nor
    phone numbers that nothing tells from an order number.

    Text without any of it costs about 10 µs a KB.
    """
    found: list[Finding] = []
    while fresh := _search(text):
        found.extend(fresh)
        text = _blank(text, fresh)
    found.sort(key=lambda finding: finding.start)
    return found


def _search(text: str) -> list[Finding]:
    """Return what one pass finds. What is surer comes first and hides its place from the rest."""
    found: list[Finding] = []
    for search in _searches(text):
        if fresh := _merged(search(text)):
            found.extend(fresh)
            text = _blank(text, fresh)
    return found


def _searches(text: str) -> Iterator[Callable[[str], Iterator[Finding]]]:
    """Yield the searches that may find something. Asking costs far less than searching."""
    raw = text.encode("utf-8", "surrogatepass")
    n_digits = len(raw) - len(raw.translate(None, _DIGITS))
    if (n_digits and _has_long_word(text)) or any(map(text.__contains__, _KEYS_WITHOUT_DIGITS)):
        yield keys
    if "@" in text:
        if "://" in text:
            yield logins
        yield emails
    if any(map(text.lower().__contains__, SECRET_NAMES)):
        yield passwords
    has_run = n_digits >= 7 and _RUN.search(text) is not None
    if has_run:
        yield ibans
        yield cards
    if (n_digits >= 4 and _DOTTED.search(text)) or "::" in text or text.count(":") >= 7:
        yield ip_addresses
    if has_run:
        yield phones


def _has_long_word(text: str) -> bool:
    return max(map(len, text.split()), default=0) >= MIN_LETTERS


def _merged(found: Iterator[Finding]) -> list[Finding]:
    """Return findings of one kind in order, with those that overlap made one."""
    merged: list[Finding] = []
    for finding in sorted(found, key=lambda finding: finding.start):
        if merged and finding.start < merged[-1].end:
            last = merged.pop()
            finding = last._replace(end=max(last.end, finding.end))
        merged.append(finding)
    return merged


def _blank(text: str, found: list[Finding]) -> str:
    """Return a text as long as before, with dots in brackets for what was found."""
    for finding in found:
        dots = "·" * (finding.end - finding.start - 2)
        text = f"{text[: finding.start]}[{dots}]{text[finding.end :]}"
    return text
