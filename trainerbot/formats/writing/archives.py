"""An archive: one zip with a dataset's files and a manifest that says where they came from."""

import contextlib
import hashlib
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from trainerbot.errors import Conflict, InvalidInput
from trainerbot.formats.rows import Kind
from trainerbot.formats.writing.files import Written, digest, whole_file
from trainerbot.formats.zips import BROKEN, TooManyFiles, is_damage, open_zip

MANIFEST: Final = "manifest.json"
FORMAT: Final = "trainerbot-archive"
FORMAT_VERSION: Final = 1
MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024
MAX_FILES: Final = 1000

_PIECE_BYTES: Final = 1024 * 1024
# Names that every system takes: no folders that lead out, no colons, no control characters.
_NAME: Final = re.compile(r"(?!\.)[\w.\- ]{1,100}(?:/(?!\.)[\w.\- ]{1,100}){0,4}")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of an archive as its manifest tells it; sha256 is hexadecimal."""

    sha256: str
    n_bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset version is and where each part of it came from.

    counts: source (upload, Discord modal, correction, ...) -> examples.
    provenance: JSON of the caller's, such as authors, permissions and the
    parent version. created: with its zone. main: the file that holds every row
    as it is, which is the one that an import reads. files: filled by `archive`.
    """

    name: str
    version: int
    kind: Kind
    counts: Mapping[str, int]
    licence: str
    created: datetime
    provenance: Any = None
    main: str = ""
    files: Mapping[str, Entry] = msgspec.field(default_factory=dict)
    format: str = FORMAT
    format_version: int = FORMAT_VERSION


def archive(
    path: str | os.PathLike[str], *, files: Mapping[str, Path], manifest: Manifest
) -> Written:
    """Write an archive of `files` (name inside -> file) and the manifest that hashes them.

    The same files and manifest make the same bytes, `manifest.created` being
    the time of every entry. Whole or not there. Raises InvalidInput for a
    name that could lead out of a folder or a time without a zone, Conflict
    when a file changes meanwhile, StorageFull, OSError.
    """
    for name in files:
        if name == MANIFEST or not _NAME.fullmatch(name):
            raise InvalidInput(
                f"A file of an archive cannot be called {name[:80]!r}. Use letters, digits, "
                "points and dashes."
            )
    if manifest.created.tzinfo is None:
        raise InvalidInput("The time of an archive needs its zone.")
    entries = {}
    for name, file in sorted(files.items()):
        n_bytes, sha256 = digest(file)
        entries[name] = Entry(sha256=sha256, n_bytes=n_bytes)
    told = msgspec.structs.replace(manifest, files=entries)
    path = Path(path)
    with whole_file(path) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        text = msgspec.json.format(msgspec.json.encode(told, order="deterministic"), indent=2)
        made.writestr(_entry(MANIFEST, manifest.created), text + b"\n", compresslevel=6)
        for name, entry in entries.items():
            _add(made, name, files[name], entry, manifest.created)
    n_bytes, sha256 = digest(path)
    return Written(n_examples=sum(manifest.counts.values()), n_bytes=n_bytes, sha256=sha256)


def read_manifest(path: str | os.PathLike[str]) -> Manifest | None:
    """Return what an archive of ours says of itself, or None when the file is none.

    Raises InvalidInput when it is one and cannot be understood, OSError.
    """
    with _opened(path) as opened:
        return _manifest(opened) if opened else None


def read_file(path: str | os.PathLike[str], name: str, *, max_bytes: int) -> Iterator[bytes]:
    """Yield the pieces of one file of an archive of ours, in the end checked against its hash.

    Raises InvalidInput when there is no such file, or it is damaged or has
    more than `max_bytes`; OSError.
    """
    with _opened(path) as opened:
        manifest = _manifest(opened) if opened else None
        entry = manifest.files.get(name) if manifest else None
        if opened is None or entry is None or entry.n_bytes > max_bytes:
            raise InvalidInput(_DAMAGED)
        with _damage_in_words(), opened.open(name) as part:
            source = Described(part, name, entry)
            while piece := source.read(_PIECE_BYTES):
                yield piece


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile | None]:
    """A zip of ours, or None: `manifest.json` is its first file and says whose it is."""
    with Path(path).open("rb") as file:
        head = file.read(30 + len(MANIFEST))
        if not head.startswith(b"PK\x03\x04") or head[30:] != MANIFEST.encode():
            yield None
            return
        try:
            opened = open_zip(file, max_files=MAX_FILES)
        except TooManyFiles:
            yield None
            return
        yield opened


def _manifest(opened: zipfile.ZipFile) -> Manifest | None:
    names = opened.namelist()
    with _damage_in_words(), opened.open(MANIFEST) as part:
        text = part.read(MAX_MANIFEST_BYTES + 1)
    if len(text) > MAX_MANIFEST_BYTES:
        raise InvalidInput(_DAMAGED)
    try:
        claims = msgspec.json.decode(text, type=dict[str, Any])
        if claims.get("format") != FORMAT:
            return None
        if claims.get("format_version") != FORMAT_VERSION:
            raise InvalidInput(
                "This archive was made by a newer version of TrainerBot. Update this one first."
            )
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InvalidInput(_DAMAGED) from None
    wrong = (
        len(set(names)) < len(names)
        or set(names) != {MANIFEST, *manifest.files}
        or any(not _NAME.fullmatch(name) for name in manifest.files)
        or any(entry.n_bytes < 0 for entry in manifest.files.values())
    )
    if wrong:
        raise InvalidInput(_DAMAGED)
    return manifest


@contextlib.contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        yield
    except BROKEN:
        raise InvalidInput(_DAMAGED) from None
    except OSError as error:
        if not is_damage(error):
            raise
        raise InvalidInput(_DAMAGED) from None


def _entry(name: str, created: datetime) -> zipfile.ZipInfo:
    at = created.utctimetuple()
    entry = zipfile.ZipInfo(name, (max(1980, at.tm_year), *at[1:6]))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _add(made: zipfile.ZipFile, name: str, file: Path, entry: Entry, created: datetime) -> None:
    info = _entry(name, created)
    info.file_size = entry.n_bytes  # large ones need another kind of entry, known before
    with file.open("rb") as source, made.open(info, "w") as part:
        reading = _Hashed(source)
        shutil.copyfileobj(reading, part, _PIECE_BYTES)
    if reading.sha256.hexdigest() != entry.sha256:
        raise Conflict(f"{name} changed while it was archived. Try again.")


class _Hashed:
    """A file that hashes what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size)
        self.sha256.update(piece)
        return piece


class Described:
    """A file that must be what the manifest of its archive says: the hash and the size.

    Reading raises InvalidInput at its end, or as soon as it is longer.
    """

    def __init__(self, file: IO[bytes], name: str, entry: Entry) -> None:
        self._file = _Hashed(file)
        self._name = name
        self._entry = entry
        self._n_left = entry.n_bytes

    def read(self, size: int, /) -> bytes:
        """`size` is at least 1."""
        piece = self._file.read(size)
        self._n_left -= len(piece)
        at_end = not piece and (
            self._n_left > 0 or self._file.sha256.hexdigest() != self._entry.sha256
        )
        if self._n_left < 0 or at_end:
            raise InvalidInput(
                f"{self._name} is not the file that this archive's manifest describes. "
                "Export it again."
            )
        return piece


_DAMAGED: Final = "This archive is damaged. Export it again."
