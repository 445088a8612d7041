"""Cards in the review channel: a proposed correction, and the buttons to decide on it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import discord
from channels.db import database_sync_to_async

from botrunner.people import Asker, interaction_asker, require
from botrunner.ui.acting import LastingButton, answering, lasting, say
from botrunner.ui.forms import Form, Values, check_pace, long_text, seen_in, taking
from botrunner.ui.quoting import as_block, in_a_line, is_whole
from dashboard.models import Correction
from dashboard.services import cards, corrections
from dashboard.services.access import Permission
from dashboard.services.cards import Shown
from dashboard.services.corrections import Tally

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
EXCERPT_CHARACTERS = 400
NAME_CHARACTERS = 60
NOTE_CHARACTERS = 300
PLACE_CHARACTERS = 100
AHEAD_CHARACTERS = 250
TOO_LONG_FOR_A_FORM = "It is too long for this form. Write the whole answer, or use the dashboard."


class Decide(
    LastingButton,
    template=(
        r"correction:(?P<act>approve|edit|reject):(?P<correction>[0-9]{1,18})"
        r"(?P<revision>(?::[0-9]{1,9})?)"
    ),
):
    """One button of a card. Its id tells which words the card showed beside it."""

    def __init__(
        self, act: str, correction_id: int, revision: str = "", *, votes: str = ""
    ) -> None:
        super().__init__(
            discord.ui.Button(
                label=f"{LABELS[act]} {votes}".rstrip(),
                style=STYLES[act],
                custom_id=f"correction:{act}:{correction_id}{revision}",
            )
        )
        self.act = act
        self.correction_id = correction_id
        # Cards of before the upgrade do not tell.
        self.seen = int(revision[1:]) if revision else None

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answering(interaction, f"The card of correction {self.correction_id}"):
            asker = await interaction_asker(interaction)
            await require(asker, Permission.REVIEW, what=f"correction.{self.act}")
            if self.act == APPROVE:
                done = await approve(asker, self.correction_id, self.seen)
                await say(interaction, await decided(done))
                return
            correction = await waiting(asker, self.correction_id, self.seen)
            modal = edit_form(correction) if self.act == EDIT else reject_form(correction)
            await interaction.response.send_modal(modal)


# --- What a card shows ----------------------------------------------------------
def buttons(correction: Correction, shown: Shown) -> discord.ui.View:
    """The buttons; where several must approve, with how many have."""
    votes = {APPROVE: "", EDIT: "", REJECT: ""}
    if shown.tally.needed > 1:
        votes[APPROVE] = f"({len(shown.tally.approving)}/{shown.tally.needed})"
        votes[REJECT] = f"({len(shown.tally.rejecting)}/{shown.tally.needed})"
    revision = f":{correction.revision}"
    return lasting(*(Decide(act, correction.pk, revision, votes=votes[act]) for act in LABELS))


def text(correction: Correction, shown: Shown) -> str:
    """The card in words, with who decided once somebody has."""
    who = in_a_line(correction.author_name, NAME_CHARACTERS)
    lines = [f"**Correction #{correction.pk}** by {who} · {link(correction)}"]
    for title, words in _words(correction):
        lines += [f"**{title}**", as_block(words, EXCERPT_CHARACTERS)]
    lines.append(f"Counts: {in_a_line(correction.place_name, PLACE_CHARACTERS)}")
    if correction.state != State.PROPOSED:
        return "\n".join([*lines, _outcome(correction)])
    if shown.ahead:
        lines.append(f"⚠️ {in_a_line(shown.ahead, AHEAD_CHARACTERS)}")
    if shown.tally.in_words:
        mark = "⚖️ Disagreement: " if shown.tally.is_disputed else "🗳️ "
        lines.append(f"{mark}{shown.tally.in_words}{_voters(shown.tally)}")
    return "\n".join(lines)


def _voters(tally: Tally) -> str:
    """Who voted, in brackets."""
    told = [
        f"{mark} {in_a_line(', '.join(names), NAME_CHARACTERS)}"
        for mark, names in (("✅", tally.approving), ("❌", tally.rejecting))
        if names
    ]
    return f" ({' '.join(told)})" if told else ""


async def post(
    channel: discord.abc.Messageable, correction: Correction, shown: Shown
) -> discord.Message:
    """Show the card in a channel, once even if it is tried again."""
    return await channel.send(
        text(correction, shown),
        files=files(correction),
        view=buttons(correction, shown),
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
    modal = Form(
        title=f"Correction #{correction.pk}",
        handles=EDIT_FORM,
        about=correction.pk,
        seen=correction.revision,
    )
    modal.ask_long(
        "The right answer",
        value=correction.better_answer,
        hint=TOO_LONG_FOR_A_FORM,
        description=f"Counts: {correction.place_name}",
    )
    return modal


def reject_form(correction: Correction) -> discord.ui.Modal:
    modal = Form(
        title=f"Correction #{correction.pk}",
        handles=REJECT_FORM,
        about=correction.pk,
        seen=correction.revision,
    )
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
        done = await approve(asker, correction_id, seen_in(values), better_answer=words)
        await say(interaction, await decided(done))


async def receive_rejection(
    interaction: discord.Interaction[TrainerBot], correction_id: int, values: Values
) -> None:
    note = values.get("note", "")
    async with taking(interaction, f"The rejection of correction {correction_id}", words=note):
        check_pace(interaction)
        asker = await interaction_asker(interaction)
        await require(asker, Permission.REVIEW, what="correction.reject")
        done = await reject(asker, correction_id, seen_in(values), note=note)
        await say(interaction, await decided(done))


# --- Rows -----------------------------------------------------------------------
@database_sync_to_async
def decided(correction: Correction) -> str:
    """What a reviewer is told of what became of it."""
    match correction.state:
        case State.APPROVED:
            return f"Correction #{correction.pk} is in force from the next message."
        case State.REJECTED:
            return f"Correction #{correction.pk} is rejected."
        case _:
            votes = corrections.tally(correction).in_words
            return f"Your vote on correction #{correction.pk} counts: {votes}."


@database_sync_to_async
def waiting(asker: Asker, correction_id: int, seen: int | None) -> Correction:
    return _waiting(asker, correction_id, seen)


@database_sync_to_async
def approve(
    asker: Asker, correction_id: int, seen: int | None, *, better_answer: str | None = None
) -> Correction:
    return corrections.approve(
        correction=_waiting(asker, correction_id, seen),
        reviewer=asker.person,
        better_answer=better_answer,
    )


@database_sync_to_async
def reject(asker: Asker, correction_id: int, seen: int | None, *, note: str) -> Correction:
    correction = _waiting(asker, correction_id, seen)
    return corrections.reject(correction=correction, reviewer=asker.person, note=note)


def _waiting(asker: Asker, correction_id: int, seen: int | None) -> Correction:
    """A correction of this guild that nobody has decided on: a trainer is one in one guild."""
    cards.in_guild(correction_id, discord_guild_id=asker.guild_id)
    return corrections.waiting(correction_id, revision=seen)
