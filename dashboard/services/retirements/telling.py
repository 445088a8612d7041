"""The task `retirements`: asks the endpoints for last days, and tells the admins on Discord."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any, Final

from django.utils.timezone import now

from dashboard.models import GuildSettings
from dashboard.services import chat, providers, tasks
from dashboard.services.bot.errands import SAY
from dashboard.services.retirements import days, warning
from dashboard.services.retirements.days import KIND
from dashboard.services.retirements.warning import Warned
from dashboard.services.suites import offers
from dashboard.services.tasks import Later, Run
from trainerbot.errors import TrainerBotError

log = logging.getLogger(__name__)

HOURS: Final = 6  # between two looks
AGAIN_S: Final = 60.0
WITHIN_S: Final = 10.0  # others want the worker's thread
PATIENCE: Final = timedelta(hours=1)
MOST_CHARACTERS: Final = 1_900


def look_later() -> None:
    """Have the worker look, once in six hours however many processes ask for it."""
    moment = now()
    tasks.submit(KIND, args={}, key=f"{KIND}:{moment.date()}:{moment.hour // HOURS}")


@tasks.handler(KIND)
def work(run: Run) -> Later | dict[str, Any]:
    """Ask each endpoint that may be asked, and tell of what has come near.

    One that does not answer is asked again for an hour; what it told before counts.
    """
    silent = []
    for name in providers.endpoints():
        try:
            rows = offers.listed(name, within_s=WITHIN_S)
        except TrainerBotError as error:
            log.info("The last days of models at %s are not known: %s", name, error)
            silent.append(name)
            continue
        # Kept with the task, so that no page has to ask the endpoint for it.
        seen = run.checkpoint.get("own_choices", {})
        run.save(own_choices={**seen, name: chat.own_choice(rows)[: days.LONGEST_NAME]})
        days.keep(name, rows)
    n_told = tell()
    if silent and now() - run.task.created_at < PATIENCE:
        return Later(AGAIN_S)
    return {"told": n_told, "silent": silent}


def tell() -> int:
    """Tell each server's review channel of what concerns it, once 90, 30 and 7 days ahead.

    How many messages were queued. A server hears of its own places alone.
    """
    near = warning.warned()
    if not near:
        return 0
    n_told = 0
    rows = GuildSettings.objects.filter(review_channel__isnull=False, guild__left_at=None)
    for row in rows.select_related("guild", "review_channel"):
        channel = row.review_channel
        if channel is None or channel.gone_at is not None:
            continue
        for each in near:
            if not each.concerns(row.guild_id):
                continue
            n_told += _say(each, row)
    return n_told


def _say(each: Warned, row: GuildSettings) -> bool:
    """Queue one message; False where it was queued before."""
    channel = row.review_channel
    assert channel is not None  # as the caller looked
    told = f"{each.model}\n{each.day}\n{each.ahead}\n{row.guild_id}"
    begun = now()
    task = tasks.submit(
        SAY,
        args={
            "channel_id": channel.discord_channel_id,
            "guild_id": row.guild.discord_guild_id,
            "text": _text(each, row.guild_id),
            "name": channel.name,
        },
        key=f"retiring:{hashlib.sha256(told.encode()).hexdigest()}",
        max_attempts=3,
    )
    return task.created_at >= begun


def _text(each: Warned, guild_id: int) -> str:
    here = [(model, use) for model, use in each.uses if use.concerns(guild_id)]
    said = [f"⚠ {each.sentence}", *warning.lines(each.model, here, tells_places=False)]
    said.append(
        "An admin can try a replacement on the same tests on the dashboard, under Models, and "
        "let it answer from there."
    )
    return "\n".join(said)[:MOST_CHARACTERS]
