"""One message in which a command tells how its work goes, typed or slashed alike."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import discord
from channels.db import database_sync_to_async
from discord.ext import commands
from django.db import DatabaseError

from botrunner.faults import explain
from botrunner.replies import split
from botrunner.replies.along import EDIT_INTERVAL_S, OUT_OF_REACH, Along
from botrunner.replies.sending import is_too_late
from dashboard.services import requests

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

note_told = database_sync_to_async(requests.told)


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

    request_id: the row by which it goes on after a restart, if there is one.
    goes_on: in place of the words for a work that a restart cuts short.
    """

    def __init__(
        self,
        context: commands.Context[TrainerBot] | None,
        *,
        message: discord.PartialMessage | None = None,
        interval_s: float = EDIT_INTERVAL_S,
    ) -> None:
        self._context = context
        self._along = Along(self._write_latest, interval_s=interval_s)
        self._text = self._shown = ""
        self._view: discord.ui.View | None = None
        self._message = message
        self.request_id: int | None = None
        self.goes_on = ""

    @classmethod
    def onto(cls, message: discord.PartialMessage) -> Self:
        """Go on with a message that an earlier process has posted."""
        return cls(None, message=message)

    async def open(self) -> None:
        """Let Discord know that an answer comes; a slash command has 3 s for that."""
        interaction = self._context and self._context.interaction
        if self._context and interaction and not interaction.response.is_done():
            try:
                await self._context.defer()
            except discord.HTTPException as refusal:
                if not is_too_late(refusal):
                    raise
                log.info("Discord waited no longer for a command; it is done all the same.")

    def show(self, text: str, *, view: discord.ui.View | None = None) -> None:
        """Let `text` be seen soon, above the buttons of `view`. Never blocks."""
        self._text = text
        self._view = view or self._view
        self._along.news()

    async def begin(self, text: str) -> int:
        """Let `text` be seen now, and return the id of the message, which is edited from now on.

        Raises discord.HTTPException when Discord does not take it.
        """
        async with self._along.writing:
            await self._write(text, self._view)
        assert self._message is not None  # as written
        if self._context is not None:
            self._context.bot.in_hand.add(self._message.id)
        return self._message.id

    async def let_go(self) -> None:
        """Leave the message to somebody else, who may edit it at once."""
        async with self._along.ended():
            pass
        await self._along.until_due()
        self.close()

    def close(self) -> None:
        """Let others of this process edit the message."""
        if self._context is not None and self._message is not None:
            self._context.bot.in_hand.discard(self._message.id)

    async def finish(self, text: str, *, files: Sequence[Page] = ()) -> None:
        """Let `text` be the last word, without buttons; `files` go along.

        What does not fit into the message follows in others. Raises
        discord.HTTPException when Discord does not take it.
        """
        first, *others = split(text) or ["…"]
        async with self._along.ended():
            await self._write(first, None, files=files, is_last=True)
            assert self._message is not None  # as written
            for number, other in enumerate(others, 1):
                await self._channel.send(other, nonce=f"{self._message.id}-p{number}")

    async def end(self, text: str, *, files: Sequence[Page] = ()) -> bool:
        """The same, where nobody is left to be told that Discord does not take it: False then."""
        try:
            await self.finish(text, files=files)
        except OUT_OF_REACH as error:
            log.warning("The end of a command could not be said: %s", error)
            return False
        return True

    @property
    def _channel(self) -> discord.abc.Messageable:
        if self._context is not None:
            return self._context.channel
        assert self._message is not None  # of an earlier process
        return self._message.channel

    async def _write_latest(self) -> None:
        async with self._along.writing:
            await self._write(split(self._text)[0], self._view)

    async def _write(
        self,
        text: str,
        view: discord.ui.View | None,
        *,
        files: Sequence[Page] = (),
        is_last: bool = False,
    ) -> None:
        try:
            if self._message is None:
                posted = await self._post(text, view, _files(files))
                # Edited as any message of ours: the way of an interaction ends after 15 minutes.
                self._message = discord.PartialMessage(channel=posted.channel, id=posted.id)
            elif text != self._shown or is_last:
                try:
                    await self._edit(text, view, _files(files))
                except discord.NotFound:
                    log.info("A message was removed while its command ran; it is not put back.")
        finally:
            self._along.wait_an_interval()
        self._shown = text

    async def _post(
        self, text: str, view: discord.ui.View | None, files: list[discord.File]
    ) -> discord.Message:
        given: dict[str, Any] = {"view": view} if view else {}
        if files:
            given["files"] = files
        assert self._context is not None  # who has none has a message
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
    reason of a failure. A request that the work has kept as a row is told by
    this, unless it goes on after a stop.
    """
    live = Progress(context)
    if context.bot.is_stopping:
        await live.end(cut_short)
        return
    with context.bot.in_flight.answering(), contextlib.closing(live):
        try:
            await live.open()
            said = await work(live)
        except asyncio.CancelledError:
            is_told = await live.end(live.goes_on or cut_short)
            if is_told and not live.goes_on:
                await _note_told(live)
            raise
        except commands.CommandError:
            raise
        except Exception as error:
            doing = f"The command of message {context.message.id}"
            said = Said(str(await explain(error, doing)))
            if failed:
                said = Said(f"{failed}\n{said.text}")
        if said is None or await live.end(said.text, files=said.files):
            await _note_told(live)


async def _note_told(live: Progress) -> None:
    if live.request_id is None:
        return
    try:
        await note_told(live.request_id)
    except DatabaseError as error:
        log.warning("Request %s will be told again: %s", live.request_id, error)


def _files(pages: Sequence[Page]) -> list[discord.File]:
    return [discord.File(io.BytesIO(page.content), page.filename) for page in pages]
