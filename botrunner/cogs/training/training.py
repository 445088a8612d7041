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
from botrunner.arguments import Lesson
from botrunner.cogs.training.watching import JobWatcher
from botrunner.intake import (
    GOES_ON,
    Given,
    Patience,
    attached,
    pasted,
    see_through,
    sound,
    take,
)
from botrunner.people import asker_of, requires
from botrunner.progress import Progress, Said, carry_out
from botrunner.quoting import in_a_line
from botrunner.ui.job_cards import FAILED, card, meant_for, starting
from botrunner.ui.jobs import listed
from botrunner.ui.links import dashboard_address
from botrunner.ui.names import find_datasets, find_job_names, offering
from dashboard.models import DatasetVersion, DiscordRequest
from dashboard.services import choices, jobs, library, requests, standings
from dashboard.services.access import Permission
from dashboard.services.requests import Asked
from trainerbot.errors import InvalidInput, NotFound
from trainerbot.formats import labels

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from botrunner.people import Asker
    from dashboard.models import DatasetChoice, FineTuneJob, OutboxEvent

CUT_SHORT = "The bot is being restarted. Ask again in a moment."
NOTHING_GIVEN = (
    "Attach a file, paste examples, name a dataset of the library, or choose one for here by "
    "`!select_dataset <dataset>`."
)
EITHER_OR = "Give a file or words to learn from, not both. Beside a file, name a dataset at most."
MAX_NAME = 120

find_version = database_sync_to_async(library.version)
begin_training = database_sync_to_async(requests.begin_training)
train = database_sync_to_async(requests.train)


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
            given = await self._given(asker, wanted, file)
            if isinstance(given, DatasetVersion):
                request = await self._begin(live, asker, given, context.channel.id)
            else:
                request = await take(
                    given,
                    live=live,
                    kind=DiscordRequest.Kind.TRAIN,
                    asker=asker,
                    channel_id=context.channel.id,
                    patience=self.patience,
                )
            return await self._started(live, request)

        await carry_out(context, work, cut_short=CUT_SHORT, failed=FAILED)

    async def go_on(self, live: Progress, request: DiscordRequest) -> Said | None:
        """Go on with what an earlier process has begun."""
        if request.imported_id is not None:
            request = await see_through(request, live=live, patience=self.patience)
        return await self._started(live, request)

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

    async def _given(
        self, asker: Asker, wanted: Lesson, file: discord.Attachment | None
    ) -> DatasetVersion | Given:
        """Find what is to be learnt, or what it is to be made of."""
        author = asker.person.name
        if file is not None:
            if wanted.text and not wanted.is_name:
                raise InvalidInput(EITHER_OR)
            stem = PurePath(file.filename).name.partition(".")[0].strip()
            name = wanted.text or stem[:MAX_NAME] or f"from {author}"
            return attached(file, name=name, label=await label_of(wanted, asker))
        if wanted.text:
            try:
                return await find_version(wanted.text)
            except NotFound:
                if wanted.is_name:
                    raise
            label = await label_of(wanted, asker)
            return pasted(wanted.text, name=f"pasted by {author}", label=label)
        return await chosen_version(asker)

    async def _begin(
        self, live: Progress, asker: Asker, version: DatasetVersion, channel_id: int
    ) -> DiscordRequest:
        """Keep, before anything is asked of the endpoint, that this version is to be trained on."""
        message_id = await live.begin(starting(str(version)))
        asked = Asked(asker.person, asker.guild_id, channel_id, message_id)
        request = await begin_training(version, asked=asked)
        live.request_id, live.goes_on = request.pk, GOES_ON
        return request

    async def _started(self, live: Progress, request: DiscordRequest) -> Said | None:
        """Submit the job, unless the worker has, and leave its message to the watcher."""
        if not request.has_ended:
            # The endpoint may be slow: not on the thread that all rows go through.
            offered = await asyncio.to_thread(jobs.base_models)
            job = await train(request, offered=offered)
        else:
            job = await job_of(request)
        if job.discord_message_id != request.discord_message_id:
            name = job.remote_job_id or f"number {job.pk}"
            return Said(
                f"The same training runs already, as job {name}. `!status {job.pk}` shows it."
            )
        await live.let_go()
        self.watcher.look_soon()
        return None


@database_sync_to_async
def job_of(request: DiscordRequest) -> FineTuneJob:
    """The job that a request became. Raises InvalidInput, in words, if it did not."""
    if request.imported_id is not None:
        sound(request)
    if request.job is None:
        raise InvalidInput(request.error or "The job is gone. Ask again.")
    return request.job


@database_sync_to_async
def label_of(wanted: Lesson, asker: Asker) -> str:
    """The label of texts that name none: as was said now, else when a dataset was chosen here."""
    if wanted.positive is None and (choice := _choice(asker)) is not None:
        return labels.of_flag(choice.positive)
    return wanted.label


@database_sync_to_async
def chosen_version(asker: Asker) -> DatasetVersion:
    """The newest version of what the asker chose for here. Raises InvalidInput if they did not."""
    choice = _choice(asker)
    if choice is None:
        raise InvalidInput(NOTHING_GIVEN)
    return library.version(choice.dataset.name)


def _choice(asker: Asker) -> DatasetChoice | None:
    assert asker.person.discord_user_id is not None  # who asks on Discord
    return choices.chosen(
        discord_user_id=asker.person.discord_user_id,
        guild_id=asker.guild_id,
        channel_id=asker.channel_ids[0],
    )


@database_sync_to_async
def stand(words: str) -> str:
    """All that is to be said of one job."""
    job = standings.find(words)
    now = standings.of(job)
    lines = [card(now)]
    if job.status == "succeeded":
        lines.append(meant_for(now))
    asker = f" by {in_a_line(job.discord_user.name)}" if job.discord_user else ""
    lines.append(
        f"-# Number {job.pk}, asked for <t:{int(job.created_at.timestamp())}:R>{asker} "
        f"{dashboard_address()}".rstrip()
    )
    return "\n".join(lines)
