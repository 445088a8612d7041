"""Says which account on the dashboard somebody on Discord has, so that they count as one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner.people import asker_of, requires
from botrunner.ui.quoting import in_a_line
from dashboard.services import links
from dashboard.services.access import Permission

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

MOST_NAME: Final = 150  # characters of an account's
SENT_DIRECTLY: Final = "I have sent you the answer in a direct message."
CANNOT_WRITE: Final = (
    "Done, but I may not write to you directly, and the rest is for your eyes only. "
    "`/link` tells it."
)
HOW: Final = (
    "Your Discord user is linked to no account on the dashboard. If you have one: open Account "
    "there, make a code, and give it to me by `/link` within 10 minutes. Your votes here and "
    "there then count as those of one person. It changes nothing of what you may do."
)

redeem = database_sync_to_async(links.redeem)
account_of = database_sync_to_async(links.account_of)
unlink_on_discord = database_sync_to_async(links.unlink_on_discord)


class Linking(commands.Cog, description="About you"):
    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Links you to your account on the dashboard, or says to which you are linked",
        usage="[code]",
    )
    @requires(Permission.CHAT)
    @app_commands.describe(code="From the page Account on the dashboard; nothing shows your link")
    async def link(self, context: commands.Context[TrainerBot], *, code: str = "") -> None:
        if code.strip():
            asker = await asker_of(context)
            account = (await redeem(person=asker.person, code=code)).get_username()
            await _answer(context, linked(account))
            return
        account = await account_of(context.author.id)
        await _answer(context, state(account) if account else HOW)

    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Ends that you are linked to your account on the dashboard"
    )
    @requires(Permission.CHAT)
    async def unlink(self, context: commands.Context[TrainerBot]) -> None:
        asker = await asker_of(context)
        await _answer(context, unlinked(await unlink_on_discord(asker.person)))


# --- What is said ---------------------------------------------------------------
def linked(account: str) -> str:
    return (
        f"Linked: you are **{in_a_line(account, MOST_NAME)}** on the dashboard. From now on your "
        "votes here and there count as those of one person. Is that not your account? `/unlink`."
    )


def state(account: str) -> str:
    return (
        f"You are **{in_a_line(account, MOST_NAME)}** on the dashboard: your votes here and there "
        "count as those of one person. `/unlink` ends that."
    )


def unlinked(account: str) -> str:
    return (
        f"You are no longer linked to **{in_a_line(account, MOST_NAME)}**. Votes that you gave "
        "until now still count once."
    )


async def _answer(context: commands.Context[TrainerBot], text: str) -> None:
    """Say it so that only the asker reads it: whose account somebody has is nobody else's concern."""
    if context.interaction is not None or context.guild is None:
        await context.send(text, ephemeral=True)
        return
    try:
        await context.author.send(text)
    except discord.Forbidden:
        text = CANNOT_WRITE
    else:
        text = SENT_DIRECTLY
    await context.reply(text, mention_author=False)


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Linking())
