"""Which tests a tuned model is put to, with its base model and recall beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now

from dashboard.models import (
    FineTuneJob,
    Release,
    Suite,
    SuiteRun,
    SuiteVersion,
    Verdict,
    VerdictRun,
)
from dashboard.services import assistant, audit, outbox, places, providers, releases, suites, tasks
from dashboard.services.access import Person
from dashboard.services.tasks import Later, Run
from trainerbot.errors import InvalidInput, ProviderUnavailable

TOPIC: Final = "verdicts"
KIND: Final = "verdict"
MOST_SUITES: Final = 5  # general ones, the newest: each is asked four times
MARGIN: Final = 2.0
WAIT_S: Final = 30.0
CENT: Final = Decimal("0.01")
Side = VerdictRun.Side


def tests() -> list[SuiteVersion]:
    """The corrections in force everywhere, and the newest general suites."""
    found = [suites.corrections_suite()] if suites.corrections_in_force(None).exists() else []
    general = suites.without_everyday(
        Suite.objects.filter(guild=None).exclude(kind=Suite.Kind.CORRECTIONS)
    )
    versions = (suite.latest() for suite in general.order_by("-pk")[:MOST_SUITES])
    # What a model was trained on tells nothing of what it can do.
    return found + [each for each in versions if each is not None and each.part != "train"]


def begin(
    *,
    base_model: str,
    tuned_model: str,
    job: FineTuneJob | None = None,
    versions: Sequence[SuiteVersion] = (),
    margin: float = MARGIN,
    replaces: bool = False,
    like: Release | None = None,
    budget_usd: Decimal | None = None,
    actor: User | Person | None,
) -> Verdict:
    """Have both models asked all tests, with and without recall, and judge when they are over.

    versions: instead of `tests()`. Where these are too few to see whether the
    model forgot others, both are asked our everyday questions besides. replaces: `tuned_model` was not tuned, but
    is to take the place of `base_model`; what either was asked before is not
    asked again. like: with whose persona and settings both are asked.
    budget_usd: of all its runs together, by what each is expected to cost; one
    that comes to its share stops and says so. Raises InvalidInput, in words,
    where there is nothing to test on or nothing to compare, and for a budget
    where a price is not known.
    """
    chosen = list(versions) or tests()
    if not chosen:
        raise InvalidInput(
            "There is nothing to test on: no correction is in force, and there is no suite. "
            "Teach the bot something, or upload a suite."
        )
    if not tuned_model or base_model == tuned_model:
        raise InvalidInput("A model is compared with another one. Name two.")
    if not 0 <= margin <= 100:
        raise InvalidInput("The margin is a number from 0 to 100.")
    shares = _shares(
        [*chosen, *_everyday(chosen)], sides(base_model, tuned_model, like), budget_usd
    )
    with transaction.atomic():
        verdict = Verdict.objects.create(
            job=job,
            task=tasks.submit(KIND, args={}),
            base_model=base_model,
            tuned_model=tuned_model,
            margin=margin,
            replaces=replaces,
            alias=like.alias if like is not None else None,
            created_by=actor.user if isinstance(actor, Person) else actor,
        )
        for ask in questions(chosen, base_model, tuned_model, like=like, replaces=replaces):
            run = ask.run or releases.submit_test(
                ask.asked,
                ask.version,
                actor,
                with_recall=ask.with_recall,
                budget_usd=shares.get((ask.version.pk, ask.asked.model)),
            )
            VerdictRun.objects.create(verdict=verdict, side=ask.side, run=run)
        audit.record(actor, "verdict.begin", f"verdict {verdict.pk}", model=tuned_model)
        announce(verdict)
    return verdict


@dataclass(frozen=True, slots=True)
class Ask:
    """One version that one model is asked. run: where it was asked before, which counts."""

    version: SuiteVersion
    side: Side
    asked: Release
    with_recall: bool
    run: SuiteRun | None = None


def questions(
    versions: Sequence[SuiteVersion],
    base_model: str,
    tuned_model: str,
    *,
    like: Release | None = None,
    replaces: bool = False,
) -> Iterator[Ask]:
    """Yield all that a verdict on these versions asks, our everyday questions last, as `begin` means it."""
    for version in versions:
        for side, asked, with_recall in sides(base_model, tuned_model, like):
            run = releases.run_of(asked, version, with_recall=with_recall) if replaces else None
            yield Ask(version, side, asked, with_recall, run)
    for version in _everyday(versions):
        for side, asked, with_recall in sides(base_model, tuned_model, like):
            if with_recall:
                continue  # what it says by itself is what tells
            run = releases.run_of(asked, version, with_recall=False) if replaces else None
            if replaces and side == Side.BASE and run is None:
                continue  # what is replaced may not answer any more
            yield Ask(version, side, asked, with_recall, run)


def _everyday(versions: Sequence[SuiteVersion]) -> list[SuiteVersion]:
    return [suites.everyday_suite()] if suites.are_too_few(versions) else []


def _shares(
    versions: Sequence[SuiteVersion],
    asked: Sequence[tuple[Side, Release, bool]],
    budget_usd: Decimal | None,
) -> dict[tuple[int, str], Decimal]:
    """What each run may cost, by version and model: its part of the whole, as it is expected."""
    if budget_usd is None or providers.uses_embedded_server():
        return {}  # our own server charges nothing
    known = places.rules().prices
    expected: dict[tuple[int, str], Decimal] = {}
    for version in versions:
        for _, release, _ in asked:
            judge = releases.judge_of(release) if suites.needs_judge_model(version) else ""
            cost = suites.expected(
                version,
                known,
                model=release.model,
                judge_model=judge,
                system_prompt=release.system_prompt or suites.default_prompt(version),
            ).cost_usd
            if cost is None:
                raise InvalidInput(
                    f"The tests may cost ${budget_usd:f}, but what {release.model} costs is not "
                    "known. Enter its price under Models, then ask for the verdict again."
                )
            expected[version.pk, release.model] = max(cost, CENT / 100)
    # Each is asked twice, with recall and without.
    whole = 2 * sum(expected.values())
    return {
        key: max(CENT / 100, (budget_usd * cost / whole).quantize(Decimal("0.000001")))
        for key, cost in expected.items()
    }


def sides(
    base_model: str, tuned_model: str, like: Release | None = None
) -> list[tuple[Side, Release, bool]]:
    """The four of each suite: who is asked, with which persona and settings, and whether with recall."""
    how = like or Release()
    both = [
        Release(
            alias_id=how.alias_id,  # whose judge reads rubrics
            model=model,
            system_prompt=how.system_prompt,
            temperature=how.temperature,
            max_tokens=how.max_tokens,
        )
        for model in (base_model, tuned_model)
    ]
    return [
        (Side.BASE, both[0], False),
        (Side.BASE_RECALL, both[0], True),
        (Side.TUNED, both[1], False),
        (Side.TUNED_RECALL, both[1], True),
    ]


@tasks.handler("judge-job")
def after(run: Run) -> Later | dict[str, Any]:
    """Begin the verdict on a fine-tune that has just succeeded, where there is anything to test on."""
    job = FineTuneJob.objects.select_related("created_by").get(pk=run.args["job"])
    # A training on what people taught asks for its own, on tests that it did not learn.
    of_training = job.trainings.exists() or job.preference_trainings.exists()
    if of_training or job.verdicts.exists() or not tests():
        return {}
    try:
        verdict = begin(
            base_model=job.base_model,
            tuned_model=job.fine_tuned_model,
            job=job,
            budget_usd=assistant.current().verdict_budget_usd,
            actor=job.created_by,
        )
    except ProviderUnavailable:
        return Later(WAIT_S)
    except InvalidInput as error:
        return {"verdict": _not_begun(job, str(error)).pk}
    return {"verdict": verdict.pk}


@transaction.atomic
def _not_begun(job: FineTuneJob, error: str) -> Verdict:
    """Say on the page of a job why nothing was asked."""
    verdict = Verdict.objects.create(
        job=job,
        task=tasks.submit(KIND, args={}),
        base_model=job.base_model,
        tuned_model=job.fine_tuned_model,
        error=error,
        decided_at=now(),
    )
    announce(verdict)
    return verdict


def latest(job: FineTuneJob) -> Verdict | None:
    return job.verdicts.select_related("task").order_by("-pk").first()


def announce(verdict: Verdict) -> None:
    outbox.publish(TOPIC, "verdict.changed", id=verdict.pk, decision=verdict.decision)
