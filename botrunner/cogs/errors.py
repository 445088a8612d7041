"""Answers every command that failed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from botrunner.faults import explain
from botrunner.people import Denied, MenuDenied

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

OUTDATED = "Discord shows an older form of this command. Wait a minute, then try it again."


class Errors(commands.Cog):
    """Answers every command that failed. The only place that does."""

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.tree.error(self.on_menu_error)

    @commands.Cog.listener()
    async def on_command_error(
        self, context: commands.Context[TrainerBot], error: commands.CommandError
    ) -> None:
        if isinstance(error, commands.CommandNotFound):
            return  # other bots listen to the same prefix; cogs/chat answers if it was meant for us
        try:
            await context.reply(
                await _sentence(context, error), mention_author=False, ephemeral=True
            )
        except discord.HTTPException as refusal:
            log.warning("The sentence about an error could not be sent: %s", refusal)

    async def on_menu_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """Answer whoever used a context menu, or a slash command that Discord remembers wrongly."""
        if isinstance(error, MenuDenied):
            sentence = str(error)
        elif isinstance(
            error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound
        ):
            log.warning("Discord has other commands than we: %s", error)
            sentence = OUTDATED
        else:
            name = interaction.command.qualified_name if interaction.command else "unknown"
            cause = getattr(error, "original", error)
            sentence = await explain(cause, f"Menu {name}")
        try:
            if interaction.response.is_done():
                await interaction.followup.send(sentence, ephemeral=True)
            else:
                await interaction.response.send_message(sentence, ephemeral=True)
        except discord.HTTPException as refusal:
            log.warning("The sentence about an error could not be sent: %s", refusal)


async def _sentence(context: commands.Context[TrainerBot], error: commands.CommandError) -> str:
    if isinstance(error, commands.HybridCommandError):
        return await _sentence(context, commands.CommandInvokeError(error.original))
    command = context.command
    assert command is not None
    name = f"{context.clean_prefix}{command.qualified_name}"
    if isinstance(error, commands.UserInputError):
        return f"Use it like this: `{f'{name} {command.signature}'.strip()}`"
    if isinstance(error, commands.CommandOnCooldown):
        return f"Not so fast: `{name}` works again in {error.retry_after:.0f} s."
    if isinstance(error, commands.NoPrivateMessage):
        return f"`{name}` works on a server only."
    if isinstance(error, Denied):
        return str(error)
    if isinstance(error, commands.CheckFailure):
        return f"You may not use `{name}` here."
    if isinstance(error, commands.CommandInvokeError):
        return await explain(error.original, f"Command {command.qualified_name}")
    return await explain(error, f"Command {command.qualified_name}")


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Errors(bot))
