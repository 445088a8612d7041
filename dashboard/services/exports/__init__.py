"""Exports: a version written as files that others read, or as one archive that says all of it.

`start` queues, the task `export` writes, `download` says where the file
lies; after some days `prune` deletes it. `write_file` and `write_archive`
do the same here and now, for commands.
"""

from dashboard.services.exports.asking import (
    KEPT_FOR,
    cancel,
    download,
    get,
    of_version,
    prune,
    start,
)
from dashboard.services.exports.formats import content_type, filename, formats_for
from dashboard.services.exports.running import EXPORT
from dashboard.services.exports.writing import write_archive, write_file

__all__ = [
    "EXPORT",
    "KEPT_FOR",
    "cancel",
    "content_type",
    "download",
    "filename",
    "formats_for",
    "get",
    "of_version",
    "prune",
    "start",
    "write_archive",
    "write_file",
]
