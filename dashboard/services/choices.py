"""The dataset that a person on Discord works on."""

from django.db import transaction

from dashboard.models import Dataset, DatasetChoice
from dashboard.services import audit, people
from dashboard.services.access import Person


def choose(
    dataset: Dataset, *, who: Person, guild_id: int | None, channel_id: int, positive: bool = True
) -> DatasetChoice:
    """Let `who` work on `dataset` in this channel from now on."""
    with transaction.atomic():
        person = people.on_discord(who)
        choice, _ = DatasetChoice.objects.update_or_create(
            discord_user=person,
            discord_channel_id=channel_id,
            defaults={"discord_guild_id": guild_id, "dataset": dataset, "positive": positive},
        )
        audit.record(who, "dataset.choose", str(dataset))
    return choice


def chosen(*, discord_user_id: int, guild_id: int | None, channel_id: int) -> DatasetChoice | None:
    """What a person works on here: chosen in this channel, else last in this guild.

    A dataset that was deleted since does not count.
    """
    mine = DatasetChoice.objects.filter(
        discord_user__discord_user_id=discord_user_id, dataset__archived_at=None
    ).select_related("dataset")
    here = mine.filter(discord_channel_id=channel_id).first()
    if here is not None or guild_id is None:
        return here
    return mine.filter(discord_guild_id=guild_id).order_by("-chosen_at", "-pk").first()
