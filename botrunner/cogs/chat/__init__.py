"""Answers what is said to the bot: mentions, direct messages, replies, threads, `ask`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botrunner.cogs.chat.cog import Chat

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

__all__ = ["Chat"]


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Chat(bot))
