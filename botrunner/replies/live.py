"""One answer in Discord, from its first words to its last."""

from __future__ import annotations

import io
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import discord
from discord.ext import commands

from botrunner.replies.along import EDIT_INTERVAL_S, OUT_OF_REACH, Along
from botrunner.replies.cutting import MAX_CHARACTERS, split
from botrunner.replies.sending import TOO_LATE, Outlet, outlet

log = logging.getLogger(__name__)

# What is longer goes on in a thread, or lies beside its beginning as a file.
MOST_MESSAGES = 3
FILE_NAME = "answer.md"
IN_FILE = f"-# The whole answer is in the file `{FILE_NAME}`."
IN_THREAD = "-# The answer goes on in the thread."
THREAD_MINUTES: Final = 1440


class LiveReply:
    """One answer in Discord: posted when its first words are there, edited while it grows.

    Edits are `interval_s` apart and show the latest text, whatever came in
    between; the last one does not wait. No edit ever waits behind another:
    there is one request at a time, and it carries what is the latest when it
    leaves. It mentions nobody.

    begun: a message of an earlier process in which this answer had begun.
    on_begun: told once of the first message, if it is posted before the end.
    """

    def __init__(
        self,
        question: discord.Message | commands.Context[Any] | Outlet,
        *,
        interval_s: float = EDIT_INTERVAL_S,
        begun: discord.Message | None = None,
        on_begun: Callable[[discord.Message], Awaitable[None]] | None = None,
    ) -> None:
        self._outlet = outlet(question)
        self._along = Along(self._write_begun, interval_s=interval_s)
        self._on_begun = on_begun
        self._text = ""
        self._posted: list[discord.Message] = [begun] if begun else []
        self._shown: list[str] = [begun.content] if begun else []

    @property
    def posted(self) -> tuple[discord.Message, ...]:
        """The messages that carry what was taken of it so far, in its channel."""
        return tuple(self._posted)

    @property
    def asker(self) -> discord.User | discord.Member:
        return self._outlet.asker

    @property
    def outlasts(self) -> bool:
        """Whether a later process can go on with it."""
        return self._outlet.outlasts

    def show(self, text: str) -> None:
        """Let `text`, the whole answer so far, be seen soon. Never blocks."""
        self._text = text
        self._along.news()

    async def finish(
        self, text: str, *, view: discord.ui.View | None = None, title: str = ""
    ) -> list[discord.Message]:
        """Let `text` be the answer, and return the messages that carry it.

        view: buttons for the last of them. title: of the thread in which a
        long answer goes on.
        Raises discord.HTTPException when Discord does not take it.
        """
        async with self._along.ended():
            parts = split(text)
            if len(parts) <= MOST_MESSAGES:
                await self._write(parts, view=view)
                return self._posted
            return await self._write_long(text, view, title)

    async def leave(self, note: str) -> discord.Message:
        """Let `note` stand below the words that are shown, for whoever goes on; the first message.

        Raises discord.HTTPException when Discord does not take it.
        """
        async with self._along.ended():
            parts = split(self._text)[:MOST_MESSAGES] or [""]
            last = split(parts[-1], MAX_CHARACTERS - len(note) - 1)[:1]
            await self._write([*parts[:-1], "\n".join([*last, note])])
            return self._posted[0]

    async def _write_begun(self) -> None:
        async with self._along.writing:
            # No more than is shown: the whole of a long text would be cut at each edit.
            begun = self._text[: (MOST_MESSAGES + 1) * MAX_CHARACTERS]
            await self._write(split(begun)[:MOST_MESSAGES])
        if self._on_begun is not None and self._posted:
            told, self._on_begun = self._on_begun, None
            await told(self._posted[0])

    async def _write(self, parts: list[str], **last: Any) -> None:
        """Make the messages in Discord say `parts`, with as few requests as that takes.

        last: what the last of them has besides words.
        """
        given = {name: what for name, what in last.items() if what is not None}
        for number, part in enumerate(parts):
            more = given if number == len(parts) - 1 else {}
            if number == len(self._posted):
                self._posted.append(await self._post(number, part, **more))
                self._shown.append(part)
                # Discord tells which words a message has that it had posted before.
                if self._posted[number].content.strip() not in ("", part.strip()):
                    await self._edit(number, part, **more)
            elif more or self._shown[number].strip() != part.strip():  # Discord strips them, too
                await self._edit(number, part, **more)
                self._shown[number] = part
        while len(self._posted) > len(parts):
            await self._posted[-1].delete()
            self._posted.pop()
            self._shown.pop()

    async def _post(self, number: int, part: str, **more: Any) -> discord.Message:
        if content := more.pop("file", None):
            more["file"] = _file(content)
        return await self._outlet.post(number, part, **more)

    async def _edit(self, number: int, part: str, **more: Any) -> None:
        if content := more.pop("file", None):
            more["attachments"] = [_file(content)]
        try:
            await self._posted[number].edit(content=part, **more)
        except discord.NotFound:
            log.info("An answer was removed while it formed; it is not put back.")
        except discord.HTTPException as error:
            if error.code not in TOO_LATE:
                raise
            # The way of a slash command ends after 15 minutes; that of the channel does not.
            of_channel = self._outlet.channel.get_partial_message(self._posted[number].id)
            if content:
                more["attachments"] = [_file(content)]
            await of_channel.edit(content=part, **more)

    # --- longer than a channel should bear ----------------------------------------
    async def _write_long(
        self, text: str, view: discord.ui.View | None, title: str
    ) -> list[discord.Message]:
        """Let the beginning stand in the channel, and the rest where it disturbs nobody."""
        # What is there already stays there.
        n_here = max(1, min(len(self._posted), MOST_MESSAGES))
        in_thread = self._may_make_threads()
        note = IN_THREAD if in_thread else IN_FILE
        # Room for either note: where a thread is refused, the file's takes its place.
        parts = split(text, MAX_CHARACTERS - max(len(IN_THREAD), len(IN_FILE)) - 1)
        here = [*parts[: n_here - 1], f"{parts[n_here - 1].rstrip()}\n{note}"]
        if in_thread:
            await self._write(here)
            try:
                return await self._write_thread(parts[n_here:], n_here, view, title)
            except OUT_OF_REACH as error:
                log.info("A thread for a long answer was refused: %s", error)
                here[-1] = f"{parts[n_here - 1].rstrip()}\n{IN_FILE}"
        try:
            await self._write(here, view=view, file=text.encode())
        except discord.Forbidden as error:
            # Too many messages disturb less than half an answer.
            log.info("A file with a long answer was refused: %s", error)
            await self._write(split(text), view=view)
        return self._posted

    def _may_make_threads(self) -> bool:
        channel, guild = self._outlet.channel, self._outlet.guild
        if guild is None or not isinstance(channel, discord.TextChannel):
            return False
        mine = channel.permissions_for(guild.me)
        return mine.create_public_threads and mine.send_messages_in_threads

    async def _write_thread(
        self, parts: list[str], number: int, view: discord.ui.View | None, title: str
    ) -> list[discord.Message]:
        thread = await self._posted[-1].create_thread(
            name=title or "The whole answer", auto_archive_duration=THREAD_MINUTES
        )
        posted = list(self._posted)
        for part in parts:
            more: dict[str, Any] = {"nonce": f"{self._outlet.id}-{number + len(posted)}"}
            if view is not None and part is parts[-1]:
                more["view"] = view
            posted.append(await thread.send(part, **more))
        return posted


def _file(content: bytes) -> discord.File:
    """Return a file for one request: each reads it to its end."""
    return discord.File(io.BytesIO(content), FILE_NAME)
