"""`test`: a model on labelled texts, given as JSON or as a dataset of the library."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, cast

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner import arguments
from botrunner.cogs.training import reports
from botrunner.cogs.training.reports import Report
from botrunner.cogs.training.training import chosen_version, find_version
from botrunner.intake import GOES_ON, NO_WORKER, Patience, read_text
from botrunner.people import asker_of, interaction_asker, require, requires
from botrunner.progress import Progress, Said, carry_out
from botrunner.quoting import in_a_line
from botrunner.ui.acting import LastingButton, answering, lasting, say
from botrunner.ui.names import find_datasets, offering
from dashboard.models import Evaluation, Task
from dashboard.services import chat, evaluations, requests
from dashboard.services.access import Permission
from dashboard.services.evaluations.trials import MAX_BYTES
from dashboard.services.requests import Asked
from trainerbot.errors import Conflict, InvalidInput, NotFound

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from botrunner.people import Asker
    from dashboard.models import DatasetVersion, DiscordRequest
    from dashboard.services.access import Person

FAILED = "Failed to get predictions."
INVALID = "Invalid test data format. Please provide a valid JSON string."
CUT_SHORT = "The bot is being restarted, so this test was stopped. Start it again in a moment."
LOST = "The bot was restarted during this test, which stopped it. Start it again."
STOPPED = "The test was cancelled."
STOPPING = "It is asked to stop."
MOST_LISTED = 20_000  # predictions in the file of a long test

begin_test = database_sync_to_async(requests.begin_test)


class CancelTest(
    LastingButton,
    template=r"test:cancel:(?P<request>[0-9]{1,18})",
):
    """Stops a test, for whoever started it and for trainers; also after a restart."""

    def __init__(self, request_id: int) -> None:
        super().__init__(discord.ui.Button(label="Cancel", custom_id=f"test:cancel:{request_id}"))
        self.request_id = request_id

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction, "The end of a test"):
            asker = await interaction_asker(interaction)
            request = await find(self.request_id)
            user = request.discord_user
            if user is None or user.discord_user_id != interaction.user.id:
                await require(asker, Permission.TRAIN, what="cancel a test")
            testing = cast("Testing", interaction.client.get_cog("Testing"))
            if not testing.stop(request.pk):
                await cancel(request, asker.person)
            await say(interaction, STOPPING)


class Testing(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self.patience = Patience(give_up_after_s=24 * 3600.0)
        # What stops the tests of pasted records that this process makes, by their requests.
        self._stops: dict[int, threading.Event] = {}

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(  # type: ignore[arg-type]
        usage='{"text": "…", "label": "…"}, a dataset, or with a JSON file attached',
        description="Tests the model on labelled texts: predictions, mismatches, accuracy",
    )
    @app_commands.describe(
        data="JSON such as [{…}], or a labelled dataset of the library",
        attachment="A JSON file of records",
    )
    @app_commands.autocomplete(data=offering(Permission.TRAIN, find_datasets))
    @requires(Permission.TRAIN)
    async def test(
        self,
        context: commands.Context[TrainerBot],
        *,
        data: str = "",
        attachment: discord.Attachment | None = None,
    ) -> None:
        async def work(live: Progress) -> Said:
            asker = await asker_of(context)
            file = attachment or arguments.the_one(context.message.attachments)
            text = arguments.unfenced(data)
            try:
                given = await _given(text, file)
            except (InvalidInput, NotFound) as error:
                return Said(f"{INVALID}\n{error}")
            model = asker.place.model or await chat.default_model()
            if isinstance(given, list):
                report = await self._try(live, context, asker, given, model)
            else:
                version = given or await chosen_version(asker)
                request = await self._begin(live, context, asker, version=version, model=model)
                live.goes_on = GOES_ON
                report = await self._follow(live, request.pk)
            return reports.said(report, max_bytes=context.filesize_limit)

        await carry_out(context, work, cut_short=CUT_SHORT, failed=FAILED)

    async def go_on(self, live: Progress, request: DiscordRequest) -> Said:
        """Go on with a test that an earlier process has begun, or say that it cannot go on."""
        if request.evaluation_id is None:
            return Said(LOST)
        report = await self._follow(live, request.pk)
        guild = self.bot.get_guild(request.discord_guild_id or 0)
        limit = guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        return reports.said(report, max_bytes=limit)

    def stop(self, request_id: int) -> bool:
        """Stop a test of pasted records. False if this process makes none of that number."""
        stop = self._stops.get(request_id)
        if stop is not None:
            stop.set()
        return stop is not None

    async def _begin(
        self,
        live: Progress,
        context: commands.Context[TrainerBot],
        asker: Asker,
        *,
        model: str,
        version: DatasetVersion | None = None,
    ) -> DiscordRequest:
        """Post the message of a test, and keep the test as a row, for the next process to find."""
        message_id = await live.begin(f"Testing {in_a_line(model)} …")
        asked = Asked(asker.person, asker.guild_id, context.channel.id, message_id)
        request = await begin_test(asked=asked, version=version, model=model)
        live.request_id = request.pk
        return request

    async def _try(
        self,
        live: Progress,
        context: commands.Context[TrainerBot],
        asker: Asker,
        records: list[dict[str, str]],
        model: str,
    ) -> Report:
        """Ask about records that are in no dataset."""
        request = await self._begin(live, context, asker, model=model)
        loop, view = asyncio.get_running_loop(), lasting(CancelTest(request.pk))
        stopped = self._stops[request.pk] = threading.Event()

        def tell(n_done: int, n_records: int) -> None:
            if stopped.is_set():
                raise Conflict(STOPPED)
            words = f"Testing {in_a_line(model)}: {n_done:,} of {n_records:,} …"
            loop.call_soon_threadsafe(lambda: live.show(words, view=view))

        try:
            # It waits for the endpoint in a thread of its own, and touches no row.
            trial = await asyncio.to_thread(evaluations.classify, records, model=model, tell=tell)
        finally:
            stopped.set()
            del self._stops[request.pk]
        return reports.of_trial(trial)

    async def _follow(self, live: Progress, request_id: int) -> Report:
        """Wait until the worker has asked about a dataset's rows, and tell of it meanwhile."""
        clock, began = asyncio.get_running_loop().time, asyncio.get_running_loop().time()
        while not (evaluation := await evaluation_of(request_id)).is_finished:
            doubt = evaluation.error
            if evaluation.status == "queued" and clock() - began > self.patience.doubt_after_s:
                doubt = doubt or NO_WORKER
            live.show(
                f"Testing {in_a_line(evaluation.model)} on {in_a_line(str(evaluation.version))}: "
                f"{evaluation.n_done:,} of {evaluation.n_records:,} … {doubt}".rstrip(),
                view=lasting(CancelTest(request_id)),
            )
            await asyncio.sleep(self.patience.look_every_s)
        if evaluation.status == Task.State.CANCELLED:
            raise Conflict(STOPPED)
        if evaluation.scores is None or evaluation.status == Task.State.FAILED:
            raise InvalidInput(evaluation.error or evaluation.task.error or "It was not finished.")
        return await report_of(evaluation.pk)


