"""What a run came to: scores, kept with it; its answers as pages; two runs side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from dashboard.models import SuiteAnswer, SuiteRun
from dashboard.services import paging
from dashboard.services.suites.news import announce
from trainerbot.errors import InvalidInput
from trainerbot.judging.statistics import Estimate, mean_interval, paired_difference

PAGE: Final = 20
SHOWS: Final = ("wrong", "unjudged", "right", "refused", "all")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a comparison: in how many cases each run alone was right."""

    name: str
    n: int
    difference: float
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one version, over the cases that both have answered and judged.

    difference: the share of right answers of the first less that of the second,
    with its paired 95 % bootstrap interval (low, high). wins: cases that only
    the first has right; losses: only the second; ties: all others.
    """

    n: int
    difference: float
    interval: tuple[float, float]
    wins: int
    losses: int
    ties: int
    tags: tuple[Tag, ...] = ()

    @property
    def is_clear(self) -> bool:
        """Whether chance alone would hardly make such a difference."""
        return self.interval[0] > 0 or self.interval[1] < 0


def settle(run: SuiteRun, *, error: str = "") -> None:
    """Score what has been answered so far, and tell open pages; `error` says why it ended."""
    run.error = error
    run.scores = score(run.answers.select_related("case"))
    with transaction.atomic():
        run.save(update_fields=["scores", "error"])
        announce(run)


def score(answers: QuerySet[SuiteAnswer]) -> dict[str, Any] | None:
    """Return scores as they are stored and as `--json` gives them; shares are from 0 to 1.

    right: share of right answers among those judged, with its 95 % interval;
    score: their mean score, the same way. ms: {median, p95} of the answers of
    the model itself. judges, tags: for each, {n, right}. None where nothing
    was judged.
    """
    fields = ("is_right", "score", "ms", "judged_by", "case__tags", "correction", "error")
    rows = list(answers.order_by("position").values_list(*fields))
    judged = [row for row in rows if row[0] is not None]
    if not judged:
        return None
    right = mean_interval([float(bool(row[0])) for row in judged])
    mean = mean_interval([row[1] if row[1] is not None else float(bool(row[0])) for row in judged])
    times = sorted(row[2] for row in rows if row[5] is None and not row[6])
    return {
        "n": len(rows),
        "n_judged": len(judged),
        "right": _told(right),
        "score": _told(mean),
        "ms": {"median": _at(times, 0.5), "p95": _at(times, 0.95)} if times else None,
        "n_recalled": sum(row[5] is not None for row in rows),
        "judges": _shares((row[3], row[0]) for row in judged),
        "tags": _shares((tag, row[0]) for row in judged for tag in row[4]),
    }


def compare(run_a: SuiteRun, run_b: SuiteRun) -> Comparison:
    """Compare two runs of the same version. Raises InvalidInput where they cannot be."""
    if run_a.version_id != run_b.version_id:
        raise InvalidInput(
            "These runs were asked different tests. Compare runs of one version of a suite."
        )
    theirs = dict(_verdicts(run_b).values_list("position", "is_right"))
    pairs = [
        (float(bool(right)), float(bool(theirs[position])), tags)
        for position, right, tags in _verdicts(run_a).values_list(
            "position", "is_right", "case__tags"
        )
        if position in theirs
    ]
    if not pairs:
        raise InvalidInput("There is no case that both runs answered and that could be judged.")
    found = paired_difference([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    by_tag: dict[str, list[tuple[float, float]]] = {}
    for ours, other, tags in pairs:
        for tag in tags:
            by_tag.setdefault(tag, []).append((ours, other))
    wins, losses, ties = _counts([(ours, other) for ours, other, _ in pairs])
    return Comparison(
        n=len(pairs),
        difference=found.mean,
        interval=(found.low, found.high),
        wins=wins,
        losses=losses,
        ties=ties,
        tags=tuple(_tag(name, by_tag[name]) for name in sorted(by_tag)),
    )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as `--json` gives it."""
    return asdict(comparison)


def answers(
    run: SuiteRun,
    *,
    show: str = "wrong",
    after: str = "",
    before: str = "",
    size: int = PAGE,
) -> paging.Page[SuiteAnswer]:
    """One page of answers, in the order of the cases.

    show: one of SHOWS. Raises InvalidInput for a damaged page address, and for
    what is no list.
    """
    rows = SuiteAnswer.objects.filter(run=run).select_related("case", "correction")
    match show:
        case "wrong":
            rows = rows.filter(is_right=False)
        case "unjudged":
            rows = rows.filter(is_right=None)
        case "right":
            rows = rows.filter(is_right=True)
        case "refused":
            rows = rows.exclude(error="")
        case "all":
            pass
        case _:
            raise InvalidInput("There is no such list of answers.")
    return paging.page(
        rows, after=after, before=before, size=size, key="position", newest_first=False
    )


def _verdicts(run: SuiteRun) -> QuerySet[SuiteAnswer]:
    return run.answers.exclude(is_right=None).order_by("position")


def _counts(pairs: Sequence[tuple[float, float]]) -> tuple[int, int, int]:
    wins = sum(ours > other for ours, other in pairs)
    losses = sum(ours < other for ours, other in pairs)
    return wins, losses, len(pairs) - wins - losses


def _tag(name: str, pairs: Sequence[tuple[float, float]]) -> Tag:
    wins, losses, ties = _counts(pairs)
    return Tag(name, len(pairs), round((wins - losses) / len(pairs), 4), wins, losses, ties)


def _told(estimate: Estimate) -> dict[str, Any]:
    return {"mean": estimate.mean, "interval": [estimate.low, estimate.high]}


def _at(rising: Sequence[int], share: float) -> int:
    return rising[min(int(share * len(rising)), len(rising) - 1)]


def _shares(told: Iterable[tuple[str, bool | None]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, right in told:
        row = found.setdefault(name, {"n": 0, "right": 0})
        row["n"] += 1
        row["right"] += bool(right)
    return dict(sorted(found.items()))
