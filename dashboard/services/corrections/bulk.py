"""One decision on many corrections, each with its own check for what others did meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from dashboard.models import Correction
from dashboard.services.corrections import deciding, talk
from dashboard.services.corrections.finding import no_such, visible_to
from dashboard.services.corrections.steps import State, changed, decided
from trainerbot.errors import Conflict, InvalidInput, TrainerBotError

MOST_AT_ONCE = 100
DONE = {"approve": "approved", "reject": "rejected", "assign": "assigned"}
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Picked:
    """A correction as the reviewer saw it in the list."""

    pk: int
    state: str
    revision: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all: `sentence` tells it; `n_done` of them went as asked."""

    sentence: str
    n_done: int
    n_refused: int


def decide_all(
    picked: Sequence[Picked],
    verb: str,
    *,
    reviewer: User,
    note: str = "",
    assignee: User | None = None,
) -> Outcome:
    """Approve, reject or assign all that were picked, one transaction each.

    What cannot be done, because somebody was faster, is told and keeps no other
    from being done. Raises InvalidInput for none, too many, or another verb.
    """
    if verb not in DONE:
        raise InvalidInput("Corrections are approved, rejected or assigned.")
    if not picked:
        raise InvalidInput("Select corrections first.")
    if len(picked) > MOST_AT_ONCE:
        raise InvalidInput(f"At most {MOST_AT_ONCE} corrections at once.")
    n_done, n_waiting, refused = 0, 0, []
    for each in picked:
        try:
            row = _as_seen(each, reviewer)
            if verb == "assign":
                talk.assign(correction=row, assignee=assignee, actor=reviewer)
            elif verb == "approve":
                deciding.approve(correction=row, reviewer=reviewer)
            else:
                deciding.reject(correction=row, reviewer=reviewer, note=note)
        except TrainerBotError as error:
            refused.append(str(error))
            continue
        n_done += 1
        n_waiting += verb != "assign" and row.state == State.PROPOSED
    return Outcome(_sentence(verb, n_done, n_waiting, refused, assignee), n_done, len(refused))


def _as_seen(each: Picked, reviewer: User) -> Correction:
    row = visible_to(reviewer).filter(pk=each.pk).first()
    if row is None:
        raise no_such()
    if row.state != each.state:
        raise Conflict(decided(row))
    if row.revision != each.revision:
        raise Conflict(changed(row))
    return row


def _sentence(
    verb: str, n_done: int, n_waiting: int, refused: list[str], assignee: User | None
) -> str:
    what = "correction" if n_done == 1 else "corrections"
    said = f"{n_done} {what} {DONE[verb]}"
    if verb == "assign":
        said += f" to {assignee}" if assignee is not None else " to nobody"
    if n_waiting:
        said += f", of which {n_waiting} still wait{'s' if n_waiting == 1 else ''} for others"
    if not refused:
        return f"{said}."
    more = f" And {len(refused) - SHOWN} more." if len(refused) > SHOWN else ""
    return f"{said}; {len(refused)} not: {' '.join(refused[:SHOWN])}{more}"
