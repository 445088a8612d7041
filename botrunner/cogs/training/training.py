"""`train`, and how the jobs go that came of it."""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner import arguments
from botrunner.arguments import Lesson, echo
from botrunner.cogs.training.watching import JobWatcher
from botrunner.intake import Given, Patience, attached, pasted, take
from botrunner.people import asker_of, requires
from botrunner.progress import Progress, Said, carry_out
from botrunner.ui.job_cards import FAILED, card, meant_for, starting
from botrunner.ui.jobs import listed
from botrunner.ui.links import dashboard_address
from botrunner.ui.names import find_datasets, find_job_names, offering
from dashboard.services import choices, jobs, library, standings
from dashboard.services.access import Permission
from dashboard.services.jobs import AskedOnDiscord
from trainerbot.errors import Conflict, InvalidInput, NotFound

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from botrunner.people import Asker
    from dashboard.models import DatasetVersion, OutboxEvent

CUT_SHORT = "The bot is being restarted. If no job id appears here soon, ask again."
NOTHING_GIVEN = (
    "Attach a file, paste examples, name a dataset of the library, or choose one for here by "
    "`!select_dataset <dataset>`."
)
EITHER_OR = "Give a file or words to learn from, not both. Beside a file, name a dataset at most."
MAX_NAME = 120

find_version = database_sync_to_async(library.version)
submit = database_sync_to_async(jobs.submit)


class Training(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self.patience = Patience()
        self.watcher = JobWatcher(bot)

    async def cog_unload(self) -> None:
        await self.watcher.stop()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        # Jobs may have ended while the bot was away.
        self.watcher.look_soon()

    @commands.Cog.listener()
    async def on_outbox(self, event: OutboxEvent) -> None:
        if event.topic == jobs.TOPIC:
            self.watcher.look_soon()

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(  # type: ignore[arg-type]
        usage="[dataset or examples] [positive=True|False], or with a file attached",
        description="Trains a model on a file, on pasted examples or on a dataset of the library",
    )
    @app_commands.describe(
        data="A dataset of the library, or examples as text or JSON",
        data_dir="A dataset of the library",
        positive="Label of texts that have none: positive (as without this), or negative",
        attachment="A file of examples",
    )
    @app_commands.autocomplete(
        data=offering(Permission.TRAIN, find_datasets),
        data_dir=offering(Permission.TRAIN, find_datasets),
    )
    @requires(Permission.TRAIN)
    async def train(
        self,
        context: commands.Context[TrainerBot],
        *,
        data: str = "",
        data_dir: str = "",
        positive: bool | None = None,
        attachment: discord.Attachment | None = None,
    ) -> None:
        wanted = arguments.lesson(data, folder=data_dir, positive=positive)

        async def work(live: Progress) -> Said | None:
            asker = await asker_of(context)
            file = attachment or arguments.the_one(context.message.attachments)
            version = await self._version(live, asker, wanted, file)
            return await self._start(live, context, asker, version)

        await carry_out(context, work, cut_short=CUT_SHORT, failed=FAILED)

    @commands.hybrid_command(  # type: ignore[arg-type]  # as above
        usage="[job]", description="How a training goes: the latest one, or the one that you name"
    )
    @app_commands.describe(job="A job's id, or its number")
    @app_commands.autocomplete(job=offering(Permission.VIEW, find_job_names))
    @requires(Permission.VIEW)
    async def status(self, context: commands.Context[TrainerBot], *, job: str = "") -> None:
        async def work(live: Progress) -> Said:
            return Said(await stand(arguments.unquoted(job)))

        await carry_out(context, work, cut_short=CUT_SHORT)

    @commands.hybrid_command(  # type: ignore[arg-type]  # as above
        name="jobs", description="The latest trainings"
    )
    @requires(Permission.VIEW)
    async def list_jobs(self, context: commands.Context[TrainerBot]) -> None:
        text, view = await listed()
        await context.send(text, view=view)

    async def _version(
        self, live: Progress, asker: Asker, wanted: Lesson, file: discord.Attachment | None
    ) -> DatasetVersion:
        """Find or make what is to be learnt."""
        author = asker.person.name
        if file is not None:
            if wanted.text and not wanted.is_name:
                raise InvalidInput(EITHER_OR)
            stem = PurePath(file.filename).name.partition(".")[0].strip()
            name = wanted.text or stem[:MAX_NAME] or f"from {author}"
            return await self._made(live, attached(file, name=name, label=wanted.label), author)
        if wanted.text:
            try:
                return await find_version(wanted.text)
            except NotFound:
                if wanted.is_name:
                    raise
            name = f"pasted by {author}"
            words = pasted(wanted.text, name=name, label=wanted.label)
            return await self._made(live, words, author)
        return await chosen_version(asker)

    async def _made(self, live: Progress, given: Given, author: str) -> DatasetVersion:
        imported = await take(given, live=live, author=author, patience=self.patience, freeze=True)
        if imported.version is None:
            raise Conflict(f"{echo(imported.filename)} was imported, and is gone again.")
        return imported.version

    async def _start(
        self,
        live: Progress,
        context: commands.Context[TrainerBot],
        asker: Asker,
        version: DatasetVersion,
    ) -> Said | None:
        # The endpoint may be slow: not on the thread that all rows go through.
        offered = await asyncio.to_thread(jobs.base_models)
        message_id = await live.post(starting(str(version)))
        job = await submit(
            dataset=version.dataset,
            version=version,
            offered=offered,
            on_discord=AskedOnDiscord(asker.person, context.channel.id, message_id),
        )
        if job.discord_message_id != message_id:
            name = job.remote_job_id or f"number {job.pk}"
            return Said(
                f"The same training runs already, as job {name}. `!status {job.pk}` shows it."
            )
        self.watcher.look_soon()
        return None


@database_sync_to_async
def chosen_version(asker: Asker) -> DatasetVersion:
    """The newest version of what the asker chose for here. Raises InvalidInput if they did not."""
    assert asker.person.discord_user_id is not None  # who asks on Discord
    choice = choices.chosen(
        discord_user_id=asker.person.discord_user_id,
        guild_id=asker.guild_id,
        channel_id=asker.channel_ids[0],
    )
    if choice is None:
        raise InvalidInput(NOTHING_GIVEN)
    return library.version(choice.dataset.name)


@database_sync_to_async
def stand(words: str) -> str:
    """All that is to be said of one job."""
    job = standings.find(words)
    now = standings.of(job)
    lines = [card(now)]
    if job.status == "succeeded":
        lines.append(meant_for(now))
    asker = f" by {echo(job.discord_user.name)}" if job.discord_user else ""
    lines.append(
        f"-# Number {job.pk}, asked for <t:{int(job.created_at.timestamp())}:R>{asker} "
        f"{dashboard_address()}".rstrip()
    )
    return "\n".join(lines)
