"""Correcting an answer: the form with the old words, and what is said of the new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from channels.db import database_sync_to_async

from botrunner.people import Asker, interaction_asker, require
from botrunner.quoting import in_a_line
from botrunner.ui.acting import LastingButton, answering, say
from botrunner.ui.forms import Form, Values, check_pace, long_text, taking
from dashboard.models import Correction, Message
from dashboard.services import answers, corrections
from dashboard.services.access import Permission

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

CORRECT = "correct"  # what is audited when somebody may not
ECHOED_CHARACTERS = 300
TOO_LONG_FOR_A_FORM = "The old answer is too long for this form. Write the whole better answer."


class CorrectIt(
    LastingButton,
    template=r"correct:(?P<answer>[0-9]{1,18})",
):
    """The button that opens the form for one answer."""

    def __init__(self, answer_id: int) -> None:
        super().__init__(
            discord.ui.Button(label="Correct it", emoji="✏️", custom_id=f"correct:{answer_id}")
        )
        self.answer_id = answer_id

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction, f"The form for answer {self.answer_id}"):
            asker = await interaction_asker(interaction)
            await require(asker, Permission.PROPOSE, what=CORRECT)
            answer = await get_answer(self.answer_id, channel_ids=asker.channel_ids)
            await interaction.response.send_modal(form(answer))


def form(answer: Message) -> discord.ui.Modal:
    """The form to correct one answer, with its words to start from."""
    modal = Form(title="Correct this answer", handles=CORRECT, about=answer.pk)
    modal.ask_long(
        "What I should have said",
        value=answer.content,
        hint=TOO_LONG_FOR_A_FORM,
        description=_place(answer),
    )
    return modal


def _place(answer: Message) -> str:
    """Where the correction of an answer will count."""
    channel = answer.conversation.discord_channel
    if channel is None or channel.guild is None:
        return "Counts everywhere, once it is approved."
    return f"Counts on {channel.guild}. The trainers may choose one channel."


async def receive(
    interaction: discord.Interaction[TrainerBot], answer_id: int, values: Values
) -> None:
    """Take the words of a form that was sent."""
    words = long_text(values)
    async with taking(interaction, f"The correction of answer {answer_id}", words=words):
        check_pace(interaction)
        asker = await interaction_asker(interaction)
        await require(asker, Permission.PROPOSE, what=CORRECT)
        answer = await get_answer(answer_id, channel_ids=asker.channel_ids)
        correction = await propose(asker, answer, words)
        await say(interaction, received(correction))


@database_sync_to_async
def get_answer(answer_id: int, *, channel_ids: tuple[int, ...]) -> Message:
    return answers.get(answer_id, channel_ids=channel_ids)


@database_sync_to_async
def posted_answer(discord_message_id: int, *, channel_ids: tuple[int, ...]) -> Message:
    return answers.posted(discord_message_id, channel_ids=channel_ids)


@database_sync_to_async
def propose(asker: Asker, answer: Message, better_answer: str) -> Correction:
    return corrections.propose_for(message=answer, better_answer=better_answer, author=asker.person)


def received(correction: Correction) -> str:
    """What the person who corrected is told."""
    words = in_a_line(correction.better_answer, ECHOED_CHARACTERS)
    if correction.state == Correction.State.APPROVED:
        return f"Correction received: {words}\nIt is in force at once, as #{correction.pk}."
    return (
        f"Correction received: {words}\n"
        f"It waits for a trainer, as #{correction.pk}; I will tell you once it is in force."
    )
