"""One file among many, in a folder or an archive, and the names it may have."""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, NamedTuple

_ARCHIVES: Final = frozenset({".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar"})
_UNSAID: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# What comes along with data but is none.
_BESIDE: Final = re.compile(
    r"(?i)(readme|license|licence|notice|copying|changelog|authors)(\.[a-z]+)?"
    r"|thumbs\.db|desktop\.ini|dataset_info\.json|.*\.(md|rst|py|ya?ml|sha256)"
)

TEXTS: Final = frozenset({".txt"})
JSON: Final = frozenset({".json", ".jsonl", ".ndjson"})
TABLES: Final = frozenset({".csv", ".tsv", ".xlsx", ".parquet"})


class Member(NamedTuple):
    """One file of a folder or archive.

    `name` is its way from there with forward slashes, clean. `copy` writes its bytes
    to an open file, or is None where `path` is the file itself. It raises Overspent,
    InvalidInput where a manifest describes another file, StorageFull, OSError or one of BROKEN.
    """

    name: str
    copy: Callable[[BinaryIO], None] | None = None
    path: Path | None = None

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


def is_safe_name(name: str) -> bool:
    """Say whether a name stays inside its archive, on every system."""
    parts = name.replace("\\", "/").split("/")
    drive = re.match(r"[A-Za-z]:", name) is not None
    return bool(parts[0]) and ".." not in parts and "\0" not in name and not drive


def is_archive_name(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _ARCHIVES


def is_hidden(name: str) -> bool:
    """Say whether a name is one that its system hides, or keeps for itself."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def is_beside(name: str) -> bool:
    """Say whether this is a licence, a description or the like, which is not data."""
    return _BESIDE.fullmatch(PurePosixPath(name).name) is not None


def clean(name: str) -> str:
    """Return a name that a page can show and a database keep.

    What a name may not be given in, such as line ends or bytes that are no
    text, becomes a replacement character.
    """
    return _UNSAID.sub("\N{REPLACEMENT CHARACTER}", name)


def shown(name: str) -> str:
    """Return a clean name of at most 120 characters."""
    name = clean(name)
    return name if len(name) <= 120 else f"{name[:60]}…{name[-59:]}"
