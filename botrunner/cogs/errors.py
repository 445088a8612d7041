"""What people are told when something goes wrong: one safe sentence, never an exception's text."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

import discord
from discord.ext import commands

from trainerbot.errors import TrainerBotError

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)


def explain(error: BaseException, doing: str) -> str:
    """Return the sentence for the person who met `error`, and log what it was.

    doing: what went on, for the log. Errors made for people speak for
    themselves; of any other the person learns only a reference, which stands
    in the log beside the stack.
    """
    if isinstance(error, TrainerBotError):
        log.warning("%s: %s", doing, error)
        return str(error)
    reference = secrets.token_hex(3)
    log.error("%s went wrong (reference %s)", doing, reference, exc_info=error)
    return (
        "Something went wrong on our side and was logged. "
        f"Try again; if it stays, tell an admin this reference: `{reference}`."
    )


class Errors(commands.Cog):
    """Answers every command that failed. The only place that does."""

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot

    @commands.Cog.listener()
    async def on_command_error(
        self, context: commands.Context[TrainerBot], error: commands.CommandError
    ) -> None:
        if isinstance(error, commands.CommandNotFound):
            return  # other bots listen to the same prefix; cogs/chat answers if it was meant for us
        try:
            await context.reply(_sentence(context, error), mention_author=False, ephemeral=True)
        except discord.HTTPException as refusal:
            log.warning("The sentence about an error could not be sent: %s", refusal)


def _sentence(context: commands.Context[TrainerBot], error: commands.CommandError) -> str:
    if isinstance(error, commands.HybridCommandError):
        return _sentence(context, commands.CommandInvokeError(error.original))
    command = context.command
    assert command is not None
    name = f"{context.clean_prefix}{command.qualified_name}"
    if isinstance(error, commands.UserInputError):
        return f"Use it like this: `{f'{name} {command.signature}'.strip()}`"
    if isinstance(error, commands.CommandOnCooldown):
        return f"Not so fast: `{name}` works again in {error.retry_after:.0f} s."
    if isinstance(error, commands.NoPrivateMessage):
        return f"`{name}` works on a server only."
    if isinstance(error, commands.CheckFailure):
        return f"You may not use `{name}` here."
    if isinstance(error, commands.CommandInvokeError):
        return explain(error.original, f"Command {command.qualified_name}")
    return explain(error, f"Command {command.qualified_name}")


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Errors(bot))
