"""Members of a simulated guild whose Discord roles are mapped to ours."""

from typing import Any

from channels.db import database_sync_to_async

from dashboard.models import DiscordRole
from dashboard.services import places


async def add_member(env: Any, guild: Any, name: str, *, grants: str = "") -> Any:
    """A new member of the guild, whose role lets them be a trainer or an admin."""
    if not grants:
        return guild.add_member(env.create_user(name))
    role = guild.create_role(grants)
    row = await database_sync_to_async(places.guild)(guild.id, guild.name)
    await DiscordRole.objects.acreate(
        guild=row, discord_role_id=role.id, name=grants, grants=grants
    )
    places.forget()
    return guild.add_member(env.create_user(name), roles=[role])
