"""The library on Discord: datasets are imported, chosen and archived, files fetched."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, BinaryIO

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner import arguments
from botrunner.intake import (
    NO_WORKER,
    Patience,
    TookTooLong,
    attached,
    counted,
    found_in,
    see_through,
    sound,
    take,
)
from botrunner.people import asker_of, requires
from botrunner.progress import Page, Progress, Said, carry_out
from botrunner.quoting import in_a_line
from botrunner.ui.links import dashboard_address
from botrunner.ui.names import find_datasets, find_files, offering
from dashboard.models import DatasetExport, DatasetImport, DiscordRequest, Task
from dashboard.services import audit, choices, examination, imports, library
from dashboard.services.access import Permission, Person
from dashboard.services.exports import KEPT_FOR
from dashboard.services.library import LibraryFile, TooLarge
from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.formats import labels

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from botrunner.people import Asker
    from dashboard.models import DatasetVersion

NO_ATTACHMENT = "Attach the dataset's file to the message that says `!import`."
RESTARTED = "The bot is being restarted. Ask again in a moment."
NOT_SELECTED = "Failed to select dataset."

find_version = database_sync_to_async(library.version)
start_archive = database_sync_to_async(library.archive)
choose = database_sync_to_async(choices.choose)
examined = database_sync_to_async(examination.in_words)


class Library(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self.patience = Patience()

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(  # type: ignore[arg-type]
        name="import",
        usage="<name> [positive=True|False]",
        description="Makes an attached file a draft of a dataset",
    )
    @app_commands.describe(
        name="The dataset to make or extend",
        positive="Label of texts that have none: positive, or negative",
        attachment="The file",
    )
    @app_commands.autocomplete(name=offering(Permission.DATA, find_datasets))
    @requires(Permission.DATA)
    async def import_file(
        self,
        context: commands.Context[TrainerBot],
        *,
        name: str = "",
        positive: bool | None = None,
        attachment: discord.Attachment | None = None,
    ) -> None:
        dataset, flag = arguments.name_and_flag(name, positive=positive)
        label = "" if flag is None else labels.of_flag(flag)

        async def work(live: Progress) -> Said:
            file = attachment or arguments.the_one(context.message.attachments)
            if file is None:
                raise InvalidInput(NO_ATTACHMENT)
            request = await take(
                attached(file, name=dataset, label=label),
                live=live,
                kind=DiscordRequest.Kind.IMPORT,
                asker=await asker_of(context),
                channel_id=context.channel.id,
                patience=self.patience,
            )
            return await self._ended(request)

        await carry_out(context, work, cut_short=RESTARTED)

    async def go_on(self, live: Progress, request: DiscordRequest) -> Said:
        """Go on with an import that an earlier process has begun."""
        return await self._ended(await see_through(request, live=live, patience=self.patience))

    async def _ended(self, request: DiscordRequest) -> Said:
        """What is said of a file at its end. Raises InvalidInput if nothing came of it."""
        imported = sound(request)
        found = None
        if imported.version is not None and imported.version.is_draft:
            found = await self._examined(imported.version)
        return Said(stored(imported, found or ""))

    async def _examined(self, version: DatasetVersion) -> str | None:
        """What its examination finds, if that does not take long; else the dashboard shows it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience.examined_within_s):
                while (found := await examined(version.pk)) is None:  # noqa: ASYNC110 (rows wake nobody up)
                    await asyncio.sleep(self.patience.look_every_s)
                return found
        return None

    @commands.hybrid_command(  # type: ignore[arg-type]  # as above
        usage="<dataset>", description="Writes a dataset of the library into an archive"
    )
    @app_commands.describe(dataset="A dataset of the library")
    @app_commands.autocomplete(dataset=offering(Permission.DATA, find_datasets))
    @requires(Permission.DATA)
    async def archive(self, context: commands.Context[TrainerBot], *, dataset: str) -> None:
        async def work(live: Progress) -> Said:
            asker = await asker_of(context)
            version = await find_version(arguments.unquoted(dataset))
            exported = await self._archived(live, version, asker.person)
            return await archive_said(context, exported, version)

        await carry_out(context, work, cut_short=RESTARTED)

    @commands.hybrid_command(  # type: ignore[arg-type]  # as above
        usage="<dataset> [positive=True|False]",
        description="Chooses the dataset that train and test use here, and archives it",
    )
    @app_commands.describe(
        dataset="A dataset of the library",
        positive="Label of texts given to train here that have none",
    )
    @app_commands.autocomplete(dataset=offering(Permission.DATA, find_datasets))
    @requires(Permission.DATA)
    async def select_dataset(
        self, context: commands.Context[TrainerBot], *, dataset: str, positive: bool | None = None
    ) -> None:
        name, flag = arguments.name_and_flag(dataset, positive=positive)

        async def work(live: Progress) -> Said:
            asker = await asker_of(context)
            version = await find_version(name)
            exported = await self._archived(live, version, asker.person)
            await choose_here(asker, version, positive=flag is not False)
            said = await archive_said(context, exported, version)
            return Said(f"{selected(version, flag)}\n{said.text}", said.files)

        await carry_out(context, work, cut_short=RESTARTED, failed=NOT_SELECTED)

    @commands.hybrid_command(  # type: ignore[arg-type]  # as above
        usage="<library file>", description="Sends a file of the library"
    )
    @app_commands.describe(file="A file of the library, such as archives/3f2a9c1d/rooms-v1.zip")
    @app_commands.autocomplete(file=offering(Permission.FILES, find_files))
    @requires(Permission.FILES)
    async def getfile(self, context: commands.Context[TrainerBot], *, file: str) -> None:
        async def work(live: Progress) -> Said:
            asker = await asker_of(context)
            try:
                found, opened = await fetch(file, context.filesize_limit, asker.person)
            except NotFound:
                # The same words for what is missing and for what is forbidden.
                return Said(f"File not found: {in_a_line(file)}")
            except TooLarge as error:
                return Said(f"{error} {_on_the_dashboard()}")
            page = Page(found.filename, await asyncio.to_thread(_read, opened))
            return Said(f"`{found.name}`, {_size(found.n_bytes)}", [page])

        await carry_out(context, work, cut_short=RESTARTED)

    async def _archived(
        self, live: Progress, version: DatasetVersion, person: Person
    ) -> DatasetExport:
        """Write a version into an archive, and wait until it is written."""
        exported = await start_archive(version, actor=person)
        clock, patience = asyncio.get_running_loop().time, self.patience
        began = clock()
        while not (exported := await look(exported.pk)).is_ready:
            task = exported.task
            if task.is_finished:
                if task.state == Task.State.CANCELLED:
                    raise Conflict("This archive was cancelled.")
                raise InvalidInput(task.error or "The archive was not written; see the log.")
            waited_s = clock() - began
            if waited_s > patience.give_up_after_s:
                raise TookTooLong("The archive is not written yet. Look at the dashboard for it.")
            in_doubt = task.state == Task.State.READY and waited_s > patience.doubt_after_s
            doubt = f" {NO_WORKER}" if in_doubt else ""
            live.show(f"Archiving {in_a_line(str(version))}: {task.progress:.0%} …{doubt}")
            await asyncio.sleep(patience.look_every_s)
        return exported


