"""What happened to a correction, as people read it: acts of the audit log, and comments."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.models import AuditEvent, Correction, CorrectionStep
from dashboard.services.corrections import places

MOST = 200
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
    found = []
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
        found.append(_entry(event, did, step))
    return found


def _entry(event: AuditEvent, did: str, step: CorrectionStep | None) -> Entry:
    if step is None:
        return Entry(event.created_at, event.actor_name, did)
    before, after = step.before, step.after
    words = before["better_answer"] != after["better_answer"]
    moved = (before["guild_id"], before["channel_id"]) != (after["guild_id"], after["channel_id"])
    return Entry(
        at=event.created_at,
        name=event.actor_name,
        did=did,
        old_words=before["better_answer"] if words else "",
        new_words=after["better_answer"] if words else "",
        old_place=places.name_of(before) if moved else "",
        new_place=places.name_of(after) if moved else "",
        note=step.note,
        is_undone=step.undone_at is not None,
    )
