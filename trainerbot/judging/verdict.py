"""Whether a tuned model is worth promoting, said from the figures of the same tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from trainerbot.judging.collapse import Heard

PROMOTE: Final = "promote"
KEEP: Final = "keep recall"
REFUSE: Final = "refuse"
Decision = Literal["promote", "keep recall", "refuse"]
MORE: Final = 1.5  # times the price or the time, before it is spoken of
LESS: Final = 1 / MORE
AT_ONCE_MS: Final = 200  # for a whole answer: nobody notices that they waited
PARTS: Final = (
    (2 / 3, "two thirds of"),
    (1 / 2, "half"),
    (1 / 3, "a third of"),
    (1 / 4, "a quarter of"),
    (1 / 5, "a fifth of"),
    (1 / 10, "a tenth of"),
    (1 / 20, "a twentieth of"),
)


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
    with recall.
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


@dataclass(frozen=True, slots=True)
class Effort:
    """What the other model takes of what the first one takes, for the same answers.

    price, time: 2.0 is twice as much; None where it is not known of both.
    ms: the time itself that the other one takes for an answer, where known.
    """

    price: float | None = None
    time: float | None = None
    ms: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sentence, and each reason in one. What it costs and takes is said in one of them."""

    decision: Decision
    sentence: str
    reasons: list[str] = field(default_factory=list)


def decide(
    model: str,
    figures: Sequence[Figures],
    *,
    margin: float,
    heard: Heard,
    effort: Effort | None = None,
) -> Verdict:
    """Return what to do with a tuned model.

    margin: how many of a hundred answers it may lose on a general suite. It is
    refused when it loses more, has fewer corrections right, or says one thing
    to everything, and when too little was `heard` to see that; promoted
    when it has clearly more right somewhere, with recall, as people meet it;
    and else not worth it, since recall alone does as well. effort: said along,
    as it may be reason enough to decide otherwise.
    """
    against = [said for each in figures for said in _against(each, margin, "its base model")]
    against += _repeating(heard)
    if against:
        return Verdict(REFUSE, f"Do not promote {model}: {against[0]}", against)
    gains = [each for each in figures if each.recalled.low > 0]
    reasons = [_told(each, "its base model") for each in figures]
    more, less = weighed(effort or Effort())
    if more and less:  # the sentence has room for the one that speaks against it
        reasons.append(f"it {less}.")
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
    heard: Heard,
    effort: Effort | None = None,
) -> Verdict:
    """Return whether `model` can take the place of `old`, which will not answer any more.

    It need not be better: as for a tuned model, it may only not be worse.
    """
    against = [said for each in figures for said in _against(each, margin, old)]
    against += _repeating(heard)
    if against:
        return Verdict(REFUSE, f"{model} does not replace {old} yet: {against[0]}", against)
    reasons = [_told(each, old) for each in figures]
    more, less = weighed(effort or Effort())
    if more and less:
        reasons.append(f"it {less}.")
    gains = [each for each in figures if each.recalled.low > 0]
    how = "better" if gains else "no worse"
    said = f"{model} can take the place of {old}: on these tests it is {how}"
    if more:
        return Verdict(PROMOTE, f"{said}, but {more}.", reasons)
    return Verdict(PROMOTE, f"{said}{f', and {less}' if less else ''}.", reasons)


def weighed(effort: Effort) -> tuple[str, str]:
    """What it takes more of, and what less, each as the end of "it ..."; "" for nothing."""
    more, less = [], []
    if effort.price is not None:
        if effort.price >= MORE:
            more.append(f"costs {_times(effort.price)} as much")
        elif effort.price == 0:
            less.append("costs nothing")
        elif effort.price <= LESS:
            less.append(f"costs {_part(effort.price).removesuffix(' of')} as much")
    if effort.time is not None:
        if effort.time >= MORE:
            more.append(f"takes {_times(effort.time)} as long")
        elif effort.time <= LESS:
            is_at_once = effort.ms is not None and effort.ms <= AT_ONCE_MS
            less.append("answers at once" if is_at_once else f"takes {_part(effort.time)} the time")
    return " and ".join(more), " and ".join(less)


def _times(ratio: float) -> str:
    """At least MORE, in words: nobody needs the third digit."""
    if ratio >= 10:
        step = 10 ** (len(f"{ratio:.0f}") - 2)
        return f"about {round(ratio / step) * step:,} times"
    told = f"{ratio:.1f}".removesuffix(".0")
    return "twice" if told == "2" else f"{told} times"


def _part(ratio: float) -> str:
    """At most LESS, in words, to be followed by "the time" and the like."""
    least, smallest = PARTS[-1]
    if ratio < 0.8 * least:
        return f"less than {smallest}"
    # As a ratio, since a tenth is no nearer to a quarter than to nothing.
    return "about " + min(PARTS, key=lambda part: max(ratio / part[0], part[0] / ratio))[1]


def _repeating(heard: Heard) -> list[str]:
    return [f"it {heard.words}."] if heard.words else []


def _against(each: Figures, margin: float, other: str) -> list[str]:
    found = []
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
