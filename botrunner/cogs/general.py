"""The commands that need nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord.ext import commands

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot


class General(commands.Cog):
    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(description="Says hello")  # type: ignore[arg-type]
    async def hi(self, context: commands.Context[TrainerBot]) -> None:
        await context.send("HI!")


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(General())
