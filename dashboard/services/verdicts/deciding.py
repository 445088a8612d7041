"""The task `verdict`: waits for the runs, compares them, says it in a sentence."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import DiscordGuild, Suite, SuiteRun, SuiteVersion, Task, Verdict, VerdictRun
from dashboard.services import suites, tasks
from dashboard.services.tasks import Later, Run
from dashboard.services.verdicts.asking import KIND, announce
from trainerbot.errors import InvalidInput
from trainerbot.judging.collapse import Heard, hear
from trainerbot.judging.verdict import Difference, Effort, Figures, decide, decide_replacement

LOOK_S: Final = 2.0
FELT_MS: Final = 500  # nobody waits for less, whatever times as long it is
Side = VerdictRun.Side


@tasks.handler(KIND)
def work(run: Run) -> Later | dict[str, Any]:
    """Look whether all runs are over, and decide then. Once."""
    verdict = Verdict.objects.filter(task=run.task).first()
    if verdict is None or verdict.decided_at is not None:
        return {}
    rows = list(verdict.runs.select_related("run__task", "run__version__suite"))
    if not all(row.run.is_finished for row in rows):
        return Later(LOOK_S)
    _decide(verdict, rows)  # first, since it takes a while and others want to write
    verdict.decided_at = now()
    with transaction.atomic():
        verdict.save()
        announce(verdict)
    return {"decision": verdict.decision}


def _decide(verdict: Verdict, rows: list[VerdictRun]) -> None:
    unfinished = [row for row in rows if row.run.task.state != Task.State.SUCCEEDED]
    if unfinished:
        first = unfinished[0].run
        verdict.error = (
            f"{len(unfinished)} of {len(rows)} runs did not come to "
            f"{'its' if len(unfinished) == 1 else 'their'} end. "
            f"Run {first.pk} of {first.model}: {first.error or first.status}"
        )
        return
    by_version: dict[SuiteVersion, dict[str, SuiteRun]] = {}
    for row in rows:
        if suites.is_everyday(row.run.version):
            continue  # of these counts only whether their answers differ
        by_version.setdefault(row.run.version, {})[row.side] = row.run
    try:
        figures = [_figures(version, runs) for version, runs in by_version.items()]
    except InvalidInput as error:  # nothing in a suite could be judged
        verdict.error = str(error)
        return
    effort, heard = _effort(list(by_version.values())), _heard(rows)
    if verdict.replaces:
        found = decide_replacement(
            verdict.tuned_model,
            verdict.base_model,
            figures,
            margin=verdict.margin,
            heard=heard,
            effort=effort,
        )
    else:
        found = decide(
            verdict.tuned_model, figures, margin=verdict.margin, heard=heard, effort=effort
        )
    verdict.decision, verdict.sentence, verdict.reasons = (
        found.decision,
        found.sentence,
        found.reasons,
    )
    verdict.figures = [
        asdict(each) | {"runs": {side: _costs(run) for side, run in runs.items()}}
        for each, runs in zip(figures, by_version.values(), strict=True)
    ]


def _figures(version: SuiteVersion, runs: dict[str, SuiteRun]) -> Figures:
    alone = suites.compare(runs[Side.TUNED], runs[Side.BASE])
    recalled = suites.compare(runs[Side.TUNED_RECALL], runs[Side.BASE_RECALL])
    return Figures(
        name=str(version),
        is_taught=version.suite.kind == Suite.Kind.CORRECTIONS,
        n=version.n_cases,
        base=_share(runs[Side.BASE]),
        base_recall=_share(runs[Side.BASE_RECALL]),
        tuned=_share(runs[Side.TUNED]),
        tuned_recall=_share(runs[Side.TUNED_RECALL]),
        alone=Difference(alone.difference, *alone.interval),
        recalled=Difference(recalled.difference, *recalled.interval),
    )


def _heard(rows: Sequence[VerdictRun]) -> Heard:
    """Whether the new model says one thing to everything, by itself, on all that both were asked."""
    said = {
        side: suites.said(row.run for row in rows if row.side == side)
        for side in (Side.TUNED, Side.BASE)
    }
    return hear(said[Side.TUNED], said[Side.BASE])


def _effort(suites: list[dict[str, SuiteRun]]) -> Effort:
    """What the one takes of the other's price and time, by itself: with recall it may be silent."""
    pairs = [(runs[Side.BASE], runs[Side.TUNED]) for runs in suites]
    prices = [(base.cost_usd, tuned.cost_usd) for base, tuned in pairs]
    times = [(_median_ms(base), _median_ms(tuned)) for base, tuned in pairs]
    felt = any((ms or 0) >= FELT_MS for pair in times for ms in pair)
    own = [tuned for _, tuned in times if tuned is not None]
    return Effort(
        price=_ratio(prices), time=_ratio(times) if felt else None, ms=max(own, default=None)
    )


