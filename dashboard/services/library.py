"""The library: datasets by name, and the files that a person may fetch by name.

Nobody's words become a path. A file is looked up as a row, and what lies
where that row says is handed out only if it is a plain file within the
library's own folders.
"""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, Final

from django.db.models import F

from dashboard.models import Dataset, DatasetExport, DatasetImport, DatasetVersion
from dashboard.models.imports import ImportQuerySet
from dashboard.services import exports, imports
from dashboard.services.access import Person
from dashboard.services.exports import places
from dashboard.services.storage import holds
from trainerbot.errors import InvalidInput, NotFound

State = DatasetImport.State
# Whole files of imports that nobody has finished; those of finished ones are deleted.
KEPT_IMPORTS: Final = (State.RECEIVED, State.CHECKING, State.CHECKED, State.IMPORTING)
_NAME: Final = re.compile(r"(archives|exports|uploads)/([0-9a-f]{8})/([^/\\\x00]{1,255})")
_KEY: Final = re.compile(r"[0-9a-f]{8}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
SHOWN_NEAR: Final = 3
MOST_NAMES: Final = 500  # among which near ones are looked for


class TooLarge(InvalidInput):
    """A file of the library has more bytes than the asker can take."""


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """One file that can be fetched.

    name: what to ask for, such as `archives/3f2a9c1d/rooms-v1.zip`; it is no
    path on this machine.
    """

    name: str
    filename: str
    n_bytes: int
    sha256: str
    made_at: datetime


# --- Datasets -------------------------------------------------------------------
def dataset(name: str) -> Dataset:
    """The dataset of that name, whatever its case. Raises NotFound with names that are near."""
    wanted = " ".join(name.split())
    current = Dataset.objects.current()
    found = current.filter(name=wanted).first() or current.filter(name__iexact=wanted).first()
    if found is None:
        near = nearest(
            wanted, list(current.order_by("-pk").values_list("name", flat=True)[:MOST_NAMES])
        )
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise NotFound(f"There is no dataset of that name in the library.{hint}")
    return found


def version(name: str) -> DatasetVersion:
    """The newest version of the dataset of that name. Raises NotFound, in words."""
    found = dataset(name)
    newest = found.latest()
    if newest is None:
        raise NotFound(f"The dataset {found.name} has no rows yet.")
    return newest


def dataset_names(containing: str = "", *, most: int = 25) -> list[str]:
    """The names of datasets that hold some letters, newest first."""
    rows = Dataset.objects.current()
    if words := " ".join(containing.split()):
        rows = rows.filter(name__icontains=words)
    return list(rows.order_by("-pk").values_list("name", flat=True)[:most])


def nearest(wanted: str, names: Sequence[str]) -> list[str]:
    """The few of `names` that look most like `wanted`, best first."""
    by_folded = {name.casefold(): name for name in names}
    near = get_close_matches(wanted.casefold(), by_folded, n=SHOWN_NEAR, cutoff=0.5)
    return [by_folded[each] for each in near]


def archive(version: DatasetVersion, *, actor: Person) -> DatasetExport:
    """Queue the writing of a version, as it is, into an archive of the library.

    Raises InvalidInput, in words, for one without rows.
    """
    if not version.examples.filter(removed_by=None).exists():
        raise InvalidInput(f"{version} holds no rows; there is nothing to archive.")
    truest, *_ = exports.formats_for(version)
    return exports.start(version, formats=[truest[0]], actor=actor, as_archive=True)


# --- Files ----------------------------------------------------------------------
def files(containing: str = "", *, most: int = 25) -> list[LibraryFile]:
    """The files of the library whose names hold some letters, newest first."""
    wanted = containing.strip()
    written = DatasetExport.objects.exclude(filename="").order_by("-pk")
    uploads = _uploads().order_by("-pk")
    if wanted and holds(wanted):
        # A whole name holds the file's own; what is before it is no column.
        last = wanted.rpartition("/")[2]
        written = written.filter(filename__icontains=last)
        uploads = uploads.filter(filename__icontains=last)
    found = [*map(entry, written[:most]), *map(_upload_entry, uploads[:most])]
    found = [each for each in found if wanted.casefold() in each.name.casefold()]
    return sorted(found, key=lambda each: each.made_at, reverse=True)[:most]


def open_file(name: str, *, max_bytes: int) -> tuple[LibraryFile, BinaryIO]:
    """Open a file of the library, named wholly, by its id, or by its own name (the newest such).

    Raises NotFound for whatever is not there or may not be had, without
    telling which, and TooLarge for a file over `max_bytes`.
    """
    file, root, path = _find(name)
    opened = _open_within(root, path)
    if opened is None:
        raise NotFound("There is no such file.")
    n_bytes = os.fstat(opened.fileno()).st_size
    if n_bytes > max_bytes:
        opened.close()
        raise TooLarge(
            f"{file.filename} has {n_bytes / 2**20:,.1f} MiB, more than Discord takes here "
            f"({max_bytes / 2**20:,.1f} MiB)."
        )
    return file, opened


def entry(exported: DatasetExport) -> LibraryFile:
    """An export as a file of the library."""
    kind = "archives" if exported.is_archive else "exports"
    return LibraryFile(
        name=f"{kind}/{exported.key.hex[:8]}/{exported.filename}",
        filename=exported.filename,
        n_bytes=exported.n_bytes,
        sha256=exported.sha256,
        made_at=exported.created_at,
    )


def _upload_entry(imported: DatasetImport) -> LibraryFile:
    return LibraryFile(
        name=f"uploads/{imported.key.hex[:8]}/{imported.filename}",
        filename=imported.filename,
        n_bytes=imported.n_bytes,
        sha256=imported.report.get("sha256", ""),
        made_at=imported.created_at,
    )


def _uploads() -> ImportQuerySet:
    """Files that came whole and still lie here. A command's own file is none of ours."""
    kept = DatasetImport.objects.filter(path="", state__in=KEPT_IMPORTS)
    return kept.filter(n_received=F("n_bytes"))


def _find(name: str) -> tuple[LibraryFile, Path, Path]:
    """The file of that name, the folder it must lie in, and where its row says that it lies."""
    written = DatasetExport.objects.exclude(filename="").order_by("-pk")
    uploads = _uploads().order_by("-pk")
    folder = ""
    if found := _NAME.fullmatch(name):
        folder, wanted = found[1], {"key__startswith": found[2], "filename": found[3]}
    elif _KEY.fullmatch(name):
        wanted = {"key__startswith" if len(name) == 8 else "key": name}
    elif holds(name):
        wanted = {"filename": name}
    else:
        raise NotFound("There is no such file.")
    if folder != "uploads":
        exported = written.filter(**wanted).first()
        if exported is not None and folder in ("", entry(exported).name.partition("/")[0]):
            return entry(exported), places.root(), places.path_of(exported)
    if folder in ("", "uploads"):
        imported = uploads.filter(**wanted).first()
        if imported is not None:
            return _upload_entry(imported), imports.folder(), imports.path_of(imported)
    raise NotFound("There is no such file.")


def _open_within(root: Path, path: Path) -> BinaryIO | None:
    """Open `path` if it is a plain file within `root`, reached by no link; else None."""
    try:
        if path.resolve(strict=True) != root.resolve() / path.relative_to(root):
            return None
        # Not blocking: what was put in its place might be a pipe.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        opened = os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb")
    except (OSError, ValueError, RuntimeError):
        return None
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        return None
    return opened
