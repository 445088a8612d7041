"""Where exports lie: each in a folder of its own, under a name that nobody can guess."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from dashboard.models import DatasetExport


def root() -> Path:
    folder: Path = settings.DATA_DIR / "exports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def folder_of(export: DatasetExport) -> Path:
    return root() / str(export.key)


def path_of(export: DatasetExport) -> Path:
    """Where the written file lies. `filename` holds no folder."""
    return folder_of(export) / Path(export.filename).name


def fresh_folder(export: DatasetExport) -> Path:
    """An empty folder: what a killed run has left in it is gone."""
    folder = folder_of(export)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def delete(export: DatasetExport) -> None:
    shutil.rmtree(folder_of(export), ignore_errors=True)


def strays() -> Iterator[Path]:
    """Folders of exports that no row knows."""
    known = {str(key) for key in DatasetExport.objects.values_list("key", flat=True)}
    for folder in root().iterdir():
        if folder.name not in known and _is_key(folder.name):
            yield folder


def _is_key(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False