def _ratio(pairs: Sequence[tuple[Decimal | float | None, Decimal | float | None]]) -> float | None:
    """The sum of the second ones by that of the first, where all are known."""
    if any(one is None or other is None for one, other in pairs):
        return None
    before = sum(float(one or 0) for one, _ in pairs)
    return sum(float(other or 0) for _, other in pairs) / before if before else None


def _median_ms(run: SuiteRun) -> float | None:
    median = ((run.scores or {}).get("ms") or {}).get("median")
    return None if median is None else float(median)


def _share(run: SuiteRun) -> float:
    return run.n_right / run.n_cases


def _costs(run: SuiteRun) -> dict[str, Any]:
    return {
        "id": run.pk,
        "usd": None if run.cost_usd is None else str(run.cost_usd),
        "tokens": run.prompt_tokens + run.completion_tokens,
        "ms": _median_ms(run),
    }


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of all answers of a verdict's runs are there."""

    n_done: int
    n: int


def progress(verdict: Verdict) -> Progress | None:
    """How far its runs are; None when it is decided."""
    if verdict.decided_at is not None:
        return None
    rows = [row.run for row in verdict.runs.select_related("run")]
    return Progress(sum(run.n_done for run in rows), sum(run.n_cases for run in rows))


@dataclass(frozen=True, slots=True)
class Sided:
    """One of the four of a suite, as the page shows it."""

    label: str
    share: float
    run: int
    ms: int | None
    usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Suited:
    """One suite of a verdict, as the page shows it."""

    name: str
    n: int
    sides: list[Sided]

    @property
    def pairs(self) -> list[tuple[str, int, int]]:
        """What to compare side by side: in words, and the runs of the two models."""
        base, base_recall, tuned, tuned_recall = (side.run for side in self.sides)
        return [("with recall", base_recall, tuned_recall), ("by themselves", base, tuned)]


def told(verdict: Verdict) -> list[Suited]:
    """The figures of a verdict, by suite."""
    return [
        Suited(
            name=each["name"],
            n=each["n"],
            sides=[
                Sided(
                    label=_label(verdict, side),
                    share=each[side.value],
                    run=each["runs"][side.value]["id"],
                    ms=each["runs"][side.value]["ms"],
                    usd=_dollars(each["runs"][side.value]["usd"]),
                )
                for side in Side
            ],
        )
        for each in verdict.figures
    ]


def shown_to(verdict: Verdict, guild: DiscordGuild | None) -> tuple[str, list[Suited]]:
    """The sentence and figures that people of a guild may read: of no suite that is another one's.

    guild: None for people of whom nothing is known, who read of none.
    """
    if not verdict.decision:
        return verdict.sentence, []
    runs = verdict.runs.exclude(run__version__suite__guild=None)
    if guild is not None:
        runs = runs.exclude(run__version__suite__guild=guild)
    foreign = set(runs.values_list("run", flat=True))
    figures = told(verdict)
    hidden = [each for each in figures if not foreign.isdisjoint(side.run for side in each.sides)]
    sentence = verdict.sentence
    if any(each.name in sentence for each in hidden):
        sentence = f"{verdict.get_decision_display()}."
    return sentence, [each for each in figures if each not in hidden]


def _label(verdict: Verdict, side: Side) -> str:
    if not verdict.replaces:
        return str(side.label)
    model = verdict.base_model if side in (Side.BASE, Side.BASE_RECALL) else verdict.tuned_model
    return f"{model}, with recall" if side in (Side.BASE_RECALL, Side.TUNED_RECALL) else model


def _dollars(told: str | None) -> Decimal | None:
    return None if told is None else Decimal(told)