# --- What is said ---------------------------------------------------------------
def stored(imported: DatasetImport, examined: str) -> str:
    """What is said of a file that became rows, and what their examination found."""
    version, found = imported.version, found_in(imported, imports.report_of(imported))
    if version is None:
        raise Conflict(f"{in_a_line(imported.filename)} was imported, and is gone again.")
    title = f"{in_a_line(version.dataset.name)} v{version.number}"
    examples = counted(version.n_examples, "example")
    if not version.is_draft:
        return f"{found}\n{title} holds the same {examples} already; no new version was made."
    address = dashboard_address()
    return (
        f"{found}\n{title}: {examples}, a draft. {examined}\n"
        f"Look at it, freeze and train it on the dashboard{f': {address}' if address else '.'}"
    )


def selected(version: DatasetVersion, flag: bool | None) -> str:
    """The first words about a dataset that was chosen."""
    title, examples = in_a_line(str(version)), counted(version.n_examples, "example")
    label = f", meant as {labels.of_flag(flag)}" if flag is not None else ""
    texts = (
        f" Texts given to `!train` without a label are {labels.of_flag(flag is not False)}."
        if label
        else ""
    )
    return (
        f"Dataset selected and archived. Dataset: {title} ({examples}{label})\n"
        f"`!train` and `!test` without data use it here from now on.{texts}"
    )


async def archive_said(
    context: commands.Context[TrainerBot], exported: DatasetExport, version: DatasetVersion
) -> Said:
    """What is said of an archive, which goes along if Discord takes a file of its size."""
    file = library.entry(exported)
    lines = [
        f"Files in {in_a_line(version.dataset.name)} have been archived.",
        f"`{file.name}`: {counted(exported.n_examples, 'row')}, {_size(file.n_bytes)}",
        f"SHA-256 `{file.sha256}`",
    ]
    pages = []
    try:
        found, opened = await open_file(file.name, max_bytes=context.filesize_limit)
    except TooLarge:
        lines.append(f"It is too large to come along. {_on_the_dashboard()}")
    else:
        pages.append(Page(found.filename, await asyncio.to_thread(_read, opened)))
    lines.append(f"-# It is kept for {KEPT_FOR.days} days.")
    return Said("\n".join(lines), pages)


def _on_the_dashboard() -> str:
    address = dashboard_address()
    return f"Fetch it on the dashboard{f': {address}' if address else '.'}"


def _size(n_bytes: int) -> str:
    for unit, size in (("MiB", 2**20), ("KiB", 2**10)):
        if n_bytes >= size:
            return f"{n_bytes / size:,.1f} {unit}"
    return counted(n_bytes, "byte")


# --- Bytes and rows -------------------------------------------------------------
open_file = database_sync_to_async(library.open_file)


def _read(opened: BinaryIO) -> bytes:
    with opened:
        return opened.read()


@database_sync_to_async
def fetch(name: str, max_bytes: int, person: Person) -> tuple[LibraryFile, BinaryIO]:
    """Open a file for somebody, and note that they took it."""
    file, opened = library.open_file(name.strip(), max_bytes=max_bytes)
    with contextlib.ExitStack() as undo:
        undo.callback(opened.close)
        audit.record(person, "library.fetch", file.name)
        undo.pop_all()
    return file, opened


@database_sync_to_async
def look(pk: int) -> DatasetExport:
    return DatasetExport.objects.select_related("task", "version__dataset").get(pk=pk)


async def choose_here(asker: Asker, version: DatasetVersion, *, positive: bool) -> None:
    await choose(
        version.dataset,
        who=asker.person,
        guild_id=asker.guild_id,
        channel_id=asker.channel_ids[0],
        positive=positive,
    )


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Library(bot))
