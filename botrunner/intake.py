"""What people give the bot: fetched, checked, stored as the rows of a dataset; nothing by halves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord
from channels.db import database_sync_to_async
from django.db import DatabaseError

from botrunner import gateway
from botrunner.quoting import in_a_line
from botrunner.replies import FENCE, clip
from dashboard.models import DatasetImport, Task
from dashboard.services import imports, requests
from dashboard.services.requests import Asked
from trainerbot.errors import Conflict, InvalidInput, TrainerBotError

if TYPE_CHECKING:
    from botrunner.people import Asker
    from botrunner.progress import Progress
    from dashboard.models import DiscordRequest
    from dashboard.services.requests import Standing
    from trainerbot.formats import Problem, Report

log = logging.getLogger(__name__)

State = DatasetImport.State
begin_import = database_sync_to_async(requests.begin_import)
receive = database_sync_to_async(imports.receive)
received = database_sync_to_async(requests.received)
drop = database_sync_to_async(requests.drop)
look = database_sync_to_async(requests.look)

GOES_ON = "The bot is being restarted. It goes on with this by itself."
LOST = "The bot was restarted before it had read all of this. Send it again."

NO_WORKER = "Nothing has begun yet: is the worker running?"
SHOWN_PROBLEMS = 5
MAX_PROBLEM_CHARACTERS = 250


class TookTooLong(TrainerBotError):
    """What was given did not become rows while its sender was waiting."""


@dataclass(frozen=True)
class Patience:
    """How long background work is watched, and how often it is looked at."""

    look_every_s: float = 0.5
    doubt_after_s: float = 15.0
    give_up_after_s: float = 600.0
    examined_within_s: float = 10.0


@dataclass(frozen=True)
class Given:
    """A file as it was attached, or words as they were pasted.

    name: of the dataset that it goes to. label: of what has none of its own.
    url: of a file; words that were pasted are held as they are.
    """

    filename: str
    n_bytes: int
    pieces: AsyncGenerator[bytes]
    name: str
    label: str = ""
    url: str = ""


def attached(file: discord.Attachment, *, name: str, label: str = "") -> Given:
    """A file that somebody attached. Nothing of it is fetched yet."""
    return Given(file.filename, file.size, gateway.download(file.url), name, label, file.url)


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
                    f"{in_a_line(file.filename)} is larger than {max_bytes / 2**20:,.0f} MiB."
                )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{in_a_line(file.filename)} is not text in UTF-8.") from error


async def take(
    given: Given, *, live: Progress, kind: str, asker: Asker, channel_id: int, patience: Patience
) -> DiscordRequest:
    """Make rows of what was given, and a job if `kind` says so; the request at its end.

    From its first word on it is kept as a row, so that the next process goes
    on with it when this one is killed. Raises in words whatever keeps the
    bytes from coming here; that leaves nothing.
    """
    try:
        message_id = await live.begin(f"Fetching {in_a_line(given.filename)} …")
        request = await begin_import(
            kind,
            asked=Asked(asker.person, asker.guild_id, channel_id, message_id),
            filename=given.filename,
            n_bytes=given.n_bytes,
            name=given.name,
            label=given.label,
            url=given.url,
        )
        live.request_id, live.goes_on = request.pk, GOES_ON
        return await see_through(request, live=live, patience=patience, pieces=given.pieces)
    finally:
        await given.pieces.aclose()


async def see_through(
    request: DiscordRequest,
    *,
    live: Progress,
    patience: Patience,
    pieces: AsyncGenerator[bytes] | None = None,
) -> DiscordRequest:
    """Fetch what is missing of a request's file, then tell how it goes until it has ended.

    pieces: the whole file, for whoever has it at hand.
    """
    try:
        async with asyncio.timeout(patience.give_up_after_s):
            await _fetch(request, pieces)
            now = await _told_of(request, live, patience, until_checked=True)
    except TimeoutError:
        await drop(request)
        name = in_a_line(request.imported.filename) if request.imported else "It"
        raise TookTooLong(
            f"{name} was not checked in time, and nothing was stored. "
            "Is the worker running? If it is, upload the file on the dashboard."
        ) from None
    except Exception:
        await _drop_quietly(request)
        raise
    if not now.request.has_ended:
        now = await _told_of(request, live, patience, until_checked=False)
    return now.request


def sound(request: DiscordRequest) -> DatasetImport:
    """Return the import of a request that has ended well. Raises InvalidInput, in words, else."""
    imported = request.imported
    if request.is_faulty and imported is not None:
        raise InvalidInput(refused(imported, imports.report_of(imported)))
    if request.error or imported is None:
        raise InvalidInput(request.error or "What was given is gone. Send it again.")
    return imported


async def _fetch(request: DiscordRequest, pieces: AsyncGenerator[bytes] | None) -> None:
    """Receive the bytes that are not here yet."""
    imported = request.imported
    if imported is None or imported.state != State.RECEIVING:
        await received(request)
        return
    if pieces is None:
        if not request.url:
            raise Conflict(LOST)
        pieces = gateway.download(request.url)
    async with aclosing(pieces):
        n_received = await _receive(imported, pieces)
    if n_received < imported.n_bytes:
        raise gateway.AttachmentUnavailable(
            "Discord handed out only a part of this file. Nothing was stored; send it again."
        )
    await received(request)


async def _receive(imported: DatasetImport, pieces: AsyncGenerator[bytes]) -> int:
    """Append what `pieces` hold beyond the bytes that are here; how many are here then."""
    n_here, n_seen = imported.n_received, 0
    async for piece in pieces:
        n_seen += len(piece)
        if n_seen > n_here:
            new = piece[max(0, len(piece) - (n_seen - n_here)) :]
            n_here = await receive(imported, offset=n_here, pieces=[new])
    return n_here


async def _told_of(
    request: DiscordRequest, live: Progress, patience: Patience, *, until_checked: bool
) -> Standing:
    """Tell how a request goes until it has ended, or until its file is checked."""
    clock = asyncio.get_running_loop().time
    doubtful_at = clock() + patience.doubt_after_s
    while not (now := await look(request.pk)).request.has_ended:
        imported = now.request.imported
        if until_checked and imported and imported.state in (State.IMPORTING, State.IMPORTED):
            break
        if now.task is None or now.task.state != Task.State.READY:
            doubtful_at = clock() + patience.doubt_after_s
        live.show(progress(now, in_doubt=clock() > doubtful_at))
        await asyncio.sleep(patience.look_every_s)
    return now


async def _drop_quietly(request: DiscordRequest) -> None:
    try:
        await drop(request)
    except DatabaseError:
        # Why is what the person must hear; the worker forgets the import after two days.
        log.exception("An import could not be cancelled: %s", request)


# --- What is said ---------------------------------------------------------------
def progress(now: Standing, *, in_doubt: bool) -> str:
    """How far a request with a file is."""
    imported, task = now.request.imported, now.task
    if imported is None:
        return "…"
    name = in_a_line(imported.filename)
    if task is not None and task.state == Task.State.READY:
        return f"{name} has arrived. {NO_WORKER}" if in_doubt else f"{name} has arrived …"
    match imported.state:
        case State.RECEIVING:
            return f"Fetching {name} …"
        case State.IMPORTED:
            return f"{name} is stored …"
        case State.IMPORTING:
            doing = "Storing"
        case _:
            doing = "Checking"
    return f"{doing} {name}: {task.progress if task else 0.0:.0%} …"


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
        f"{in_a_line(imported.filename)}: {in_a_line(imported.detected.get('said', ''))}",
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
    return clip(said, MAX_PROBLEM_CHARACTERS)
