"""Folders: their plain files in the order of their names, and nothing that a link points to."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.sources.archives import MAX_FILES
from trainerbot.formats.sources.members import Member, clean, is_archive_name, is_hidden, shown

_MAX_DEPTH: Final = 32


def list_folder(folder: Path) -> Iterator[Member | Problem]:
    """Yield the files below `folder`, sorted by name, and a Problem for each that is passed over.

    Hidden files are left out in silence. Links are not followed, so no file
    from outside can come in. Raises OSError when the folder cannot be read.
    """
    found: list[Member | Problem] = []
    n_files = 0
    waiting = [(folder, "", 0)]
    while waiting:
        directory, prefix, depth = waiting.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                name = prefix + entry.name
                if is_hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if depth < _MAX_DEPTH:
                        waiting.append((Path(entry.path), f"{name}/", depth + 1))
                    else:
                        found.append(_passed_over(name, "folders nested too deep"))
                    continue
                n_files += 1
                if n_files > MAX_FILES:
                    yield of_file(
                        "invalid_folder",
                        f"This folder holds more than {MAX_FILES:,} files. Join them into one "
                        "JSONL file.",
                    )
                    return
                if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
                    found.append(_passed_over(name, "not a plain file (a link or a device)"))
                elif is_archive_name(name):
                    found.append(_passed_over(name, "an archive; give it alone"))
                else:
                    found.append(Member(clean(name), path=Path(entry.path)))
    yield from sorted(found, key=_order)


def _order(each: Member | Problem) -> tuple[str, str]:
    return (each.name, str(each.path)) if isinstance(each, Member) else (each.place, "")


def _passed_over(name: str, why: str) -> Problem:
    return Problem(
        0, "invalid_folder", f"{shown(name)}: {why}. It was not read.", place=clean(name)
    )
