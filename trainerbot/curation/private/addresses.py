"""E-mail and IP addresses, and logins written into a URL."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from trainerbot.curation.private.findings import Finding, PrivateKind

# RFC 5321's dot-string, in any script, and a domain with a top level of letters.
_EMAIL: Final = re.compile(
    r"(?<![\w.%+-])[\w%+-][\w%+'-]{0,63}(?:\.[\w%+'-]{1,64}){0,8}"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-])",
    re.IGNORECASE,
)

# "git@github.com:team/project" is an address of a program.
_PROGRAMS: Final = frozenset({"git", "hg", "svn"})

# "photo@2x.png" is a picture for a fine screen.
_FILE_ENDINGS: Final = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "ts", "py"))  # fmt: skip

_LOGIN: Final = re.compile(
    r"(?<=://)[^\s/?#@\"'<>\[\]{}]{1,128}:[^\s/?#@\"'<>\[\]]{1,256}(?=@[\w\[])"
)

# What may not stand before is looked for behind the first digit: a pattern that
# begins with what it consumes is searched for five times as fast.
_IPV4: Final = re.compile(r"\d(?<![\w.]\d)(?<!\d[:/-]\d)\d{0,2}(?:\.\d{1,3}){3}(?![\w-]|\.\w|,\d)")
_COLONS: Final = re.compile(r"::|:[0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}:")
_IPV6: Final = re.compile(
    r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:]|\.\w)", re.IGNORECASE
)

# Before what looks like an address, these say that it is something else.
_VERSION: Final = re.compile(
    r"(?:\b(?:v|ver|version|release|build|firmware|driver|section|chapter|clause|§|"
    r"верси[яиюей]|релиз|сборк[аиуе]|прошивк[аиуе]|раздел\w?|пункт\w?|п)\.?\s*|[a-z]-)$",
    re.IGNORECASE,
)

# Services that everybody is told to use; they are nobody's address.
_PUBLIC: Final = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"})


def emails(text: str) -> Iterator[Finding]:
    """Yield the e-mail addresses of a text."""
    for match in _EMAIL.finditer(text):
        name, _, domain = match.group().partition("@")
        if name.casefold() in _PROGRAMS or domain.rpartition(".")[2].casefold() in _FILE_ENDINGS:
            continue
        yield Finding(PrivateKind.EMAIL, *match.span())


def logins(text: str) -> Iterator[Finding]:
    """Yield each `name:password` of a URL, without what is around it."""
    for match in _LOGIN.finditer(text):
        yield Finding(PrivateKind.LOGIN, *match.span())


def ip_addresses(text: str) -> Iterator[Finding]:
    """Yield the addresses that lead to one machine of the Internet.

    Not those that every home has (192.168.0.1), that documents are written
    with (RFC 5737), or that belong to a well-known name server; nor versions.
    """
    for match in _IPV4.finditer(text):
        numbers = match.group().split(".")
        # 2.4.1.3 is a section or a version far more often than a machine.
        if all(len(number) == 1 for number in numbers) or _is_version(text, match.start()):
            continue
        if _is_somewhere(match.group()):
            yield Finding(PrivateKind.IP_ADDRESS, *match.span())
    if _COLONS.search(text) is None:
        return
    for match in _IPV6.finditer(text):
        if len(match.group()) > 4 and _is_somewhere(match.group()):
            yield Finding(PrivateKind.IP_ADDRESS, *match.span())


def _is_version(text: str, at: int) -> bool:
    return _VERSION.search(text, max(0, at - 20), at) is not None


def _is_somewhere(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast and address not in _PUBLIC
