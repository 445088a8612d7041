"""Buttons about fine-tune jobs: stop one, turn the pages of their list. They survive restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from channels.db import database_sync_to_async

from botrunner.people import interaction_asker, require
from botrunner.ui.acting import LastingButton, answering, lasting, say
from botrunner.ui.job_cards import in_a_list, legacy_in_a_list
from dashboard.services import jobs, standings
from dashboard.services.access import Permission

if TYPE_CHECKING:
    pass

TUNED, LEGACY = "tuned", "legacy"
NEWEST = str(10**18 - 1)  # above every key
NONE_YET = "No model was trained yet. `!train` does it."
find = database_sync_to_async(jobs.get)
cancel = database_sync_to_async(jobs.cancel)


class CancelJob(
    LastingButton,
    template=r"job:cancel:(?P<job>[0-9]{1,18})",
):
    """Stops a job: for whoever asked for it, and for trainers."""

    def __init__(self, job_id: int) -> None:
        super().__init__(discord.ui.Button(label="Cancel", custom_id=f"job:cancel:{job_id}"))
        self.job_id = job_id

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction, f"The end of job {self.job_id}"):
            asker = await interaction_asker(interaction)
            job = await find(self.job_id)
            user = job.discord_user
            if user is None or user.discord_user_id != interaction.user.id:
                await require(asker, Permission.TRAIN, what="cancel a job")
            await cancel(job, actor=asker.person)
            await say(
                interaction, "It is asked to stop; what it has trained so far is thrown away."
            )


class TurnPage(
    LastingButton,
    template=r"jobs:(?P<list>tuned|legacy):(?P<way>after|before):(?P<key>[0-9]{1,18})",
):
    """Shows the jobs before or after those that are shown."""

    def __init__(self, listing: str, way: str, key: str | int) -> None:
        label = "Older" if way == "after" else "Newer"
        super().__init__(discord.ui.Button(label=label, custom_id=f"jobs:{listing}:{way}:{key}"))
        self.listing, self.way, self.key = listing, way, str(key)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction, "The list of jobs"):
            asker = await interaction_asker(interaction)
            await require(asker, Permission.VIEW, what="jobs")
            text, view = await listed(self.listing, self.way, self.key)
            await interaction.response.edit_message(content=text, view=view)


async def listed(
    listing: str = TUNED, way: str = "after", key: str = ""
) -> tuple[str, discord.ui.View]:
    """One page of the list and the buttons to its neighbours."""
    text, buttons = await database_sync_to_async(_listed)(listing, way, key)
    # Made here: a view belongs to the event loop.
    return text, lasting(*(TurnPage(*button) for button in buttons))


def _listed(listing: str, way: str, key: str) -> tuple[str, list[tuple[str, str, str]]]:
    token = {way: key}
    if listing == TUNED:
        tuned = standings.listed(**token)
        legacy = standings.listed_legacy().rows
        older = standings.listed(after=tuned.after).rows if tuned.after else []
        lines = [in_a_list(job) for job in tuned.rows]
        if not lines and legacy and not key:
            return _listed(LEGACY, "after", NEWEST)
        buttons = [(TUNED, "before", tuned.before)] if tuned.before else []
        if older:
            buttons.append((TUNED, "after", tuned.after))
        elif legacy:
            buttons.append((LEGACY, "after", NEWEST))
        return "\n".join(["Jobs, newest first:", *lines]) if lines else NONE_YET, buttons
    page = standings.listed_legacy(**token)
    lines = ["Jobs of the original bot:", *(legacy_in_a_list(job) for job in page.rows)]
    newer = standings.listed_legacy(before=page.before).rows if page.before else []
    buttons = []
    if newer:
        buttons.append((LEGACY, "before", page.before))
    elif standings.listed().rows:
        buttons.append((TUNED, "before", "0"))
    if page.after and standings.listed_legacy(after=page.after).rows:
        buttons.append((LEGACY, "after", page.after))
    return "\n".join(lines), buttons
