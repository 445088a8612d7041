"""`test`: a model on labelled texts, given as JSON or as a dataset of the library."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner import arguments
from botrunner.arguments import echo
from botrunner.cogs.training import reports
from botrunner.cogs.training.reports import Report
from botrunner.cogs.training.training import chosen_version, find_version
from botrunner.intake import NO_WORKER, Patience, read_text
from botrunner.people import asker_of, interaction_asker, require, requires
from botrunner.progress import Progress, Said, carry_out
from botrunner.ui.acting import answering, say
from botrunner.ui.names import find_datasets, offering
from dashboard.models import Evaluation, Task
from dashboard.services import chat, evaluations
from dashboard.services.access import Permission
from dashboard.services.evaluations.trials import MAX_BYTES
from trainerbot.errors import Conflict, InvalidInput, NotFound

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from dashboard.models import DatasetVersion
    from dashboard.services.access import Person

FAILED = "Failed to get predictions."
INVALID = "Invalid test data format. Please provide a valid JSON string."
CUT_SHORT = "The bot is being restarted, so this test was stopped. Start it again in a moment."
STOPPED = "The test was cancelled."
MOST_LISTED = 20_000  # predictions in the file of a long test

submit = database_sync_to_async(evaluations.submit)


class Stop(discord.ui.View):
    """A button that stops a test, for whoever started it and for trainers."""

    def __init__(self, asker_id: int, stop: Callable[[Person], None]) -> None:
        super().__init__(timeout=None)
        self._asker_id = asker_id
        self._stop = stop

    @discord.ui.button(label="Cancel")
    async def press(
        self, interaction: discord.Interaction[TrainerBot], button: discord.ui.Button[Stop]
    ) -> None:
        async with answering(interaction, "The end of a test"):
            asker = await interaction_asker(interaction)
            if interaction.user.id != self._asker_id:
                await require(asker, Permission.TRAIN, what="cancel a test")
            self._stop(asker.person)
            await say(interaction, "It is asked to stop.")


class Testing(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self.patience = Patience(give_up_after_s=24 * 3600.0)

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
                report = await self._try(live, context, given, model)
            else:
                version = given or await chosen_version(asker)
                report = await self._test(live, context, version, model, asker.person)
            return reports.said(report, max_bytes=context.filesize_limit)

        await carry_out(context, work, cut_short=CUT_SHORT, failed=FAILED)

    async def _try(
        self,
        live: Progress,
        context: commands.Context[TrainerBot],
        records: list[dict[str, str]],
        model: str,
    ) -> Report:
        """Ask about records that are in no dataset."""
        loop, stopped = asyncio.get_running_loop(), threading.Event()
        view = Stop(context.author.id, lambda person: stopped.set())

        def tell(n_done: int, n_records: int) -> None:
            if stopped.is_set():
                raise Conflict(STOPPED)
            words = f"Testing {echo(model)}: {n_done:,} of {n_records:,} …"
            loop.call_soon_threadsafe(lambda: live.show(words, view=view))

        try:
            # It waits for the endpoint in a thread of its own, and touches no row.
            trial = await asyncio.to_thread(evaluations.classify, records, model=model, tell=tell)
        finally:
            stopped.set()
            view.stop()
        return reports.of_trial(trial)

    async def _test(
        self,
        live: Progress,
        context: commands.Context[TrainerBot],
        version: DatasetVersion,
        model: str,
        person: Person,
    ) -> Report:
        """Let the worker ask about a dataset's rows, and wait for it."""
        evaluation = await submit(version=version, model=model, asked_by=person)
        stops: set[asyncio.Task[None]] = set()

        def stop(person: Person) -> None:
            task = asyncio.create_task(cancel(evaluation.pk, person))
            stops.add(task)
            task.add_done_callback(stops.discard)

        view = Stop(context.author.id, stop)
        clock, began = asyncio.get_running_loop().time, asyncio.get_running_loop().time()
        try:
            while not (evaluation := await look(evaluation.pk)).is_finished:
                waited_s = clock() - began
                doubt = evaluation.error
                if evaluation.status == "queued" and waited_s > self.patience.doubt_after_s:
                    doubt = doubt or NO_WORKER
                live.show(
                    f"Testing {echo(model)} on {echo(str(evaluation.version))}: "
                    f"{evaluation.n_done:,} of {evaluation.n_records:,} … {doubt}".rstrip(),
                    view=view,
                )
                await asyncio.sleep(self.patience.look_every_s)
        finally:
            view.stop()
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
def cancel(pk: int, person: Person) -> None:
    evaluation = evaluations.get(pk)
    if not evaluation.is_finished:
        evaluations.cancel(evaluation, actor=person)


@database_sync_to_async
def look(pk: int) -> Evaluation:
    return evaluations.get(pk)


@database_sync_to_async
def report_of(pk: int) -> Report:
    evaluation = evaluations.get(pk)
    rows = evaluation.predictions.select_related("example").order_by("position")
    return reports.of_evaluation(evaluation, list(rows[:MOST_LISTED]))
