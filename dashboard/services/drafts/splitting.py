"""Which row of a draft goes into which part: seeded, and rows that are alike stay together."""

from collections.abc import Callable, Mapping

from dashboard.models import DatasetVersion
from dashboard.services.likeness import MAX_NEAR, digests, texts
from trainerbot.curation import near_groups, split
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

MAX_SEED = 2**31 - 1


def check(shares: Mapping[str, float], seed: int) -> None:
    """Raise InvalidInput for a split that cannot be made of any rows."""
    split([], shares=shares)
    if not 0 <= seed <= MAX_SEED:
        raise InvalidInput(f"The seed is a whole number from 0 to {MAX_SEED:,}.")


def plan(
    draft: DatasetVersion, *, shares: Mapping[str, float], seed: int, beat: Callable[[], None]
) -> dict[int, str]:
    """The part of each position. The same draft, shares and seed give the same one.

    Near duplicates are kept together up to MAX_NEAR rows, in larger drafts
    exact ones only. Each label has about the same share of each part.
    """
    kind, rows = Kind(draft.kind), draft.examples.kept()
    groups: dict[int, int] = {}
    if draft.n_examples <= MAX_NEAR:
        groups = near_groups(texts(rows, kind), progress=lambda n_read: beat())
    first_of: dict[int, int] = {}
    positions = []
    for position, digest in digests(rows, kind):
        positions.append(position)
        first = first_of.setdefault(digest, position)
        if first != position and position not in groups:
            # Texts without words are near to nothing, and may be equal all the same.
            groups[position] = groups.setdefault(first, first)
        if len(positions) % 10_000 == 0:
            beat()
    labels = dict(rows.exclude(label="").values_list("position", "label"))
    beat()
    return split(positions, groups=groups, shares=shares, seed=seed, stratify=labels or None)
