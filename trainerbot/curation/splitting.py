"""Which rows train and which judge: seeded, and near duplicates never on both sides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import blake2b
from itertools import pairwise
from typing import Final

from trainerbot.errors import InvalidInput

PARTS: Final = ("train", "validation", "test")
SHARES: Final[Mapping[str, float]] = {"train": 0.9, "validation": 0.1}


@dataclass(slots=True)
class _Unit:
    """Keys that must stay together."""

    keys: list[int] = field(default_factory=list)
    label: str = ""
    order: bytes = b""


def split(
    keys: Iterable[int],
    *,
    groups: Mapping[int, int] | None = None,
    shares: Mapping[str, float] = SHARES,
    seed: int = 0,
    stratify: Mapping[int, str] | None = None,
) -> dict[int, str]:
    """Return the part of each key: train, validation or test.

    groups: key -> number of its group, for keys that must stay on one side, as
    `near_groups` gives them; a key that is not in it stands alone.
    stratify: key -> label, so that each part has about the same share of each.

    The sizes of the parts are exact, rounded to whole rows (10 rows at 0.1 give
    1), unless groups are too large to fit. Train is never empty. The same keys,
    groups, labels and seed give the same parts on every machine, in whatever
    order they come: the order is that of BLAKE2b digests of seed and key.

    Raises InvalidInput for shares that are no parts of a whole, or without train.
    """
    exact = _exact_shares(shares)
    units = _units(keys, groups or {}, stratify or {}, seed)
    if not units:
        return {}
    by_label: dict[str, list[_Unit]] = {}
    for unit in units:
        by_label.setdefault(unit.label, []).append(unit)
    # The rarest first: rounding then leaves their few rows to train.
    labels = sorted(by_label, key=lambda label: (_n_keys(by_label[label]), label))
    rooms = _rooms([_n_keys(by_label[label]) for label in labels], exact)
    parts: dict[str, list[_Unit]] = {part: [] for part in exact}
    for label, room in zip(labels, rooms, strict=True):
        _fill(parts, by_label[label], room)
    if not parts["train"]:
        _give_train_one(parts)
    return {key: part for part, held in parts.items() for unit in held for key in unit.keys}


def _exact_shares(shares: Mapping[str, float]) -> dict[str, Fraction]:
    """Return the shares as exact fractions, train first. 0.1 is a tenth, not 0.1000000000000000055."""
    if "train" not in shares or not set(shares) <= set(PARTS):
        raise InvalidInput("A split has a part named train, and may have validation and test.")
    try:
        exact = {p: Fraction(str(shares[p])) for p in PARTS if p in shares}
    except ValueError as error:
        raise InvalidInput("The shares of a split must be numbers between 0 and 1.") from error
    if min(exact.values()) < 0 or exact["train"] == 0:
        raise InvalidInput("No share of a split may be below 0, and train needs more than 0.")
    if abs(sum(exact.values(), Fraction(-1))) > Fraction(1, 10_000):
        raise InvalidInput("The shares of a split must add up to 1, for example 0.9 and 0.1.")
    return exact


def _units(
    keys: Iterable[int], groups: Mapping[int, int], labels: Mapping[int, str], seed: int
) -> list[_Unit]:
    """Return the keys in their groups, largest first, then in the order of their digests."""
    alone: list[_Unit] = []
    together: dict[int, _Unit] = {}
    # Sorted, so that a group is named by its least key however the keys came.
    for key in sorted(set(keys)):
        group = groups.get(key)
        if group is None:
            alone.append(_Unit([key]))
        else:
            together.setdefault(group, _Unit()).keys.append(key)
    units = [*alone, *together.values()]
    for unit in units:
        told = f"{seed}:{unit.keys[0]}".encode()
        unit.order = blake2b(told, digest_size=16).digest()
        if labels:
            own = [labels.get(key, "") for key in unit.keys]
            unit.label = own[0] if len(own) == 1 else max(sorted(set(own)), key=own.count)
    units.sort(key=lambda unit: (-len(unit.keys), unit.order))
    return units


def _n_keys(units: list[_Unit]) -> int:
    return sum(len(unit.keys) for unit in units)


def _rooms(sizes: list[int], shares: Mapping[str, Fraction]) -> list[dict[str, int]]:
    """Return how many keys of each label go to each part.

    Rounded along the running total, so that no label is off by more than a row
    a part and the parts as a whole are not off at all.
    """
    total = sum(sizes)
    rooms = [dict.fromkeys(shares, 0) for _ in sizes]
    left = list(sizes)
    for part in [part for part in shares if part != "train"]:
        # Train keeps at least one row, whatever the shares.
        wanted = min(_rounded(total * shares[part]), sum(left) - 1)
        marks = [0]
        for size in sizes:
            marks.append(marks[-1] + size)
        bounds = [_rounded(Fraction(wanted * mark, total)) for mark in marks]
        owed = 0
        for at, (low, high) in enumerate(pairwise(bounds)):
            owed += high - low
            taken = min(owed, left[at])
            rooms[at][part] = taken
            left[at] -= taken
            owed -= taken
        for at in range(len(sizes)):  # What the last labels had no room for.
            taken = min(owed, left[at])
            rooms[at][part] += taken
            left[at] -= taken
            owed -= taken
    for room, rest in zip(rooms, left, strict=True):
        room["train"] = rest
    return rooms


def _rounded(value: Fraction) -> int:
    """Return the nearest whole number; a half goes up, as people round."""
    return int(value + Fraction(1, 2))


def _fill(parts: dict[str, list[_Unit]], units: list[_Unit], room: dict[str, int]) -> None:
    """Give each unit to the part that has the most room left, train of equals."""
    for unit in units:
        part = max(room, key=lambda part: (room[part], part == "train"))
        parts[part].append(unit)
        room[part] -= len(unit.keys)


def _give_train_one(parts: dict[str, list[_Unit]]) -> None:
    """Move the smallest unit to train, when groups were too large for the room it had."""
    part, unit = min(
        ((part, unit) for part, held in parts.items() for unit in held),
        key=lambda pair: (len(pair[1].keys), pair[1].order),
    )
    parts[part].remove(unit)
    parts["train"].append(unit)
