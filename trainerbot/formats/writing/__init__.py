"""Records out: one file of a format, or an archive that says where it came from."""

from trainerbot.formats.writing.archives import (
    Entry,
    Manifest,
    archive,
    read_manifest,
)
from trainerbot.formats.writing.files import Written
from trainerbot.formats.writing.origins import ROWS, Origins, write_origins
from trainerbot.formats.writing.records import FORMATS, write

__all__ = [
    "FORMATS",
    "ROWS",
    "Entry",
    "Manifest",
    "Origins",
    "Written",
    "archive",
    "read_manifest",
    "write",
    "write_origins",
]
