"""What a person may ask of a draft. Each is one edit, and each can be taken back."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User

from dashboard.models import DatasetEdit, DatasetVersion, Example, Provenance
from dashboard.services.drafts import duplicates, rules, selecting, splitting
from dashboard.services.drafts.acts import label_of
from dashboard.services.drafts.editing import LONG, perform
from dashboard.services.drafts.selecting import Chosen
from dashboard.services.drafts.state import next_position
from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.formats import canonical
from trainerbot.formats.rows import Kind

Verb = DatasetEdit.Verb
MAX_LABEL = 100


def revision(example: Example) -> str:
    """What a form keeps of the row that it shows, so that `rewrite` knows which one was seen."""
    told = f"{canonical(example.record)}{example.part}{example.removed_by_id}"
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def rewrite(
    example: Example, *, record: Mapping[str, Any], actor: User | None, seen: str = ""
) -> DatasetEdit:
    """Give a row of a draft another record.

    seen: the `revision` that the person looked at; Conflict when the row is
    another one by now. Raises InvalidInput, with the reason, for a faulty record.
    """
    kind = Kind(example.version.kind)
    usable = rules.usable(record, kind)

    def check(draft: DatasetVersion) -> dict[str, Any]:
        now = draft.examples.kept().filter(pk=example.pk).first()
        if now is None:
            raise NotFound(f"Example {example.position} is no longer in {draft}.")
        if seen and seen != revision(now):
            raise Conflict(
                f"Somebody else changed example {example.position} in the meantime. "
                "Look at it again before you change it."
            )
        return {"record": usable}

    args = selecting.as_args([example.position])
    return perform(example.version, Verb.REWRITE, args, actor=actor, check=check)


def add(
    version: DatasetVersion,
    *,
    record: Mapping[str, Any],
    actor: User | None,
    source: str = Provenance.Source.DASHBOARD,
    author: str = "",
    licence: str = "",
) -> DatasetEdit:
    """Put a new row behind all others, in train where the draft is split."""
    usable = rules.usable(record, Kind(version.kind))
    who = author or (actor.get_username() if actor else "command line")

    def check(draft: DatasetVersion) -> dict[str, Any]:
        given = {
            "source": source,
            "author": who[:150],
            "licence": licence.strip()[:120],
            "reference": f"added to {draft}"[:255],
            "permission": "",
        }
        provenance = Provenance.objects.filter(**given).first()
        if provenance is None:
            provenance = Provenance.objects.create(**given)
        position = next_position(draft)
        return {"record": usable, "provenance": provenance.pk, "position": position}

    return perform(version, Verb.ADD, {}, actor=actor, check=check)


def remove(version: DatasetVersion, *, chosen: Chosen, actor: User | None) -> DatasetEdit:
    """Take rows out: those at some positions, or all that a filter lets through."""
    return _on_selection(version, Verb.REMOVE, {}, chosen=chosen, actor=actor)


def mask(version: DatasetVersion, *, actor: User | None, chosen: Chosen = None) -> DatasetEdit:
    """Put placeholders for what looks private: in all rows, or in the chosen ones."""
    return _on_selection(version, Verb.MASK, {}, chosen=chosen, actor=actor)


def relabel(
    version: DatasetVersion, *, chosen: Chosen, label: str, actor: User | None
) -> DatasetEdit:
    """Give the chosen rows another label: of a judged answer "good" or "bad"."""
    label = label.strip()
    if not label or len(label) > MAX_LABEL or not label.isprintable():
        raise InvalidInput(f"A label has 1 to {MAX_LABEL} letters, digits, signs and spaces.")
    label_of(version, label)
    return _on_selection(version, Verb.RELABEL, {"label": label}, chosen=chosen, actor=actor)


def deduplicate(version: DatasetVersion, *, actor: User | None, near: bool = True) -> DatasetEdit:
    """Take out the rows that repeat an earlier one, exactly or (`near`) with a few words changed.

    The first row of each group stays. Rows with the same words and another
    label are no duplicates.
    """
    if near:
        duplicates.refuse_too_many(version)
    return perform(version, Verb.DEDUPLICATE, {"near": near}, actor=actor, is_long=_is_long)


def split(
    version: DatasetVersion, *, shares: Mapping[str, float], seed: int, actor: User | None
) -> DatasetEdit:
    """Divide the rows into train and validation (and test), such as {"train": 0.9, "validation": 0.1}.

    Seeded, by label, and rows that are alike stay on one side.
    """
    splitting.check(shares, seed)
    args = {"shares": dict(shares), "seed": seed}
    return perform(version, Verb.SPLIT, args, actor=actor, is_long=_is_long)


def _on_selection(
    version: DatasetVersion,
    verb: str,
    args: dict[str, Any],
    *,
    chosen: Chosen,
    actor: User | None,
) -> DatasetEdit:
    args = {**args, **selecting.as_args(chosen)}
    return perform(
        version,
        verb,
        args,
        actor=actor,
        is_long=lambda draft: selecting.are_more_than(LONG, draft, args),
        check=lambda draft: selecting.decided(draft, args),
    )


def _is_long(draft: DatasetVersion) -> bool:
    return draft.n_examples > LONG
