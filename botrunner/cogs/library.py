"""Takes datasets: `!import rooms` with a file attached makes it a draft, or says why not."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import discord
from channels.db import database_sync_to_async
from discord.ext import commands
from django.conf import settings
from django.db import DatabaseError

from botrunner import gateway
from botrunner.faults import explain
from botrunner.replies import FENCE, LiveReply
from dashboard.models import DatasetImport, Provenance, Task
from dashboard.services import audit, imports
from dashboard.services.imports import DatasetRefused
from trainerbot.errors import Conflict, InvalidInput, NotAllowed, TrainerBotError
from trainerbot.formats import Problem, Report, labels

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

State = DatasetImport.State
begin_upload = database_sync_to_async(imports.begin_upload)
receive = database_sync_to_async(imports.receive)
start_import = database_sync_to_async(imports.start_import)

OWNER_ONLY = (
    "Sorry, only the owner of this bot may import datasets from Discord. "
    "Ask them, or upload the file on the dashboard."
)
NO_ATTACHMENT = "Attach the dataset's file to the message that says `!import`."
TOO_MANY = "Attach one file to a message; several at once are best sent as one ZIP archive."
CUT_SHORT = "The bot is being restarted and took nothing of this file. Send it again in a moment."
GOES_ON = "The rows are still being stored. Look at the dashboard for how it ends."
NO_WORKER = "Nothing has begun yet: is the worker running?"
SHOWN_PROBLEMS = 5
MAX_PROBLEM_CHARACTERS = 250
_FLAG = re.compile(r"(?:^|\s)(positive\s*=\s*\S*)$", re.IGNORECASE)


class TookTooLong(TrainerBotError):
    """An import did not come to its end while its sender was waiting."""


@dataclass(frozen=True)
class Patience:
    """How long an import is watched, and how often it is looked at."""

    look_every_s: float = 0.5
    doubt_after_s: float = 15.0
    give_up_after_s: float = 600.0


@dataclass(frozen=True)
class Look:
    """An import as it is now, and the task that works on it, if one does."""

    imported: DatasetImport
    task: Task | None

    @property
    def waits(self) -> bool:
        """Whether no worker has taken its next step."""
        return self.task is not None and self.task.state == Task.State.READY


class Library(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self.patience = Patience()

    @commands.command(
        name="import",
        usage="<name> [positive=True|False]",
        help="Makes the attached file a draft of the dataset <name>",
    )
    async def import_file(self, context: commands.Context[TrainerBot], *, words: str = "") -> None:
        if self.bot.is_stopping:
            return
        with self.bot.in_flight.answering():
            if not await self.bot.is_owner(context.author):
                await note_refusal(context.author)
                raise NotAllowed(OWNER_ONLY)
            name, label = arguments(words)
            attachment = the_one(context.message.attachments)
            live = LiveReply(context.message)
            try:
                said = await self._import(live, attachment, name, label, context.author.name)
            except asyncio.CancelledError:
                await _end(live, CUT_SHORT)
                raise
            except Exception as error:
                said = await explain(error, f"The import of message {context.message.id}")
            await _end(live, said)

    async def _import(
        self, live: LiveReply, file: discord.Attachment, name: str, label: str, author: str
    ) -> str:
        """Fetch `file`, have it checked and stored; what is to be said in the end."""
        imported = await begin_upload(
            filename=file.filename,
            n_bytes=file.size,
            created_by=None,
            name=name,
            options={"label": label} if label else None,
        )
        async with _nothing_left_behind(imported, author):
            imported = await self._check(live, file, imported)
            try:
                await start_import(
                    imported,
                    name=name,
                    actor=None,
                    source=Provenance.Source.DISCORD_COMMAND,
                    author=author,
                    reference=imported.filename,
                )
            except DatasetRefused as refusal:
                await drop(imported, author)
                return refused(imported, refusal.report)
        try:
            async with asyncio.timeout(self.patience.give_up_after_s):
                imported = await self._settled(live, imported, State.IMPORTING)
        except (TimeoutError, asyncio.CancelledError):
            # Its rows are a task of their own, which needs nobody who waits.
            return GOES_ON
        return stored(imported)

    async def _check(
        self, live: LiveReply, file: discord.Attachment, imported: DatasetImport
    ) -> DatasetImport:
        """Fetch the bytes and wait until they are checked."""
        live.show(f"Fetching {_shown(imported.filename)} …")
        try:
            async with asyncio.timeout(self.patience.give_up_after_s):
                await _fetch(file, imported)
                return await self._settled(live, imported, State.RECEIVED, State.CHECKING)
        except TimeoutError:
            raise TookTooLong(
                f"{_shown(imported.filename)} was not checked in time, and nothing was stored. "
                "Is the worker running? If it is, upload the file on the dashboard."
            ) from None

    async def _settled(self, live: LiveReply, imported: DatasetImport, *busy: str) -> DatasetImport:
        """Return the import once it has left the states `busy`, telling of it meanwhile.

        Raises InvalidInput when it failed and Conflict when somebody cancelled it.
        """
        clock = asyncio.get_running_loop().time
        doubtful_at = clock() + self.patience.doubt_after_s
        # Until its task has ended as well: a step that still runs cannot be dropped.
        while (now := await look(imported.pk)).task or now.imported.state in busy:
            if not now.waits:
                doubtful_at = clock() + self.patience.doubt_after_s
            live.show(progress(now, in_doubt=clock() > doubtful_at))
            await asyncio.sleep(self.patience.look_every_s)
        if now.imported.state == State.FAILED:
            raise InvalidInput(now.imported.error)
        if now.imported.state == State.CANCELLED:
            raise Conflict(f"The import of {_shown(imported.filename)} was cancelled.")
        return now.imported


# --- The command's words --------------------------------------------------------
def arguments(words: str) -> tuple[str, str]:
    """Return the dataset's name and the label of the batch, or "", from what follows `!import`.

    Raises UserInputError without a name, InvalidInput for another word than
    True or False.
    """
    label, name = "", words.strip()
    if flag := _FLAG.search(name):
        label = labels.of_flag(labels.parse_flag(flag[1]))
        name = name[: flag.start()]
    name = name.strip().strip("\"'").strip()
    if not name:
        raise commands.UserInputError
    return name, label


def the_one(attachments: Sequence[discord.Attachment]) -> discord.Attachment:
    if not attachments:
        raise InvalidInput(NO_ATTACHMENT)
    if len(attachments) > 1:
        raise InvalidInput(TOO_MANY)
    return attachments[0]


# --- What is said ---------------------------------------------------------------
def progress(now: Look, *, in_doubt: bool) -> str:
    name = _shown(now.imported.filename)
    if now.waits:
        return f"{name} has arrived. {NO_WORKER}" if in_doubt else f"{name} has arrived …"
    doing = "Checking" if now.imported.state != State.IMPORTING else "Storing"
    return f"{doing} {name}: {now.task.progress if now.task else 0.0:.0%} …"


def stored(imported: DatasetImport) -> str:
    """What is said of a file that became rows."""
    version, found = imported.version, found_in(imported, imports.report_of(imported))
    if version is None:
        raise Conflict(f"{_shown(imported.filename)} was imported, and is gone again.")
    title = f"{_shown(version.dataset.name)} v{version.number}"
    examples = _counted(version.n_examples, "example")
    if not version.is_draft:
        return f"{found}\n{title} holds the same {examples} already; no new version was made."
    address = dashboard_address()
    return (
        f"{found}\n{title}: {examples}, a draft. "
        f"Look at it, freeze and train it on the dashboard{f': {address}' if address else '.'}"
    )


def refused(imported: DatasetImport, report: Report) -> str:
    """What is said of a file with faults."""
    return (
        f"{found_in(imported, report)}\nNothing was stored. Mend the file and send it again, "
        "or say on the dashboard what it is."
    )


def found_in(imported: DatasetImport, report: Report) -> str:
    """What a file was taken for, how much is in it, and the first of its faults."""
    n_warnings = report.n_problems - report.n_errors
    counts = [_counted(report.n_examples, "example"), _counted(report.n_errors, "error")]
    if n_warnings:
        counts.append(_counted(n_warnings, "warning"))
    lines = [
        f"{_shown(imported.filename)}: {_shown(imported.detected.get('said', ''))}",
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


def dashboard_address() -> str:
    """Where people reach the dashboard, if the settings name one place for it, else ""."""
    named = settings.CSRF_TRUSTED_ORIGINS
    return f"<{named[0]}>" if len(named) == 1 and "*" not in named[0] else ""


def _line(problem: Problem) -> str:
    said = " ".join(problem.message.split()).replace("`", "'")
    if problem.line and f"Line {problem.line}" not in said:
        said = f"Line {problem.line}: {said}"
    if len(said) > MAX_PROBLEM_CHARACTERS:
        said = said[:MAX_PROBLEM_CHARACTERS] + "…"
    return said


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _shown(words: str) -> str:
    """Return `words` of a file so that Discord shows them as they are."""
    return discord.utils.escape_markdown(words)


async def _end(live: LiveReply, text: str) -> None:
    """Let `text` be the last word, if Discord takes it."""
    try:
        await live.finish(text)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.warning("What became of an import could not be said: %s", error)


# --- Bytes and rows -------------------------------------------------------------
async def _fetch(file: discord.Attachment, imported: DatasetImport) -> None:
    n_received = 0
    async with aclosing(gateway.download(file.url)) as pieces:
        async for piece in pieces:
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


@database_sync_to_async
def note_refusal(who: discord.User | discord.Member) -> None:
    audit.record(None, "import.refuse", "!import", name=who.name, discord_user_id=who.id)


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Library(bot))
