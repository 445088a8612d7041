"""The months that budgets are counted in, those of UTC."""

from datetime import date, timedelta

from django.utils.timezone import now


def key(month: date, guild_id: int | None, person_id: int | None = None) -> str:
    """The key of a month of a guild, or of a person in it or in direct messages, by our row ids."""
    parts = [f"{month:%Y-%m}"]
    if guild_id is not None:
        parts.append(f"g{guild_id}")
    if person_id is not None:
        parts.append(f"u{person_id}")
    return ":".join(parts)


def this_month() -> date:
    """The first day of the month that is counted now."""
    return now().date().replace(day=1)


def next_month(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
