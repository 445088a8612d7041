"""What hearing and speaking cost: counted in the month of whoever spoke, or was spoken to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import F

from dashboard.models import DiscordGuild, DiscordUser, SpeechPrice, Usage
from dashboard.services import budgets, places, prices
from dashboard.services.hops import hop
from dashboard.services.prices import A_MILLION, SMALLEST_USD
from dashboard.services.speech.rules import OPENAI
from trainerbot.errors import InvalidInput
from trainerbot.speech.registry import RECOGNIZERS, SYNTHESIZERS

log = logging.getLogger(__name__)

A_MINUTE_MS: Final = 60_000


def cost(provider: str, *, heard_ms: int = 0, n_spoken: int = 0) -> Decimal:
    """US dollars of what somebody heard and spoke; nothing where no price is known."""
    price = places.rules().speech_prices.get(provider)
    if price is None:
        return Decimal(0)
    heard = price.heard_usd * heard_ms / A_MINUTE_MS
    spoken = price.spoken_usd * n_spoken / A_MILLION
    return (heard + spoken).quantize(SMALLEST_USD, ROUND_HALF_UP)


def is_paid(providers: list[str]) -> bool:
    """Whether any of those who hear is paid for it, by the prices that are known."""
    known = places.rules().speech_prices
    return any(name in known and known[name].heard_usd > 0 for name in providers)


def count(
    provider: str,
    *,
    guild_id: int | None,
    payer_id: int,
    heard_ms: int = 0,
    n_spoken: int = 0,
) -> None:
    """Count what was heard or spoken in this month of a guild and a person (Discord's ids).

    Somebody of whom nothing is stored, as they never asked anything, gets no
    row by being heard: then it counts for the guild alone.
    """
    guild = DiscordGuild.objects.filter(discord_guild_id=guild_id).first() if guild_id else None
    person = DiscordUser.objects.filter(discord_user_id=payer_id).first()
    month, usd = budgets.this_month(), cost(provider, heard_ms=heard_ms, n_spoken=n_spoken)
    rows = []
    if person is not None and (guild is not None or guild_id is None):
        key = budgets.key(month, guild.pk if guild else None, person.pk)
        rows.append(Usage(key=key, month=month, guild=guild, discord_user=person))
    if guild is not None:
        rows.append(Usage(key=budgets.key(month, guild.pk), month=month, guild=guild))
    with transaction.atomic():
        Usage.objects.bulk_create(rows, ignore_conflicts=True)
        Usage.objects.filter(key__in=[row.key for row in rows]).update(
            heard_ms=F("heard_ms") + heard_ms,
            n_spoken=F("n_spoken") + n_spoken,
            cost_usd=F("cost_usd") + usd,
        )


_count = hop(count)


# After so long whoever waits for an answer hears it, or waits for others than us.
LATER_S: Final = 0.25
# What nobody waits for; held here, since the event loop holds no task for long.
_under_way: dict[asyncio.Task[None], asyncio.Event] = {}


async def settle(work: Coroutine[Any, Any, None], *, later: bool) -> None:
    """Do it now, or behind what follows, where somebody waits for an answer meanwhile."""
    if not later:
        await work
        return
    hurry = asyncio.Event()
    task = asyncio.create_task(_later(work, hurry))
    _under_way[task] = hurry

    def end(task: asyncio.Task[None]) -> None:
        del _under_way[task]
        work.close()  # Python warns of work that was never begun, as it is when we stop

    task.add_done_callback(end)


async def _later(work: Coroutine[Any, Any, None], hurry: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LATER_S):
            await hurry.wait()
    await work


async def catch_up() -> None:
    """Do what was put off: the process ends, and with it all that is not yet counted."""
    loop = asyncio.get_running_loop()
    ours = {task: hurry for task, hurry in _under_way.items() if task.get_loop() is loop}
    for hurry in ours.values():
        hurry.set()
    await asyncio.gather(*ours, return_exceptions=True)


async def note_heard(provider: str, s: float, *, guild_id: int | None, payer_id: int) -> None:
    """Count seconds that were listened to. What cannot be counted is heard all the same."""
    await _note(provider, guild_id=guild_id, payer_id=payer_id, heard_ms=round(1000 * s))


async def note_spoken(provider: str, text: str, *, guild_id: int | None, payer_id: int) -> None:
    """Count a text that was spoken. What cannot be counted is spoken all the same."""
    await _note(provider, guild_id=guild_id, payer_id=payer_id, n_spoken=len(text))


async def _note(provider: str, *, guild_id: int | None, payer_id: int, **counts: int) -> None:
    try:
        await _count(provider, guild_id=guild_id, payer_id=payer_id, **counts)
    except DatabaseError as error:
        log.warning("What %s is paid for could not be counted: %s", provider, error)


# --- prices -----------------------------------------------------------------------
def priced() -> tuple[str, ...]:
    """Whom a price may be set for: all who hear or speak."""
    return tuple(dict.fromkeys((OPENAI, *RECOGNIZERS, *SYNTHESIZERS)))


def save_price(
    *, provider: str, heard_usd: Decimal, spoken_usd: Decimal, actor: User
) -> SpeechPrice:
    """Count `provider` from now on at these US dollars for a minute and a million characters.

    Raises InvalidInput, in words, for a price or a name that is none.
    """
    if provider not in priced():
        raise InvalidInput(f"Those who hear and speak are {', '.join(priced())}.")
    row = SpeechPrice.objects.filter(provider=provider).first() or SpeechPrice(provider=provider)
    return prices.put(
        row,
        name=provider,
        action="speech_price.set",
        actor=actor,
        heard_usd=heard_usd,
        spoken_usd=spoken_usd,
    )


def remove_price(*, provider: str, actor: User) -> None:
    """Count `provider` without a price from now on."""
    rows = SpeechPrice.objects.filter(provider=provider)
    prices.drop(rows, name=provider, action="speech_price.remove", actor=actor)
