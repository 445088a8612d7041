"""How the bot behaves in a place, changed by a person who is there."""

from dataclasses import dataclass

from django.db import transaction

from dashboard.models import DiscordChannel, PlaceSettings
from dashboard.services import places, releases, storage
from dashboard.services.access import Person
from trainerbot.errors import InvalidInput

MOST_PERSONA = 8_000  # characters
MOST_MODEL = 200
ELSEWHERE = "An admin can give a reason on this server's page of the dashboard."


@dataclass(frozen=True, slots=True)
class Here:
    """A channel of a guild, or the guild itself where no channel is named. Ids are Discord's."""

    guild_id: int
    guild_name: str
    channel_id: int | None = None
    channel_name: str = ""
    parent_id: int | None = None
    parent_name: str = ""


@transaction.atomic
def use_model(here: Here, model: str, *, actor: Person) -> str:
    """Let `model` answer here from the next message on; "" for the one that answers elsewhere.

    Returns what is to be said of it, where nobody has tested it. Raises
    InvalidInput for one whose tests object: on the dashboard a reason can be given.
    """
    if len(model) > MOST_MODEL or not model.isprintable():
        raise InvalidInput(
            f"The name of a model has {MOST_MODEL} letters, digits and signs at most."
        )
    row = _row(here)
    was, row.model = row.model, model
    try:
        return releases.permit(
            model,
            was=was,
            guild=row.guild,
            otherwise=releases.answers_without(row),
            actor=actor,
            save=lambda: places.save_place(row, actor=actor),
        )
    except releases.ReasonNeeded as error:
        raise InvalidInput(f"{error} {ELSEWHERE}") from error


@transaction.atomic
def set_persona(here: Here, text: str, *, actor: Person) -> PlaceSettings:
    """Tell the model `text` before each talk here; "" for what it is told elsewhere."""
    words = text.strip()
    if len(words) > MOST_PERSONA:
        raise InvalidInput(
            f"A persona has {MOST_PERSONA:,} characters at most; this one has {len(words):,}."
        )
    storage.check_text(words, what="The persona")
    row = _row(here)
    row.system_prompt = words
    return places.save_place(row, actor=actor)


def _row(here: Here) -> PlaceSettings:
    """The settings of a place, not yet stored if it has none. Of two people at once, both count."""
    guild = places.guild(here.guild_id, here.guild_name)
    channel = None
    if here.channel_id is not None:
        parent = None
        if here.parent_id is not None:
            parent = _channel(here.parent_id, here.parent_name, guild_id=guild.pk)
        channel = _channel(here.channel_id, here.channel_name, guild_id=guild.pk)
        if parent is not None and channel.parent_id != parent.pk:
            channel.parent = parent
            channel.save(update_fields=["parent"])
    rows = PlaceSettings.objects.select_for_update().filter(guild=guild, channel=channel)
    return rows.first() or PlaceSettings(guild=guild, channel=channel)


def _channel(discord_channel_id: int, name: str, *, guild_id: int) -> DiscordChannel:
    row, _ = DiscordChannel.objects.get_or_create(
        discord_channel_id=discord_channel_id,
        defaults={"name": (name or str(discord_channel_id))[:100], "guild_id": guild_id},
    )
    if row.guild_id is None:
        row.guild_id = guild_id
        row.save(update_fields=["guild"])
    return row
