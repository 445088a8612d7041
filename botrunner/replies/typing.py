"""Shows that the bot is at work, once it takes longer than a moment."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord
from discord.ext import commands

log = logging.getLogger(__name__)

TYPING_AFTER_S = 0.2
# Discord waits three seconds for the first word about a slash command.
DEFER_AFTER_S = 1.0
LONGEST_S = 3600.0


@contextmanager
def typing(where: discord.abc.Messageable) -> Iterator[None]:
    """Show that the bot is typing, if the block takes longer than a moment.

    Of a slash command's context, that it is thinking.
    """
    loop = asyncio.get_running_loop()
    shown: list[asyncio.Task[None]] = []
    is_command = isinstance(where, commands.Context) and where.interaction is not None
    show = _show_thinking if is_command else _show_typing
    # A timer rather than a task: most answers that come at once never need it.
    timer = loop.call_later(
        DEFER_AFTER_S if is_command else TYPING_AFTER_S,
        lambda: shown.append(loop.create_task(show(where))),
    )
    try:
        yield
    finally:
        timer.cancel()
        if shown and not is_command:
            shown[0].cancel()


async def _show_typing(where: discord.abc.Messageable) -> None:
    try:
        async with where.typing():
            await asyncio.sleep(LONGEST_S)  # cancelled when the answer is there
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.info("Typing could not be shown: %s", error)


async def _show_thinking(where: discord.abc.Messageable) -> None:
    assert isinstance(where, commands.Context)
    try:
        await where.defer()
    except discord.InteractionResponded:
        pass  # the answer was quicker
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.info("A command could not be acknowledged: %s", error)
