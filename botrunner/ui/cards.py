"""Cards in the review channel: a proposed correction, and the buttons to decide on it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import discord
from channels.db import database_sync_to_async

from botrunner.people import Asker, interaction_asker, require
from botrunner.ui.acting import LastingButton, answering, lasting, say
from botrunner.ui.forms import Form, Values, check_pace, long_text, taking
from botrunner.ui.quoting import as_block, in_a_line, is_whole
from dashboard.models import Correction
from dashboard.services import cards, corrections
from dashboard.services.access import Permission

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

State = Correction.State
APPROVE, EDIT, REJECT = "approve", "edit", "reject"
LABELS = {APPROVE: "Approve", EDIT: "Edit & approve", REJECT: "Reject"}
STYLES = {
    APPROVE: discord.ButtonStyle.success,
    EDIT: discord.ButtonStyle.secondary,
    REJECT: discord.ButtonStyle.danger,
}
# What is audited when somebody may not, and what the forms are called.
EDIT_FORM, REJECT_FORM = "correction-edit", "correction-reject"
EXCERPT_CHARACTERS = 450
NAME_CHARACTERS = 60
NOTE_CHARACTERS = 300
TOO_LONG_FOR_A_FORM = "It is too long for this form. Write the whole answer, or use the dashboard."


class Decide(
    LastingButton,
    template=r"correction:(?P<act>approve|edit|reject):(?P<correction>[0-9]{1,18})",
):
    """One button of a card."""

    def __init__(self, act: str, correction_id: int) -> None:
        super().__init__(
            discord.ui.Button(
                label=LABELS[act],
                style=STYLES[act],
                custom_id=f"correction:{act}:{correction_id}",
            )
        )
        self.act = act
        self.correction_id = correction_id

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction, f"The card of correction {self.correction_id}"):
            asker = await interaction_asker(interaction)
            await require(asker, Permission.REVIEW, what=f"correction.{self.act}")
            if self.act == APPROVE:
                await say(interaction, decided(await approve(asker, self.correction_id)))
                return
            correction = await waiting(asker, self.correction_id)
            modal = edit_form(correction) if self.act == EDIT else reject_form(correction)
            await interaction.response.send_modal(modal)


# --- What a card shows ----------------------------------------------------------
def buttons(correction_id: int) -> discord.ui.View:
    return lasting(*(Decide(act, correction_id) for act in LABELS))


def text(correction: Correction) -> str:
    """The card in words, with who decided once somebody has."""
    who = in_a_line(correction.author_name, NAME_CHARACTERS)
    lines = [f"**Correction #{correction.pk}** by {who} · {link(correction)}"]
    for title, words in _words(correction):
        lines += [f"**{title}**", as_block(words, EXCERPT_CHARACTERS)]
    if correction.state != State.PROPOSED:
        lines.append(_outcome(correction))
    return "\n".join(lines)


async def post(channel: discord.abc.Messageable, correction: Correction) -> discord.Message:
    """Show the card in a channel, once even if it is tried again."""
    return await channel.send(
        text(correction),
        files=files(correction),
        view=buttons(correction.pk),
        nonce=f"card-{correction.pk}",
    )


def files(correction: Correction) -> list[discord.File]:
    """All the words, where the card cannot show all."""
    if all(is_whole(words, EXCERPT_CHARACTERS) for _, words in _words(correction)):
        return []
    whole = "\n\n".join(f"{title}:\n{words}" for title, words in _words(correction))
    return [discord.File(io.BytesIO(whole.encode()), f"correction-{correction.pk}.txt")]


def link(correction: Correction) -> str:
    """Where the corrected answer stands on Discord."""
    message = correction.message
    channel = message.conversation.discord_channel if message else None
    if message is None or channel is None or message.discord_message_id is None:
        return "the answer is gone"
    guild = channel.guild.discord_guild_id if channel.guild else "@me"
    place = f"{guild}/{channel.discord_channel_id}/{message.discord_message_id}"
    return f"https://discord.com/channels/{place}"


def _words(correction: Correction) -> list[tuple[str, str]]:
    return [
        ("Question", correction.question),
        ("I said", correction.rejected_answer or "(nothing)"),
        ("Better", correction.better_answer),
    ]


def _outcome(correction: Correction) -> str:
    reviewer = correction.discord_reviewer or correction.reviewer
    who = in_a_line(str(reviewer), NAME_CHARACTERS) if reviewer else "a command"
    if correction.state == State.APPROVED:
        return f"✅ In force, approved by {who}"
    note = in_a_line(correction.review_note, NOTE_CHARACTERS)
    return f"❌ Rejected by {who}{f': {note}' if note else ''}"


# --- Forms ----------------------------------------------------------------------
def edit_form(correction: Correction) -> discord.ui.Modal:
    modal = Form(title=f"Correction #{correction.pk}", handles=EDIT_FORM, about=correction.pk)
    modal.ask_long("The right answer", value=correction.better_answer, hint=TOO_LONG_FOR_A_FORM)
    return modal


def reject_form(correction: Correction) -> discord.ui.Modal:
    modal = Form(title=f"Correction #{correction.pk}", handles=REJECT_FORM, about=correction.pk)
    modal.ask(
        "Why it is rejected",
        name="note",
        hint="Optional. Whoever wrote the correction reads it.",
        required=False,
        max_length=1000,
    )
    return modal


async def receive_edit(
    interaction: discord.Interaction[TrainerBot], correction_id: int, values: Values
) -> None:
    words = long_text(values)
    async with taking(interaction, f"The edit of correction {correction_id}", words=words):
        check_pace(interaction)
        asker = await interaction_asker(interaction)
        await require(asker, Permission.REVIEW, what="correction.edit")
        await say(interaction, decided(await approve(asker, correction_id, better_answer=words)))


async def receive_rejection(
    interaction: discord.Interaction[TrainerBot], correction_id: int, values: Values
) -> None:
    note = values.get("note", "")
    async with taking(interaction, f"The rejection of correction {correction_id}", words=note):
        check_pace(interaction)
        asker = await interaction_asker(interaction)
        await require(asker, Permission.REVIEW, what="correction.reject")
        await say(interaction, decided(await reject(asker, correction_id, note=note)))


def decided(correction: Correction) -> str:
    if correction.state == State.APPROVED:
        return f"Correction #{correction.pk} is in force from the next message."
    return f"Correction #{correction.pk} is rejected."


# --- Rows -----------------------------------------------------------------------
@database_sync_to_async
def waiting(asker: Asker, correction_id: int) -> Correction:
    return _waiting(asker, correction_id)


@database_sync_to_async
def approve(asker: Asker, correction_id: int, *, better_answer: str | None = None) -> Correction:
    return corrections.approve(
        correction=_waiting(asker, correction_id),
        reviewer=asker.person,
        better_answer=better_answer,
    )


@database_sync_to_async
def reject(asker: Asker, correction_id: int, *, note: str) -> Correction:
    correction = _waiting(asker, correction_id)
    return corrections.reject(correction=correction, reviewer=asker.person, note=note)


def _waiting(asker: Asker, correction_id: int) -> Correction:
    """A correction of this guild that nobody has decided on: a trainer is one in one guild."""
    cards.in_guild(correction_id, discord_guild_id=asker.guild_id)
    return corrections.waiting(correction_id)
