"""A member as a plain UTF-8 file on disk: unpacked and decoded where need be."""

import codecs
import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from trainerbot.errors import InvalidInput, StorageFull
from trainerbot.formats.recognition import HEAD_BYTES, refuse_foreign, wide_encoding
from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.sources.archives import damaged
from trainerbot.formats.sources.budget import Budget, Overspent, copy_within
from trainerbot.formats.sources.members import Member
from trainerbot.formats.zips import BROKEN

_GZIP: Final = b"\x1f\x8b"
_CHUNK_BYTES: Final = 2**20


@contextmanager
def on_disk(member: Member) -> Iterator[Path | Problem]:
    """Give a member as a file that can be read and sought, in UTF-8 if it is text.

    A file that is so already is given itself. Everything else goes to a
    temporary file of a random name, gone again afterwards.
    """
    with ExitStack() as stack:
        path = member.path or _unpacked(member, stack)
        if isinstance(path, Path):
            path = _decompressed(path, stack)
        if isinstance(path, Path):
            path = _decoded(path, stack)
        yield path


def _unpacked(member: Member, stack: ExitStack) -> Path | Problem:
    assert member.copy is not None, "a member is a file or can be copied"
    target = _new_file(stack)
    try:
        with target.open("wb") as file:
            member.copy(file)
    except Overspent as error:
        return of_file("zip_bomb", str(error))
    except InvalidInput as error:
        return of_file("invalid_archive", str(error))
    except (*BROKEN, OSError):
        return damaged(member.name)
    return target


def _decompressed(path: Path, stack: ExitStack) -> Path | Problem:
    with path.open("rb") as source:
        if source.read(2) != _GZIP:
            return path
        source.seek(0)
        target = _new_file(stack)
        try:
            with gzip.open(source) as packed, target.open("wb") as file:
                copy_within(Budget(path.stat().st_size), packed, file)
        except Overspent as error:
            return of_file("zip_bomb", str(error))
        except (*BROKEN, OSError):
            return of_file("invalid_archive", "This gzip file is damaged or cut short.")
    return target


def _decoded(path: Path, stack: ExitStack) -> Path | Problem:
    with path.open("rb") as source:
        head = source.read(HEAD_BYTES)
        if refusal := refuse_foreign(head):
            return refusal
        encoding = wide_encoding(head)
        if encoding is None:
            return path
        source.seek(0)
        target = _new_file(stack)
        with target.open("wb") as file:
            _transcode(source, file, encoding)
    return target


def _transcode(source: BinaryIO, target: BinaryIO, encoding: str) -> None:
    """Write `source` as UTF-8. What is no text stays none: its line is refused later."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogatepass")
    final = False
    while not final:
        data = source.read(_CHUNK_BYTES)
        final = not data
        try:
            text = decoder.decode(data, final=final)
        except UnicodeDecodeError:
            # Half a character at the end, or a number that is no character.
            target.write(b"\xff")
            return
        try:
            target.write(text.encode("utf-8", errors="surrogatepass"))
        except OSError as error:
            raise StorageFull("There is no room left to convert this file.") from error


def _new_file(stack: ExitStack) -> Path:
    return Path(stack.enter_context(TemporaryDirectory(prefix="trainerbot-"))) / "data"
