"""What happened to a correction, as people read it: acts of the audit log, and comments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.models import AuditEvent, Correction, CorrectionStep, DiscordUser
from dashboard.services.corrections import places

MOST = 200
SOMEONE = "someone"  # who wanted to be forgotten
DID = {
    "propose": "proposed it",
    "teach": "taught it, in force at once",
    "approve": "put it in force",
    "reject": "rejected it",
    "vote_for": "voted for it",
    "vote_against": "voted against it",
    "edit": "changed its words",
    "move": "moved it",
    "undo": "took back what they did last",
    "assign": "assigned it",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One act or comment. Words and places are "" where they did not change."""

    at: datetime
    name: str
    did: str
    old_words: str = ""
    new_words: str = ""
    old_place: str = ""
    new_place: str = ""
    note: str = ""
    comment: str = ""
    is_undone: bool = False


def timeline(correction: Correction) -> list[Entry]:
    """The last MOST acts and comments, oldest first."""
    events = AuditEvent.objects.filter(
        target=f"correction {correction.pk}", action__startswith="correction."
    ).order_by("-pk")[:MOST]
    steps = {step.pk: step for step in correction.steps.order_by("-pk")[:MOST]}
    comments = {each.pk: each for each in correction.comments.order_by("-pk")[:MOST]}
    found, gone = [], _gone(events)
    for event in reversed(events):
        detail: dict[str, Any] = event.detail
        verb = event.action.removeprefix("correction.")
        if verb == "comment":
            said = comments.get(detail.get("comment", 0))
            if said is not None:
                found.append(Entry(said.created_at, said.author_name, "said", comment=said.text))
            continue
        if verb not in DID:
            continue
        did = DID[verb]
        if verb == "assign":
            did = f"assigned it to {detail['to']}" if detail.get("to") else "assigned it to nobody"
        step = steps.get(detail.get("step", 0)) if verb != "undo" else None
        is_gone = detail.get("discord_user_id") in gone
        found.append(_entry(event, did, step, is_gone=is_gone))
    return found


def _gone(events: Iterable[AuditEvent]) -> set[int]:
    """Discord's ids of those who were erased since: the audit log knows their names, a page does not."""
    ids = {event.detail["discord_user_id"] for event in events if "discord_user_id" in event.detail}
    known = DiscordUser.objects.filter(discord_user_id__in=ids).exclude(name="")
    return ids - set(known.values_list("discord_user_id", flat=True))


def _entry(event: AuditEvent, did: str, step: CorrectionStep | None, *, is_gone: bool) -> Entry:
    name = SOMEONE if is_gone else event.actor_name
    if step is None:
        return Entry(event.created_at, name, did)
    before, after = step.before, step.after
    words = before["better_answer"] != after["better_answer"]
    moved = (before["guild_id"], before["channel_id"]) != (after["guild_id"], after["channel_id"])
    return Entry(
        at=event.created_at,
        name=name,
        did=did,
        old_words=before["better_answer"] if words else "",
        new_words=after["better_answer"] if words else "",
        old_place=places.name_of(before) if moved else "",
        new_place=places.name_of(after) if moved else "",
        note="" if is_gone else step.note,
        is_undone=step.undone_at is not None,
    )
