"""Thumbs under an answer: they work for as long as the message stands, also after a restart."""

from __future__ import annotations

from functools import cache
from typing import Any

import discord
from channels.db import database_sync_to_async

from botrunner.people import Asker, interaction_asker, require
from botrunner.ui.acting import LastingButton, answering, lasting, say
from botrunner.ui.correcting import CorrectIt
from dashboard.services import answers, feedback
from dashboard.services.access import Permission

GOOD, BAD = "👍", "👎"
RATINGS = {GOOD: 1, BAD: -1}


class Thumb(
    LastingButton,
    template=r"verdict:(?P<rating>-1|1):(?P<question>[0-9]{1,18})",
):
    """One thumb. Its id names the question, which has a row before its answer is complete."""

    def __init__(self, rating: int, question_id: int) -> None:
        super().__init__(
            discord.ui.Button(
                emoji=GOOD if rating > 0 else BAD, custom_id=f"verdict:{rating}:{question_id}"
            )
        )
        self.rating = rating
        self.question_id = question_id

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction, f"A thumb for the answer to {self.question_id}"):
            asker = await interaction_asker(interaction)
            await require(asker, Permission.CHAT, what="feedback")
            answer_id = await rate(asker, question_id=self.question_id, rating=self.rating)
            if self.rating > 0:
                await say(interaction, "Thanks, I am glad that it helped.")
            else:
                view = lasting(CorrectIt(answer_id))
                await say(interaction, "Thanks for telling. What should I have said?", view=view)


class _Thumbs(discord.ui.View):
    """Both thumbs as Discord reads them.

    To make them of discord.py's own buttons takes as long as to log the
    question, and nobody asks for those: the bot listens for all of their kind.
    """

    def __init__(self, question_id: int) -> None:
        # Without discord.py's own beginning: that is for views that are listened to.
        self._row = [
            {**each, "custom_id": each["custom_id"].removesuffix("0") + str(question_id)}
            for each in _like()
        ]

    def to_components(self) -> list[dict[str, Any]]:
        return [{"type": discord.ComponentType.action_row.value, "components": self._row}]

    def has_components_v2(self) -> bool:
        return False

    def is_dispatchable(self) -> bool:
        return True

    def is_finished(self) -> bool:
        return True  # so that nothing of it is kept in memory


@cache
def _like() -> list[dict[str, Any]]:
    """Both thumbs for the question 0, of discord.py's own making."""
    (row,) = lasting(Thumb(1, 0), Thumb(-1, 0)).to_components()
    made: list[dict[str, Any]] = row["components"]
    return made


def buttons(question_id: int) -> discord.ui.View:
    """👍 and 👎 for the answer to the question with this row id."""
    return _Thumbs(question_id)


@database_sync_to_async
def rate(asker: Asker, *, question_id: int, rating: int) -> int:
    """Keep a thumb, and return the id of the answer that it is for. Raises NotFound."""
    answer = answers.to_question(question_id, channel_ids=asker.channel_ids)
    feedback.give(message=answer, rating=rating, by=asker.person)
    return answer.pk
