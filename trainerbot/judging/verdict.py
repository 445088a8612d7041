"""Whether a tuned model is worth promoting, said from the figures of the same tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

PROMOTE: Final = "promote"
KEEP: Final = "keep recall"
REFUSE: Final = "refuse"
Decision = Literal["promote", "keep recall", "refuse"]
SAME_ANSWER: Final = 0.2  # of different questions, before it counts as repeating itself


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
class Verdict:
    """One sentence, and each reason in one."""

    decision: Decision
    sentence: str
    reasons: list[str] = field(default_factory=list)


def decide(model: str, figures: Sequence[Figures], *, margin: float) -> Verdict:
    """Return what to do with a tuned model.

    margin: how many of a hundred answers it may lose on a general suite. It is
    refused when it loses more, has fewer corrections right, or repeats itself; promoted
    when it has clearly more right somewhere, with recall, as people meet it;
    and else not worth it, since recall alone does as well.
    """
    against = [said for each in figures for said in _against(each, margin)]
    if against:
        return Verdict(REFUSE, f"Do not promote {model}: {against[0]}", against)
    gains = [each for each in figures if each.recalled.low > 0]
    reasons = [_told(each) for each in figures]
    if gains:
        best = max(gains, key=lambda each: each.recalled.mean)
        return Verdict(PROMOTE, f"Promote {model}: {_told(best)}", reasons)
    return Verdict(
        KEEP,
        f"No gain: keep recall. With it, {model} does not clearly answer more rightly than its "
        "base model.",
        reasons,
    )


def _against(each: Figures, margin: float) -> list[str]:
    found = []
    if each.tuned_repeats >= SAME_ANSWER and each.tuned_repeats >= 2 * each.base_repeats:
        found.append(
            f"it gives one and the same answer to {_percent(each.tuned_repeats)} of the different "
            f"questions of {each.name}."
        )
    if each.is_taught:
        if each.recalled.mean < 0:
            found.append(
                f"with recall it answers {_percent(each.tuned_recall)} of {each.name} rightly, its "
                f"base model {_percent(each.base_recall)}."
            )
        return found
    if round(100 * min(each.alone.mean, each.recalled.mean), 6) < -margin:
        found.append(
            f"it forgot: on {each.name} it answers {_percent(each.tuned)} rightly by itself and "
            f"{_percent(each.tuned_recall)} with recall, its base model {_percent(each.base)} and "
            f"{_percent(each.base_recall)}; {margin:g} of a hundred may be lost."
        )
    return found


def _told(each: Figures) -> str:
    return (
        f"on {each.name} it answers {_percent(each.tuned_recall)} rightly with recall and "
        f"{_percent(each.tuned)} without, its base model {_percent(each.base_recall)} and "
        f"{_percent(each.base)}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
