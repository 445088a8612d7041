"""The slash commands and menus that Discord knows: sent when they changed, and only then."""

import asyncio
import hashlib
import json
import logging

import aiohttp
import discord
from channels.db import database_sync_to_async

from botrunner.bot import TrainerBot
from dashboard.services import bot as bots

log = logging.getLogger(__name__)

# Discord takes 200 new commands a day and 100 of them at once: there is no hurry.
PAUSES_S = (5.0, 60.0, 600.0, 3600.0)

are_synced = database_sync_to_async(bots.commands_are_synced)
note_synced = database_sync_to_async(bots.note_synced_commands)


def digest(bot: TrainerBot) -> str:
    """Return what changes when any command, menu, option or description does."""
    commands = [command.to_dict(bot.tree) for command in bot.tree.get_commands()]
    commands.sort(key=lambda each: (each.get("type", 0), each["name"]))
    return hashlib.sha256(json.dumps(commands, sort_keys=True).encode()).hexdigest()


async def keep_synced(bot: TrainerBot) -> None:
    """Let Discord know the commands as they are; where it refuses, again later."""
    application_id = bot.application_id
    assert application_id is not None  # known since the login
    wanted = digest(bot)
    if await are_synced(application_id=application_id, digest=wanted):
        return
    for pause_s in (*PAUSES_S, *(PAUSES_S[-1:] * 24)):
        try:
            synced = await bot.tree.sync()
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.warning(
                "Discord did not take the slash commands (%s). Again in %.0f s.", error, pause_s
            )
            await asyncio.sleep(pause_s)
            continue
        await note_synced(application_id=application_id, digest=wanted)
        log.info("Discord knows %d slash commands and menus.", len(synced))
        return
    log.error("Discord has not taken the slash commands for a day. Restart the bot to try again.")
