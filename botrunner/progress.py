"""One message in which a command tells how its work goes, typed or slashed alike."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord.ext import commands

from botrunner.faults import explain
from botrunner.replies import split
from botrunner.replies.live import EDIT_INTERVAL_S, FIRST_POST_AFTER_S

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

OUT_OF_REACH = (discord.HTTPException, aiohttp.ClientError, OSError)


@dataclass(frozen=True, slots=True)
class Page:
    """A file that goes along with a message."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """The last word of a command, and the files that go along."""

    text: str
    files: Sequence[Page] = ()


class Progress:
    """Posted when there is first something to tell, then edited: what was said last wins.

    Edits are `interval_s` apart, the last one waits for nobody. It answers
    the command without mentioning anybody, and never pings.
    """

    def __init__(
        self, context: commands.Context[TrainerBot], *, interval_s: float = EDIT_INTERVAL_S
    ) -> None:
        self._context = context
        self._interval_s = interval_s
        self._text = self._shown = ""
        self._view: discord.ui.View | None = None
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._message: discord.PartialMessage | None = None

    async def open(self) -> None:
        """Let Discord know that an answer comes; a slash command has 3 s for that."""
        if (
            self._context.interaction is not None
            and not self._context.interaction.response.is_done()
        ):
            await self._context.defer()

    def show(self, text: str, *, view: discord.ui.View | None = None) -> None:
        """Let `text` be seen soon, above the buttons of `view`. Never blocks."""
        self._text = text
        self._view = view or self._view
        self._news.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_along())

    async def post(self, text: str) -> int:
        """Let `text` be seen now, and return the id of the message, which is nobody's after this.

        Raises discord.HTTPException when Discord does not take it.
        """
        async with self._writing:  # a request on its way is never cut off
            self._stop_writing()
            await self._write(text, None)
        assert self._message is not None  # as written
        return self._message.id

    async def finish(self, text: str, *, files: Sequence[Page] = ()) -> None:
        """Let `text` be the last word, without buttons; `files` go along.

        What does not fit into the message follows in others. Raises
        discord.HTTPException when Discord does not take it.
        """
        first, *others = split(text) or ["…"]
        async with self._writing:
            self._stop_writing()
            await self._write(first, None, files=files, is_last=True)
            for number, other in enumerate(others, 1):
                await self._context.channel.send(
                    other, nonce=f"{self._context.message.id}-p{number}"
                )

    async def end(self, text: str, *, files: Sequence[Page] = ()) -> None:
        """The same, where nobody is left to be told that Discord does not take it."""
        try:
            await self.finish(text, files=files)
        except OUT_OF_REACH as error:
            log.warning("The end of a command could not be said: %s", error)

    def _stop_writing(self) -> None:
        if self._writer is not None:
            self._writer.cancel()

    async def _write_along(self) -> None:
        await asyncio.sleep(FIRST_POST_AFTER_S)
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                async with self._writing:
                    await self._write(split(self._text)[0], self._view)
            except OUT_OF_REACH as error:
                log.info("How a command goes could not be shown; its end will be: %s", error)
            await asyncio.sleep(self._interval_s)

    async def _write(
        self,
        text: str,
        view: discord.ui.View | None,
        *,
        files: Sequence[Page] = (),
        is_last: bool = False,
    ) -> None:
        if self._message is None:
            posted = await self._post(text, view, _files(files))
            # Edited as any message of ours: the way of an interaction ends after 15 minutes.
            self._message = discord.PartialMessage(channel=posted.channel, id=posted.id)
        elif text != self._shown or is_last:
            try:
                await self._edit(text, view, _files(files))
            except discord.NotFound:
                log.info("A message was removed while its command ran; it is not put back.")
        self._shown = text

    async def _post(
        self, text: str, view: discord.ui.View | None, files: list[discord.File]
    ) -> discord.Message:
        given: dict[str, Any] = {"view": view} if view else {}
        if files:
            given["files"] = files
        if self._context.interaction is not None:
            return await self._context.send(text, **given)
        message = self._context.message
        # With a nonce Discord posts a message once, even if its answer to the
        # first attempt was lost. The command may be deleted by now.
        return await self._context.channel.send(
            text,
            nonce=f"{message.id}-p",
            reference=message.to_reference(fail_if_not_exists=False),
            mention_author=False,
            **given,
        )

    async def _edit(
        self, text: str, view: discord.ui.View | None, files: list[discord.File]
    ) -> None:
        assert self._message is not None  # as the caller saw
        given: dict[str, Any] = {"attachments": files} if files else {}
        await self._message.edit(content=text, view=view, **given)


async def carry_out(
    context: commands.Context[TrainerBot],
    work: Callable[[Progress], Awaitable[Said | None]],
    *,
    cut_short: str,
    failed: str = "",
) -> None:
    """Do `work` and say how it ended; None for work whose message goes on without it.

    cut_short: said when the bot stops meanwhile. failed: said before the
    reason of a failure.
    """
    live = Progress(context)
    if context.bot.is_stopping:
        await live.end(cut_short)
        return
    with context.bot.in_flight.answering():
        try:
            await live.open()
            said = await work(live)
        except asyncio.CancelledError:
            await live.end(cut_short)
            raise
        except commands.CommandError:
            raise
        except Exception as error:
            doing = f"The command of message {context.message.id}"
            said = Said(str(await explain(error, doing)))
            if failed:
                said = Said(f"{failed}\n{said.text}")
        if said is not None:
            await live.end(said.text, files=said.files)


def _files(pages: Sequence[Page]) -> list[discord.File]:
    return [discord.File(io.BytesIO(page.content), page.filename) for page in pages]
