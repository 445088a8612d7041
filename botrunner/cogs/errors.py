"""Answers every command and menu that failed, typed or picked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from botrunner.faults import Reason, explain, refusal
from botrunner.people import Denied, MenuDenied
from botrunner.replies.sending import is_too_late
from botrunner.speaking import CANNOT_SPEAK, is_missing, tell_directly
from botrunner.ui.acting import TOO_SLOW, say_why

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

CHANGED = "This command has changed. Reload Discord (Ctrl-R) and use it anew."
CANNOT_DO = (
    "Discord does not let me do that here. Ask an admin of the server whether I may send "
    "messages and attach files in this channel."
)
TAKES_ONE = "It is still busy with the last one. Try again in a moment."


class Errors(commands.Cog):
    """Answers every command that failed. The only place that does.

    Buttons, menus and forms are `botrunner.ui.acting`'s, which says it the same way.
    """

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        bot.tree.error(self.on_tree_error)

    @commands.Cog.listener()
    async def on_command_error(
        self, context: commands.Context[TrainerBot], error: commands.CommandError
    ) -> None:
        if isinstance(error, commands.CommandNotFound):
            return  # other bots listen to the same prefix; cogs/chat answers if it was meant for us
        reason = await _reason(error, _usage(context))
        if context.interaction is not None:
            await say_why(context.interaction, reason)
            return
        try:
            await context.reply(str(reason), mention_author=False)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as problem:
            log.warning("The sentence about an error could not be sent: %s", problem)
            if is_missing(problem):
                told = refusal(CANNOT_SPEAK, f"Command {context.command}")
                await tell_directly(context.author, str(told))

    async def on_tree_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        name = interaction.command.qualified_name if interaction.command else "?"
        await say_why(interaction, await _reason(error, name))


def _usage(context: commands.Context[TrainerBot]) -> str:
    command = context.command
    assert command is not None
    return f"{context.clean_prefix}{command.qualified_name} {command.signature}".strip()


async def _reason(error: Exception, usage: str) -> Reason:
    """Return what the person is told. usage: the command and how it is used."""
    name = usage.partition(" ")[0]
    doing = f"Command {name}"
    match error:
        case (
            commands.HybridCommandError()
            | commands.ConversionError()
            | commands.CommandInvokeError()
            | app_commands.CommandInvokeError()
        ):
            original = error.original
            if isinstance(original, (commands.CommandError, app_commands.AppCommandError)):
                return await _reason(original, usage)
            if is_missing(original):
                return refusal(CANNOT_DO, doing)
            if is_too_late(original):
                return refusal(TOO_SLOW, doing)
            return await explain(original, doing)
        case commands.UserInputError() | app_commands.TransformerError():
            return refusal(f"Use it like this: `{usage}`", doing)
        case commands.CommandOnCooldown() | app_commands.CommandOnCooldown():
            return refusal(
                f"Not so fast: `{name}` works again in {error.retry_after:.0f} s.", doing
            )
        case commands.MaxConcurrencyReached():
            return refusal(TAKES_ONE, doing)
        case commands.NoPrivateMessage() | app_commands.NoPrivateMessage():
            return refusal(f"`{name}` works on a server only.", doing)
        case commands.DisabledCommand():
            return refusal(f"`{name}` is switched off.", doing)
        case Denied() | MenuDenied():
            return refusal(str(error), doing)
        case commands.CheckFailure() | app_commands.CheckFailure():
            return refusal(f"You may not use `{name}` here.", doing)
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return refusal(CHANGED, doing)
    return await explain(error, doing)


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Errors(bot))