async def _given(
    text: str, file: discord.Attachment | None
) -> list[dict[str, str]] | DatasetVersion | None:
    """Return records, a version that was named, or None where nothing was given.

    Raises InvalidInput and NotFound for what is neither.
    """
    if file is not None:
        text = await read_text(file, max_bytes=MAX_BYTES)
    elif not text:
        return None
    elif arguments.looks_like_a_name(text):
        return await find_version(arguments.unquoted(text))
    try:
        return await asyncio.to_thread(evaluations.read_records, text)
    except InvalidInput:
        if (straight := arguments.straight(text)) == text:
            raise
        return await asyncio.to_thread(evaluations.read_records, straight)


@database_sync_to_async
def find(request_id: int) -> DiscordRequest:
    return requests.look(request_id).request


@database_sync_to_async
def cancel(request: DiscordRequest, person: Person) -> None:
    if request.evaluation is None:
        raise Conflict(LOST)
    if not request.evaluation.is_finished:
        evaluations.cancel(request.evaluation, actor=person)


@database_sync_to_async
def evaluation_of(request_id: int) -> Evaluation:
    evaluation = requests.look(request_id).request.evaluation
    if evaluation is None:
        raise NotFound("The test is gone. Start it again.")
    return evaluation


@database_sync_to_async
def report_of(pk: int) -> Report:
    evaluation = evaluations.get(pk)
    rows = evaluation.predictions.select_related("example").order_by("position")
    return reports.of_evaluation(evaluation, list(rows[:MOST_LISTED]))
