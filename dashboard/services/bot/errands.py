"""Work that only the bot can do, asked for on the dashboard: tasks whose kind begins with "bot."."""

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import DiscordChannel, Task
from dashboard.services import access, audit, tasks
from dashboard.services.access import Permission
from trainerbot.errors import InvalidInput, NotFound

SAY = "bot.say"
MOST_CHARACTERS = 2000


@transaction.atomic
def say(*, channel_id: int, text: str, actor: User) -> Task:
    """Have the bot post `text` in a channel of a server. `channel_id` is our own row's.

    Raises NotAllowed, NotFound, or InvalidInput for words that Discord does not take.
    """
    access.require(actor, Permission.SETTINGS)
    channel = (
        DiscordChannel.objects.filter(pk=channel_id, guild__isnull=False, gone_at=None)
        .select_related("guild")
        .first()
    )
    if channel is None or channel.guild is None:
        raise NotFound("That channel is no longer there. Choose another one.")
    text = text.strip()
    if not text:
        raise InvalidInput("Write something to send.")
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > MOST_CHARACTERS:
        raise InvalidInput(f"Discord takes at most {MOST_CHARACTERS:,} characters a message.")
    audit.record(actor, "bot.say", f"#{channel.name}", channel=channel.discord_channel_id)
    return tasks.submit(
        SAY,
        args={
            "channel_id": channel.discord_channel_id,
            "guild_id": channel.guild.discord_guild_id,
            "text": text,
            "name": channel.name,
        },
        max_attempts=3,
    )


def latest(kind: str, *, most: int = 5) -> list[Task]:
    """The newest errands of one kind, newest first."""
    return list(Task.objects.filter(kind=kind).order_by("-pk")[:most])
