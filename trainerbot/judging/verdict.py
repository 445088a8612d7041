"""Whether a tuned model is worth promoting, said from the figures of the same tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

PROMOTE: Final = "promote"
KEEP: Final = "keep recall"
REFUSE: Final = "refuse"
Decision = Literal["promote", "keep recall", "refuse"]
SAME_ANSWER: Final = 0.2  # of different questions, before it counts as repeating itself
MORE: Final = 1.5  # times the price or the time, before it is spoken of
LESS: Final = 1 / MORE


@dataclass(frozen=True, slots=True)
class Difference:
    """Share of right answers more than another's, with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One suite, asked of both models with and without recall. Shares are of 0 to 1.

    is_taught: its tests are the corrections, not general knowledge. alone,
    recalled: what the tuned model has more than the base model, without and
    with recall. *_repeats: the share of different questions that got one and
    the same answer, the most frequent one, without recall.
    """

    name: str
    is_taught: bool
    n: int
    base: float
    base_recall: float
    tuned: float
    tuned_recall: float
    alone: Difference
    recalled: Difference
    base_repeats: float = 0.0
    tuned_repeats: float = 0.0


@dataclass(frozen=True, slots=True)
class Effort:
    """What the other model takes of what the first one takes, for the same answers.

    price, time: 2.0 is twice as much; None where it is not known of both.
    """

    price: float | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sentence, and each reason in one."""

    decision: Decision
    sentence: str
    reasons: list[str] = field(default_factory=list)


def decide(
    model: str, figures: Sequence[Figures], *, margin: float, effort: Effort | None = None
) -> Verdict:
    """Return what to do with a tuned model.

    margin: how many of a hundred answers it may lose on a general suite. It is
    refused when it loses more, has fewer corrections right, or repeats itself; promoted
    when it has clearly more right somewhere, with recall, as people meet it;
    and else not worth it, since recall alone does as well. effort: said along,
    as it may be reason enough to decide otherwise.
    """
    against = [said for each in figures for said in _against(each, margin, "its base model")]
    if against:
        return Verdict(REFUSE, f"Do not promote {model}: {against[0]}", against)
    gains = [each for each in figures if each.recalled.low > 0]
    reasons = [_told(each, "its base model") for each in figures]
    more, less = weighed(effort or Effort())
    reasons += [f"it {said}." for said in (more, less) if said]
    if gains:
        best = max(gains, key=lambda each: each.recalled.mean)
        beside = f" But it {more}." if more else f" And it {less}." if less else ""
        return Verdict(
            PROMOTE, f"Promote {model}: {_told(best, 'its base model')}{beside}", reasons
        )
    kept = (
        f"No gain: keep recall. With it, {model} does not clearly answer more rightly than its "
        "base model"
    )
    if more:
        return Verdict(KEEP, f"{kept}, but {more}.", reasons)
    if less:
        kept += f". It {less}, which may be reason enough to promote it"
    return Verdict(KEEP, f"{kept}.", reasons)


def decide_replacement(
    model: str,
    old: str,
    figures: Sequence[Figures],
    *,
    margin: float,
    effort: Effort | None = None,
) -> Verdict:
    """Return whether `model` can take the place of `old`, which will not answer any more.

    It need not be better: as for a tuned model, it may only not be worse.
    """
    against = [said for each in figures for said in _against(each, margin, old)]
    if against:
        return Verdict(REFUSE, f"{model} does not replace {old} yet: {against[0]}", against)
    reasons = [_told(each, old) for each in figures]
    more, less = weighed(effort or Effort())
    reasons += [f"it {said}." for said in (more, less) if said]
    gains = [each for each in figures if each.recalled.low > 0]
    how = "better" if gains else "no worse"
    said = f"{model} can take the place of {old}: on these tests it is {how}"
    if more:
        return Verdict(PROMOTE, f"{said}, but {more}.", reasons)
    return Verdict(PROMOTE, f"{said}{f', and {less}' if less else ''}.", reasons)


def weighed(effort: Effort) -> tuple[str, str]:
    """What it takes more of, and what less, each as the end of "it ..."; "" for nothing."""
    more, less = [], []
    for ratio, dearer, cheaper in (
        (effort.price, "costs {:.1f} times as much", "costs {:.0f} % less"),
        (effort.time, "takes {:.1f} times as long", "takes {:.0f} % less time"),
    ):
        if ratio is None:
            continue
        if ratio >= MORE:
            more.append(dearer.format(ratio).replace(".0 times", " times"))
        elif ratio <= LESS:
            less.append(cheaper.format(100 * (1 - ratio)))
    return " and ".join(more), " and ".join(less)


def _against(each: Figures, margin: float, other: str) -> list[str]:
    found = []
    if each.tuned_repeats >= SAME_ANSWER and each.tuned_repeats >= 2 * each.base_repeats:
        found.append(
            f"it gives one and the same answer to {_percent(each.tuned_repeats)} of the different "
            f"questions of {each.name}."
        )
    if each.is_taught:
        if each.recalled.mean < 0:
            found.append(
                f"with recall it answers {_percent(each.tuned_recall)} of {each.name} rightly, "
                f"{other} {_percent(each.base_recall)}."
            )
        return found
    if round(100 * min(each.alone.mean, each.recalled.mean), 6) < -margin:
        forgot = "it forgot: on" if other == "its base model" else "on"
        found.append(
            f"{forgot} {each.name} it answers {_percent(each.tuned)} rightly by itself and "
            f"{_percent(each.tuned_recall)} with recall, {other} {_percent(each.base)} and "
            f"{_percent(each.base_recall)}; {margin:g} of a hundred may be lost."
        )
    return found


def _told(each: Figures, other: str) -> str:
    return (
        f"on {each.name} it answers {_percent(each.tuned_recall)} rightly with recall and "
        f"{_percent(each.tuned)} without, {other} {_percent(each.base_recall)} and "
        f"{_percent(each.base)}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
