"""What every menu, button and form does around its own work: ask who it is, answer, explain."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import discord

from botrunner.faults import Reason, explain, refusal
from botrunner.replies.sending import is_too_late
from botrunner.speaking import tell_directly

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)
ALREADY_ANSWERED = 40060  # Discord's code
TOO_SLOW = "Discord waited no longer for me. Do it once more."


class LastingButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"(?!)",  # of none: each kind has its own
):
    """A button that works for as long as its message stands, also after a restart.

    All that it needs is in its id: a kind is made of the groups of its
    `template`, in their order, numbers as numbers.
    """

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        make: Any = cls  # each kind takes what its own template tells
        made: Self = make(*(_value(each) for each in match.groups()))
        return made


def _value(group: str) -> int | str:
    return int(group) if group.lstrip("-").isdecimal() else group


@asynccontextmanager
async def answering(
    interaction: discord.Interaction[TrainerBot], doing: str
) -> AsyncIterator[None]:
    """Let the person hear, in one sentence, of whatever goes wrong in the block.

    doing: what goes on, for the log. A stop of the bot waits for the block.
    Each button, menu and form works in one: discord.py hands to a view's
    `on_error` only what its own items raise, not what lasting ones do.
    """
    with interaction.client.in_flight.answering():
        try:
            yield
        except Exception as error:
            await answer_error(interaction, error, doing)


async def answer_error(
    interaction: discord.Interaction[TrainerBot], error: BaseException, doing: str
) -> None:
    """Tell the person, and nobody else, what `error` means for them. Never raises."""
    await say_why(
        interaction, refusal(TOO_SLOW, doing) if is_too_late(error) else await explain(error, doing)
    )


async def say_why(interaction: discord.Interaction[TrainerBot], reason: Reason) -> None:
    """Say why something was not done, if Discord takes it. Never raises."""
    try:
        await say(interaction, str(reason))
    except (discord.DiscordException, aiohttp.ClientError, OSError) as problem:
        log.warning("The sentence about an error could not be sent: %s", problem)


async def say(
    interaction: discord.Interaction[TrainerBot], text: str, *, view: discord.ui.View | None = None
) -> None:
    """Answer so that only the one who asked sees it, also after a defer.

    Where Discord no longer waits for an answer, they are told directly. Raises
    discord.DiscordException when Discord does not take it.
    """
    try:
        await _say(interaction, text, view or discord.utils.MISSING)
    except discord.HTTPException as problem:
        if not is_too_late(problem):
            raise
        log.info("Discord waited no longer for an answer: %s", problem)
        await tell_directly(interaction.user, text)


async def _say(
    interaction: discord.Interaction[TrainerBot], text: str, view: discord.ui.View
) -> None:
    if not interaction.response.is_done():
        try:
            await interaction.response.send_message(text, view=view, ephemeral=True)
            return
        except discord.HTTPException as problem:
            # The first word was said, and only Discord's receipt for it was lost.
            if problem.code != ALREADY_ANSWERED:
                raise
    await interaction.followup.send(text, view=view, ephemeral=True)


def lasting(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """A row of dynamic items. What they do is in their ids, so nothing of it is kept in memory."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()  # it need not listen: the bot does, for all of its kind, also after a restart
    return view
