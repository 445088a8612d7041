"""The last question before a person's data are deleted, and the receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from channels.db import database_sync_to_async

from botrunner.intake import counted
from botrunner.ui.acting import LastingButton, answering, lasting
from dashboard.services import privacy
from dashboard.services.privacy import Receipt, Stored
from trainerbot.errors import NotAllowed

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

ALL, WITHOUT_CORRECTIONS, NOTHING = "all", "mine", "nothing"
LABELS = {
    WITHOUT_CORRECTIONS: "Delete",
    ALL: "Delete, corrections too",
    NOTHING: "Keep everything",
}

erase = database_sync_to_async(privacy.erase)


class Erase(
    LastingButton,
    template=r"erase:(?P<what>all|mine|nothing):(?P<user>[0-9]{1,20})",
):
    """One answer to the last question. Its id names whose data they are."""

    def __init__(self, what: str, discord_user_id: int) -> None:
        danger, calm = discord.ButtonStyle.danger, discord.ButtonStyle.secondary
        super().__init__(
            discord.ui.Button(
                label=LABELS[what],
                style=calm if what == NOTHING else danger,
                custom_id=f"erase:{what}:{discord_user_id}",
            )
        )
        self.what = what
        self.discord_user_id = discord_user_id

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction, "A person's data being deleted"):
            if interaction.user.id != self.discord_user_id:
                raise NotAllowed("These buttons are for the person who asked.")
            if self.what == NOTHING:
                await _settle(interaction, "Nothing was deleted.")
                return
            receipt = await erase(interaction.user.id, corrections_too=self.what == ALL)
            await _settle(interaction, written(receipt))


def buttons(discord_user_id: int, *, has_corrections: bool) -> discord.ui.View:
    choices = [WITHOUT_CORRECTIONS, *([ALL] if has_corrections else []), NOTHING]
    return lasting(*(Erase(what, discord_user_id) for what in choices))


def question(found: Stored) -> str:
    words = [
        f"Delete your {counted(found.n_messages, 'message')} with me in "
        f"{counted(found.n_conversations, 'conversation')}, and your {_feedback(found.n_feedback)}? "
        "It cannot be undone."
    ]
    if found.n_corrections:
        words.append(
            f"Your {_stay(found.n_corrections)} without your name, so that others keep the right "
            "answers, unless you choose to delete what you taught too."
        )
    return " ".join(words)


def written(receipt: Receipt) -> str:
    """What a person keeps as the proof."""
    words = [
        f"Deleted: {counted(receipt.n_conversations, 'conversation')} with "
        f"{counted(receipt.n_messages, 'message')}, {_feedback(receipt.n_feedback)}, "
        f"{counted(receipt.n_corrections, 'correction')}.",
        f"Receipt: `{receipt.number}`. The audit log knows it by this number, without your name.",
    ]
    if receipt.n_kept:
        words.append(f"{_stay(receipt.n_kept)}, without your name.")
    if receipt.n_utterances:
        words.insert(
            1,
            f"With them what you said aloud: {counted(receipt.n_utterances, 'time')}, "
            f"{counted(receipt.n_recordings, 'recording')}.",
        )
    if receipt.keeps_refusal:
        words.append("That I may not listen to you stays noted, without your name.")
    if receipt.keeps_usage:
        words.append(
            "How many tokens you used this month stays until the month is over, because a "
            "budget counts with it."
        )
    return "\n".join(words)


def _feedback(n: int) -> str:
    return f"{n:,} piece{'' if n == 1 else 's'} of feedback"


def _stay(n: int) -> str:
    return f"{counted(n, 'correction')} stay{'s' if n == 1 else ''}"


async def _settle(interaction: discord.Interaction[TrainerBot], text: str) -> None:
    """Let the answer stand in place of the question, so that nobody presses twice."""
    await interaction.response.edit_message(content=text, view=None)
