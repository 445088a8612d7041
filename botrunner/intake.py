"""What people give the bot: fetched, checked, stored as the rows of a dataset; nothing by halves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import discord
from channels.db import database_sync_to_async
from django.db import DatabaseError

from botrunner import gateway
from botrunner.arguments import echo
from botrunner.replies import FENCE
from dashboard.models import DatasetImport, Provenance, Task
from dashboard.services import imports
from dashboard.services.imports import DatasetRefused
from trainerbot.errors import Conflict, InvalidInput, TrainerBotError

if TYPE_CHECKING:
    from trainerbot.formats import Problem, Report

log = logging.getLogger(__name__)

State = DatasetImport.State
begin_upload = database_sync_to_async(imports.begin_upload)
receive = database_sync_to_async(imports.receive)
start_import = database_sync_to_async(imports.start_import)

NO_WORKER = "Nothing has begun yet: is the worker running?"
SHOWN_PROBLEMS = 5
MAX_PROBLEM_CHARACTERS = 250


class Faulty(InvalidInput):
    """What was given has faults, which its words list; nothing was stored."""


class TookTooLong(TrainerBotError):
    """What was given did not become rows while its sender was waiting."""


class StillStoring(TrainerBotError):
    """What was given is sound and on its way; nobody waits for its end any more."""


class Shows(Protocol):
    """Whatever tells the sender how far it is."""

    def show(self, text: str) -> None: ...


@dataclass(frozen=True)
class Patience:
    """How long background work is watched, and how often it is looked at."""

    look_every_s: float = 0.5
    doubt_after_s: float = 15.0
    give_up_after_s: float = 600.0


@dataclass(frozen=True)
class Given:
    """A file as it was attached, or words as they were pasted.

    name: of the dataset that it goes to. label: of what has none of its own.
    """

    filename: str
    n_bytes: int
    pieces: AsyncGenerator[bytes]
    name: str
    label: str = ""


@dataclass(frozen=True)
class Look:
    """An import as it is now, and the task that works on it, if one does."""

    imported: DatasetImport
    task: Task | None

    @property
    def waits(self) -> bool:
        """Whether no worker has taken its next step."""
        return self.task is not None and self.task.state == Task.State.READY


def attached(file: discord.Attachment, *, name: str, label: str = "") -> Given:
    """A file that somebody attached. Nothing of it is fetched yet."""
    return Given(file.filename, file.size, gateway.download(file.url), name, label)


def pasted(words: str, *, name: str, label: str = "") -> Given:
    """Words that somebody wrote into the command itself."""
    content = words.encode()
    ending = "json" if words.lstrip().startswith(("{", "[")) else "txt"

    async def pieces() -> AsyncGenerator[bytes]:
        yield content

    return Given(f"pasted.{ending}", len(content), pieces(), name, label)


async def read_text(file: discord.Attachment, *, max_bytes: int) -> str:
    """Return the text in an attachment. Raises InvalidInput for one too large, or no text."""
    content = bytearray()
    async with aclosing(gateway.download(file.url)) as pieces:
        async for piece in pieces:
            content += piece
            if len(content) > max_bytes:
                raise InvalidInput(
                    f"{echo(file.filename)} is larger than {max_bytes / 2**20:,.0f} MiB."
                )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{echo(file.filename)} is not text in UTF-8.") from error


async def take(
    given: Given, *, live: Shows, author: str, patience: Patience, freeze: bool = False
) -> DatasetImport:
    """Make rows of what was given; the import at its end, with its version.

    Raises Faulty, InvalidInput and Conflict in words, and TookTooLong or, once
    the rows are being stored, StillStoring. Whatever goes wrong before that
    leaves nothing.
    """
    try:
        imported = await begin_upload(
            filename=given.filename,
            n_bytes=given.n_bytes,
            created_by=None,
            name=given.name,
            options={"label": given.label} if given.label else None,
        )
        async with _nothing_left_behind(imported, author):
            imported = await _check(given, live, imported, patience)
            try:
                await start_import(
                    imported,
                    name=given.name,
                    actor=None,
                    source=Provenance.Source.DISCORD_COMMAND,
                    author=author,
                    reference=imported.filename,
                    freeze=freeze,
                )
            except DatasetRefused as refusal:
                raise Faulty(refused(imported, refusal.report)) from refusal
    finally:
        await given.pieces.aclose()
    try:
        async with asyncio.timeout(patience.give_up_after_s):
            return await _settled(live, imported, patience, State.IMPORTING)
    except (TimeoutError, asyncio.CancelledError):
        # Its rows are a task of their own, which needs nobody who waits.
        raise StillStoring(
            "The rows are still being stored. Look at the dashboard for how it ends."
        ) from None


async def _check(
    given: Given, live: Shows, imported: DatasetImport, patience: Patience
) -> DatasetImport:
    """Fetch the bytes and wait until they are checked."""
    live.show(f"Fetching {echo(imported.filename)} …")
    try:
        async with asyncio.timeout(patience.give_up_after_s):
            await _fetch(given, imported)
            return await _settled(live, imported, patience, State.RECEIVED, State.CHECKING)
    except TimeoutError:
        raise TookTooLong(
            f"{echo(imported.filename)} was not checked in time, and nothing was stored. "
            "Is the worker running? If it is, upload the file on the dashboard."
        ) from None


async def _settled(
    live: Shows, imported: DatasetImport, patience: Patience, *busy: str
) -> DatasetImport:
    """Return the import once it has left the states `busy`, telling of it meanwhile.

    Raises InvalidInput when it failed and Conflict when somebody cancelled it.
    """
    clock = asyncio.get_running_loop().time
    doubtful_at = clock() + patience.doubt_after_s
    # Until its task has ended as well: a step that still runs cannot be dropped.
    while (now := await look(imported.pk)).task or now.imported.state in busy:
        if not now.waits:
            doubtful_at = clock() + patience.doubt_after_s
        live.show(progress(now, in_doubt=clock() > doubtful_at))
        await asyncio.sleep(patience.look_every_s)
    if now.imported.state == State.FAILED:
        raise InvalidInput(now.imported.error)
    if now.imported.state == State.CANCELLED:
        raise Conflict(f"The import of {echo(imported.filename)} was cancelled.")
    return now.imported


async def _fetch(given: Given, imported: DatasetImport) -> None:
    n_received = 0
    async for piece in given.pieces:
        n_received = await receive(imported, offset=n_received, pieces=[piece])
    if n_received < imported.n_bytes:
        raise gateway.AttachmentUnavailable(
            "Discord handed out only a part of this file. Nothing was stored; send it again."
        )


@asynccontextmanager
async def _nothing_left_behind(imported: DatasetImport, author: str) -> AsyncIterator[None]:
    """Cancel the import when the block ends early, be it by a restart of the bot."""
    try:
        yield
    except BaseException:
        try:
            await drop(imported, author)
        except DatabaseError:
            # Its end is what the person must hear; the worker forgets it after two days.
            log.exception("An import could not be cancelled: %s", imported.pk)
        raise


@database_sync_to_async
def drop(imported: DatasetImport, author: str) -> None:
    """Cancel an import, unless it has come to its end by itself."""
    now = DatasetImport.objects.get(pk=imported.pk)
    if not now.is_over:
        imports.cancel(now, actor=None, name=author)


@database_sync_to_async
def look(pk: int) -> Look:
    imported = DatasetImport.objects.select_related("version__dataset").get(pk=pk)
    tasks = Task.objects.unfinished().filter(kind__startswith="import", args__import_id=pk)
    return Look(imported, task=tasks.order_by("pk").first())


# --- What is said ---------------------------------------------------------------
def progress(now: Look, *, in_doubt: bool) -> str:
    name = echo(now.imported.filename)
    if now.waits:
        return f"{name} has arrived. {NO_WORKER}" if in_doubt else f"{name} has arrived …"
    doing = "Checking" if now.imported.state != State.IMPORTING else "Storing"
    return f"{doing} {name}: {now.task.progress if now.task else 0.0:.0%} …"


def refused(imported: DatasetImport, report: Report) -> str:
    """What is said of a file with faults."""
    return (
        f"{found_in(imported, report)}\nNothing was stored. Mend the file and send it again, "
        "or say on the dashboard what it is."
    )


def found_in(imported: DatasetImport, report: Report) -> str:
    """What a file was taken for, how much is in it, and the first of its faults."""
    n_warnings = report.n_problems - report.n_errors
    counts = [counted(report.n_examples, "example"), counted(report.n_errors, "error")]
    if n_warnings:
        counts.append(counted(n_warnings, "warning"))
    lines = [
        f"{echo(imported.filename)}: {echo(imported.detected.get('said', ''))}",
        f"{', '.join(counts)}.",
    ]
    errors = [each for each in report.problems if each.severity == "error"]
    if not errors and report.first_error:
        errors = [report.first_error]
    warnings = [each for each in report.problems if each.severity != "error"]
    for title, problems in (("Errors", errors), ("Warnings", warnings)):
        if problems:
            shown = [_line(problem) for problem in problems[:SHOWN_PROBLEMS]]
            lines += [f"{title}, the first {len(shown)}:", FENCE, *shown, FENCE]
    return "\n".join(lines)


def counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _line(problem: Problem) -> str:
    said = " ".join(problem.message.split()).replace("`", "'")
    if problem.line and f"Line {problem.line}" not in said:
        said = f"Line {problem.line}: {said}"
    if len(said) > MAX_PROBLEM_CHARACTERS:
        said = said[:MAX_PROBLEM_CHARACTERS] + "…"
    return said
