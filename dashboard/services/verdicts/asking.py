"""Which tests a tuned model is put to, with its base model and recall beside it."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import FineTuneJob, Suite, SuiteVersion, Verdict, VerdictRun
from dashboard.services import audit, outbox, suites, tasks
from dashboard.services.access import Person
from dashboard.services.tasks import Later, Run
from trainerbot.errors import InvalidInput, ProviderUnavailable

TOPIC: Final = "verdicts"
KIND: Final = "verdict"
MOST_SUITES: Final = 5  # general ones, the newest: each is asked four times
MARGIN: Final = 2.0
WAIT_S: Final = 30.0
Side = VerdictRun.Side


def tests() -> list[SuiteVersion]:
    """The corrections in force everywhere, and the newest general suites."""
    found = [suites.corrections_suite()] if suites.corrections_in_force(None).exists() else []
    general = Suite.objects.filter(guild=None).exclude(kind=Suite.Kind.CORRECTIONS)
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
    actor: User | Person | None,
) -> Verdict:
    """Have both models asked all tests, with and without recall, and judge when they are over.

    versions: instead of `tests()`. Raises InvalidInput, in words, where there
    is nothing to test on or nothing to compare.
    """
    chosen = list(versions) or tests()
    if not chosen:
        raise InvalidInput(
            "There is nothing to test on: no correction is in force, and there is no suite. "
            "Teach the bot something, or upload a suite."
        )
    if not tuned_model or base_model == tuned_model:
        raise InvalidInput("A tuned model is compared with another one, its base model.")
    if not 0 <= margin <= 100:
        raise InvalidInput("The margin is a number from 0 to 100.")
    with transaction.atomic():
        verdict = Verdict.objects.create(
            job=job,
            task=tasks.submit(KIND, args={}),
            base_model=base_model,
            tuned_model=tuned_model,
            margin=margin,
            created_by=actor.user if isinstance(actor, Person) else actor,
        )
        for version in chosen:
            for side, model, with_recall in (
                (Side.BASE, base_model, False),
                (Side.BASE_RECALL, base_model, True),
                (Side.TUNED, tuned_model, False),
                (Side.TUNED_RECALL, tuned_model, True),
            ):
                run = suites.submit(
                    version=version, model=model, with_recall=with_recall, created_by=actor
                )
                VerdictRun.objects.create(verdict=verdict, side=side, run=run)
        audit.record(actor, "verdict.begin", f"verdict {verdict.pk}", model=tuned_model)
        announce(verdict)
    return verdict


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
            actor=job.created_by,
        )
    except ProviderUnavailable:
        return Later(WAIT_S)
    return {"verdict": verdict.pk}


def latest(job: FineTuneJob) -> Verdict | None:
    return job.verdicts.select_related("task").order_by("-pk").first()


def announce(verdict: Verdict) -> None:
    outbox.publish(TOPIC, "verdict.changed", id=verdict.pk, decision=verdict.decision)
