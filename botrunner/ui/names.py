"""Names that are offered while somebody types a slash command, to those alone who may use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from django.db import DatabaseError

from botrunner.people import interaction_asker
from dashboard.services import access, library, standings
from dashboard.services.access import Permission
from trainerbot.errors import TrainerBotError

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

MOST = 25
MAX_CHARACTERS = 100  # of a choice, by Discord's rules
Find = Callable[[str], Awaitable[Sequence[str]]]
Complete = Callable[
    [discord.Interaction[Any], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]
]


def offering(permission: Permission, find: Find) -> Complete:
    """Return an autocompletion by what `find` finds for the letters typed so far."""

    async def complete(
        interaction: discord.Interaction[TrainerBot], current: str
    ) -> list[app_commands.Choice[str]]:
        try:
            asker = await interaction_asker(interaction)
            if not access.can(asker.person, permission):
                return []
            names = await find(current)
        except (DatabaseError, TrainerBotError):
            return []  # One can type it out; the command itself tells what is wrong.
        fitting = [name for name in names if len(name) <= MAX_CHARACTERS]
        return [app_commands.Choice(name=name, value=name) for name in fitting[:MOST]]

    return complete


@database_sync_to_async
def find_datasets(containing: str) -> list[str]:
    return library.dataset_names(containing)


@database_sync_to_async
def find_files(containing: str) -> list[str]:
    return [file.name for file in library.files(containing)]


@database_sync_to_async
def find_job_names(containing: str) -> list[str]:
    return [name for name, _ in standings.ids(containing)]
