"""Where Discord lets the bot speak, and how it is heard where it may not."""

from __future__ import annotations

import logging
from typing import Any

import aiohttp
import discord
from discord.ext import commands

from botrunner.replies.sending import NO_REPLY, is_too_late, rewind

log = logging.getLogger(__name__)

# Discord's codes: no access, no such permission.
MISSING = frozenset({50001, 50013})
CANNOT_SPEAK = (
    "Discord does not let me answer you there: in that channel I need the permissions to "
    "view it, to send messages and to attach files. Ask an admin of the server for them, "
    "or write to me here."
)


class Context(commands.Context[commands.Bot]):
    """The context of a command that may be gone, or stand where the bot cannot reply."""

    async def send(self, content: str | None = None, **options: Any) -> discord.Message:
        """Post a message. A reply to a command that was removed stands alone.

        Where Discord no longer waits for a slash command, its channel is told,
        or its author alone what was for them alone.
        """
        if self.interaction is not None:
            return await self._send_slashed(content, options)
        if options.get("reference") is not self.message:
            return await super().send(content, **options)
        options["reference"] = self.message.to_reference(fail_if_not_exists=False)
        try:
            return await super().send(content, **options)
        except discord.HTTPException as refusal:
            if refusal.code != NO_REPLY:
                raise
            rewind(options)
            options |= {"reference": None, "mention_author": None}
            return await super().send(content, **options)

    async def _send_slashed(self, content: str | None, options: dict[str, Any]) -> discord.Message:
        try:
            return await super().send(content, **options)
        except discord.HTTPException as refusal:
            if not is_too_late(refusal):
                raise
        log.info("Discord waited no longer for /%s; it is answered without.", self.command)
        rewind(options)
        is_private = options.pop("ephemeral", False)
        options.pop("mention_author", None)
        where = self.author if is_private else self.channel
        return await where.send(content, **options)


def may_speak(channel: Any, guild: discord.Guild | None) -> bool:
    """Whether the bot may write in a channel, as far as Discord has told. Asks nobody."""
    if guild is None or guild.me is None:
        return True
    if isinstance(channel, discord.Thread):
        if channel.parent is None:
            return True
        mine = channel.permissions_for(guild.me)
        return mine.view_channel and mine.send_messages_in_threads
    if isinstance(channel, (discord.TextChannel, discord.VoiceChannel, discord.StageChannel)):
        mine = channel.permissions_for(guild.me)
        return mine.view_channel and mine.send_messages
    return True


def is_missing(error: BaseException) -> bool:
    """Whether Discord refused because the bot lacks a permission."""
    return isinstance(error, discord.Forbidden) and error.code in MISSING


async def tell_directly(user: discord.User | discord.Member, sentence: str) -> None:
    """Write to a person alone, if they take direct messages. Never raises."""
    try:
        await user.send(sentence)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.info("Somebody takes no direct messages: %s", error)
