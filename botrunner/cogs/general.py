"""The commands that need nothing: a greeting, how to use the bot, where the dashboard is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discord.ext import commands

from botrunner.people import Asker, asker_of, permission_of, requires
from botrunner.replies import split
from botrunner.ui.links import dashboard_address
from dashboard.services import access
from dashboard.services.access import Permission

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

NO_ADDRESS = "The dashboard's address is not set here. Ask an admin of this bot for it."


class General(commands.Cog, description="General"):
    def __init__(self) -> None:
        # Read when the bot starts: without it the bot says so then, and not to the first who asks.
        self._instruction = (Path(__file__).parent / "instruction.md").read_text(encoding="utf-8")

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(description="Says hello")  # type: ignore[arg-type]
    @requires(Permission.CHAT)
    async def hi(self, context: commands.Context[TrainerBot]) -> None:
        await context.send("HI!")

    @commands.hybrid_command(description="Shows how to use the bot")  # type: ignore[arg-type]
    @requires(Permission.CHAT)
    async def instruction(self, context: commands.Context[TrainerBot]) -> None:
        asker = await asker_of(context)
        text = self._instruction.replace("{prefix}", context.bot.command_prefix)  # type: ignore[arg-type]  # ours is a string
        for part in split(f"{text}\n{table(context.bot, asker)}"):
            await context.send(part, ephemeral=True)

    @commands.hybrid_command(description="Tells where the dashboard is")  # type: ignore[arg-type]
    @requires(Permission.CHAT)
    async def dashboard(self, context: commands.Context[TrainerBot]) -> None:
        address = dashboard_address()
        words = f"The dashboard is here: {address}" if address else NO_ADDRESS
        await context.send(words, ephemeral=True)


def table(bot: TrainerBot, asker: Asker) -> str:
    """Every command that `asker` may use here, by what it is for."""
    groups: dict[str, list[str]] = {}
    for command in usable(bot, asker):
        cog = command.cog
        title = (cog.description or cog.qualified_name) if cog else "More"
        words = f"{command.qualified_name} {command.signature}".strip()
        about = command.description or command.help or ""
        groups.setdefault(title, []).append(f"`{words}`{f' {about}' if about else ''}")
    return "\n".join(
        line for title in sorted(groups) for line in (f"**{title}**", *sorted(groups[title]))
    )


def usable(bot: TrainerBot, asker: Asker) -> Iterator[commands.Command[Any, ..., Any]]:
    """The commands that `asker` may use, subcommands too."""
    for command in bot.walk_commands():
        try:
            may = access.can(asker.person, permission_of(command))
        except KeyError:
            may = True  # it asks for itself who may, as `ask` does while it asks for all else
        if may and command.enabled and not command.hidden:
            yield command


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(General())
