"""Views and modals whose faults end in words, and the one way to say so in an interaction."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import ui

from botrunner.faults import explain

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)
ALREADY_ANSWERED = 40060  # Discord's code


async def answer_error(
    interaction: discord.Interaction[TrainerBot], error: BaseException, doing: str
) -> None:
    """Tell the person, and nobody else, what `error` means for them. Never raises."""
    await say_alone(interaction, await explain(error, doing, referenced=True))


async def say_alone(interaction: discord.Interaction[TrainerBot], sentence: str) -> None:
    """Say `sentence` so that only the asker sees it, also after a defer. Never raises."""
    try:
        if not interaction.response.is_done():
            try:
                await interaction.response.send_message(sentence, ephemeral=True)
                return
            except discord.HTTPException as refusal:
                if refusal.code != ALREADY_ANSWERED:
                    raise
        await interaction.followup.send(sentence, ephemeral=True)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as refusal:
        log.warning("The sentence about an error could not be sent: %s", refusal)


class SafeView(ui.View):
    """A view whose failed buttons answer in words. Buttons that outlive it need `answers_errors`."""

    async def on_error(
        self,
        interaction: discord.Interaction[Any],
        error: Exception,
        item: ui.Item[Any],
        /,
    ) -> None:
        await answer_error(interaction, error, f"The button {type(item).__name__}")


class SafeModal(ui.Modal, title="Form"):
    """A form whose failed submit answers in words."""

    # discord.py's own modal differs from its view in the same way.
    async def on_error(  # type: ignore[override]
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        await answer_error(interaction, error, f"The form {self.title!r}")
