"""What an archive of ours says of its rows' origin, which an import must not wash away."""

from pathlib import Path

from dashboard.services.provenance import NEEDS_PERMISSION
from trainerbot.errors import InvalidInput
from trainerbot.formats.writing import Manifest, read_manifest


def source_of(path: Path, source: str) -> str:
    """The source of the rows in a file: `source`, unless its manifest names one to be permitted.

    A permission that somebody recorded elsewhere is no permission here, so
    one row of Discord message content makes all of them wait for an admin.
    """
    manifest = _manifest(path)
    for each in NEEDS_PERMISSION if manifest else ():
        if manifest and manifest.counts.get(each):
            return each
    return source


def licence_of(path: Path, licence: str) -> str:
    """The licence that a person gave, else the one in the manifest."""
    if licence.strip():
        return licence
    manifest = _manifest(path)
    return manifest.licence if manifest else ""


def _manifest(path: Path) -> Manifest | None:
    try:
        return read_manifest(path) if path.is_file() else None
    except InvalidInput:
        return None  # It was read as something else, or its check has refused it.
