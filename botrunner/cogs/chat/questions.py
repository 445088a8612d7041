"""A question on Discord: what is asked, by whom, where, and what came with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord
from discord.ext import commands

from botrunner.cogs.chat import addressing
from dashboard.services.chat import Spot

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot


@dataclass(frozen=True, slots=True)
class Question:
    """A question on Discord that is about to be asked.

    where: what is answered. is_addressed: it was said to the bot, so that a
    denial is told. wants_speech: the asker wants to hear the answer, too.
    """

    where: discord.Message | commands.Context[TrainerBot]
    user: discord.User | discord.Member
    guild: discord.Guild | None
    channel: Any
    spot: Spot
    words: str
    discord_id: int
    reply_to_discord_id: int | None = None
    quoted: str = ""
    files: tuple[discord.Attachment, ...] = ()
    is_addressed: bool = True
    wants_speech: bool = False

    @property
    def is_slashed(self) -> bool:
        """Whether it came by a slash command, which Discord lets the bot answer anywhere."""
        return isinstance(self.where, commands.Context) and self.where.interaction is not None


def of_message(
    me: discord.ClientUser, message: discord.Message, words: str, *, is_addressed: bool
) -> Question:
    """The question that a message asks."""
    reference = message.reference
    return Question(
        where=message,
        user=message.author,
        guild=message.guild,
        channel=message.channel,
        spot=addressing.spot_of(message.author, message.guild, message.channel, message.channel.id),
        words=words,
        discord_id=message.id,
        reply_to_discord_id=reference.message_id if reference else None,
        quoted=addressing.quoted_in(me, message) if reference else "",
        files=tuple(message.attachments),
        is_addressed=is_addressed,
    )


def of_command(
    context: commands.Context[TrainerBot],
    words: str,
    files: list[discord.Attachment],
    *,
    wants_speech: bool,
) -> Question:
    """The question that the command `ask` asks."""
    interaction = context.interaction
    return Question(
        where=context,
        user=context.author,
        guild=context.guild,
        channel=context.channel,
        spot=addressing.spot_of(context.author, context.guild, context.channel, context.channel.id),
        words=words.strip(),
        discord_id=interaction.id if interaction else context.message.id,
        files=tuple(files),
        wants_speech=wants_speech,
    )
