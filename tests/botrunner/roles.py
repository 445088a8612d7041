"""Members of a simulated guild whose Discord roles are mapped to ours."""

from typing import Any

from tests.botrunner.talking import grant


async def add_member(env: Any, guild: Any, name: str, *, grants: str = "") -> Any:
    """A new member of the guild, whose role lets them be a trainer or an admin."""
    if not grants:
        return guild.add_member(env.create_user(name))
    role = guild.create_role(grants)
    await env.settle()
    await grant(guild, role, grants)
    return guild.add_member(env.create_user(name), roles=[role])
