"""What lies in a file, a folder or an archive: the data files among all others."""

import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from trainerbot.errors import InvalidInput
from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.sources.archives import Archive, is_archive, open_archive
from trainerbot.formats.sources.folders import list_folder
from trainerbot.formats.sources.members import (
    JSON,
    TABLES,
    TEXTS,
    Member,
    is_beside,
    is_hidden,
    shown,
)
from trainerbot.formats.writing.archives import MANIFEST, read_manifest

# Files that are ZIP archives only inside, by a name that they all hold.
_DOCUMENTS: Final = (
    ("xl/", None),
    ("word/", "a Word document; save it as plain text"),
    ("ppt/", "a presentation; save its words as plain text"),
    ("mimetype", "an OpenDocument or e-book file; save it as CSV or plain text"),
    ("META-INF/MANIFEST.MF", "a Java program"),
    ("AndroidManifest.xml", "an Android program"),
)


@dataclass(frozen=True, slots=True)
class Contents:
    """The data files of one upload.

    `container` is "file", "folder" or "archive". `many` says that rows need
    the name of their file beside the line. `problems` are of what was passed
    over. `members` all have one family of names, or are but one.
    """

    container: Literal["file", "folder", "archive"]
    members: tuple[Member, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def many(self) -> bool:
        return len(self.members) > 1

    @property
    def are_texts(self) -> bool:
        """Whether each file is one text."""
        return self.container != "file" and all(m.suffix in TEXTS for m in self.members)


@contextmanager
def look_into(path: Path) -> Iterator[Contents | Problem]:
    """Give the data files of `path`; an archive stays open as long as they are used.

    Raises OSError when the file or folder itself cannot be read.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        yield _choose("folder", list_folder(path))
    elif not stat.S_ISREG(mode):
        yield of_file("invalid_file_format", "This is neither a file nor a folder.")
    elif not is_archive(path):
        yield Contents("file", (Member(path.name, path=path),))
    else:
        with path.open("rb") as file:
            archive = open_archive(file)
            if isinstance(archive, Problem):
                yield archive
                return
            names = archive.names()
            for mark, refusal in _DOCUMENTS:
                if any(name == mark or name.startswith(mark) for name in names):
                    if refusal:
                        yield of_file("invalid_file_format", f"This file is {refusal}.")
                    else:
                        yield Contents("file", (Member(path.name, path=path),))
                    return
            yield _choose_of_ours(path, archive, names) or _choose("archive", archive.members())


def _choose_of_ours(path: Path, archive: Archive, names: list[str]) -> Contents | Problem | None:
    """Return the file of an archive of ours that holds the rows as they were; None for another."""
    if names[:1] != [MANIFEST]:
        return None
    try:
        manifest = read_manifest(path)
    except InvalidInput as error:
        return of_file("invalid_archive", str(error))
    if manifest is None or not manifest.main:
        return None
    members = archive.members(manifest.files)
    return _choose("archive", (m for m in members if _is_named(m, manifest.main)))


def _is_named(member: Member | Problem, name: str) -> bool:
    return isinstance(member, Problem) or member.name == name


def _choose(
    container: Literal["folder", "archive"], found: Iterable[Member | Problem]
) -> Contents | Problem:
    """Return the files that are data, or why that cannot be told."""
    problems: list[Problem] = []
    visible: list[Member] = []
    for each in found:
        if isinstance(each, Problem):
            problems.append(each)
        elif not is_hidden(each.name):
            visible.append(each)
    data = [member for member in visible if not is_beside(member.name)] or visible
    if not data:
        if problems:
            return problems[0]
        return of_file("empty_file", f"This {container} holds no file to read.")
    one_family = any(
        all(member.suffix in family for member in data) for family in (TEXTS, JSON, TABLES)
    )
    if len(data) > 1 and not one_family:
        suffixes = sorted({member.suffix or "no suffix" for member in data})
        return of_file(
            "mixed_files",
            f"This {container} holds {len(data):,} files of different kinds "
            f"({', '.join(shown(suffix) for suffix in suffixes[:6])}), such as {shown(data[0].name)}. "
            "Give one kind at a time.",
        )
    return Contents(container, tuple(data), tuple(problems))
