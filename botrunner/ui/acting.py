"""What every menu, button and form does around its own work: ask who it is, answer, explain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import discord

from botrunner.ui.base import answer_error

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot


@asynccontextmanager
async def answering(
    interaction: discord.Interaction[TrainerBot], doing: str
) -> AsyncIterator[None]:
    """Let the person hear, in one sentence, of whatever goes wrong in the block.

    doing: what goes on, for the log. A stop of the bot waits for the block.
    """
    with interaction.client.in_flight.answering():
        try:
            yield
        except Exception as error:
            await answer_error(interaction, error, doing)


async def say(
    interaction: discord.Interaction[TrainerBot], text: str, *, view: discord.ui.View | None = None
) -> None:
    """Answer so that only the one who asked sees it."""
    shown = view or discord.utils.MISSING
    if interaction.response.is_done():
        await interaction.followup.send(text, view=shown, ephemeral=True)
    else:
        await interaction.response.send_message(text, view=shown, ephemeral=True)


def lasting(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """A row of dynamic items. What they do is in their ids, so nothing of it is kept in memory."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()  # it need not listen: the bot does, for all of its kind, also after a restart
    return view
