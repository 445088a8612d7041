"""The task `train-taught`: pick, freeze, tune, prefer, test, tell.

The row says how far it is. Each step writes its result and the next stage in
one transaction, and a job or a verdict is begun in the transaction that
remembers it, so a worker that is killed anywhere begins nothing twice.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import DatasetVersion, FineTuneJob, Lesson, Task, Training, TrainingCard
from dashboard.services import assistant, jobs, storage, tasks, verdicts
from dashboard.services.tasks import Later, Run
from dashboard.services.trainings import freezing, picking, telling, testing
from dashboard.services.trainings.asking import KIND
from dashboard.services.trainings.news import announce
from trainerbot.errors import Conflict, TrainerBotError
from trainerbot.llm import ModelInfo

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
WAIT_S: Final = 15.0
AT_ONCE: Final = 1_000
NO_MODEL: Final = "The fine-tune ended without a model."
Stage = Training.Stage


@tasks.handler(KIND)
def follow(run: Run) -> Later | dict[str, Any]:
    """Bring one training a step further; called again until it is over."""
    training = Training.objects.get(key=run.args["key"])
    if (outcome := _outcome(training)) is not None:
        return outcome
    try:
        with storage.failures_in_words():
            STEPS[Stage(training.stage)](run, training)
    except (tasks.LeaseLost, tasks.Cancelled):
        raise
    except TrainerBotError as error:
        if error.retryable:
            log.warning("Training %s waits: %s", training.pk, error)
            _note(training, str(error))
            return Later(WAIT_S)
        if training.stage == Stage.FREEZING:
            freezing.drop(training)
        _end(training, Stage.FAILED, str(error))
    except Exception:
        _end(training, Stage.FAILED, "It broke in a way that was not foreseen; see the log.")
        raise
    return _outcome(training) or Later(0.0 if training.stage == Stage.FREEZING else LOOK_S)


def _outcome(training: Training) -> dict[str, Any] | None:
    """What its task came to; None while it goes on."""
    if training.is_finished:
        return {"training": training.pk, "stage": training.stage}
    return None


# --- the steps ----------------------------------------------------------------------
def _pick(run: Run, training: Training) -> None:
    if training.cancel_requested:
        _end(training, Stage.CANCELLED)
        return
    run.save(step="picking corrections")
    picked = picking.look(
        picking.Scope(training.scope, training.guild),
        with_known=training.with_known,
        hold_out=training.hold_out,
    )
    with transaction.atomic():
        run.save()
        Lesson.objects.bulk_create(
            [
                Lesson(
                    training=training,
                    correction_id=pick.id,
                    revision=pick.revision,
                    use=Lesson.Use.HELD_OUT if pick.is_held_out else Lesson.Use.LEARNED,
                )
                for pick in picked.picks
            ],
            batch_size=AT_ONCE,
        )
        _move(training, Stage.FREEZING, counts=picked.told)


def _write(run: Run, training: Training) -> None:
    if training.cancel_requested:
        freezing.drop(training)
        _end(training, Stage.CANCELLED)
        return
    freezing.write(run, training)
    with transaction.atomic():
        run.save(step="freezing")
        freezing.finish(training)
        _move(training, Stage.PREFERRING if training.way == "dpo" else Stage.TUNING)


def _tune(run: Run, training: Training) -> None:
    method = training.way.partition("+")[0]
    job = training.job
    if job is None:
        _begin_job(run, training, "job", training.version, training.base_model, method)
        return
    made = _watch(run, training, job)
    if not made:
        return
    with transaction.atomic():
        run.save()
        if training.way.endswith("+dpo"):
            _move(training, Stage.PREFERRING)
        else:
            _move(training, Stage.TESTING, model=made)


def _prefer(run: Run, training: Training) -> None:
    job = training.preference_job
    if job is None:
        base = training.base_model
        if training.way != "dpo":
            base = training.job.fine_tuned_model if training.job else ""
            if not base:
                raise Conflict("The model of the first step was deleted before the second began.")
        _begin_job(run, training, "preference_job", training.pairs, base, "dpo")
        return
    if made := _watch(run, training, job):
        with transaction.atomic():
            run.save()
            _move(training, Stage.TESTING, model=made)


def _test(run: Run, training: Training) -> None:
    verdict = training.verdict
    if verdict is None:
        if training.cancel_requested:
            _end(training, Stage.CANCELLED)
            return
        run.save(step="testing", progress=0.0)
        try:
            with transaction.atomic():
                run.save()
                training.verdict = verdicts.begin(
                    base_model=training.base_model,
                    tuned_model=training.model,
                    job=training.preference_job or training.job,
                    versions=testing.tests(training),
                    budget_usd=assistant.current().verdict_budget_usd,
                    actor=training.created_by,
                )
                training.save(update_fields=["verdict"])
                announce(training)
        except TrainerBotError as error:
            if error.retryable:
                raise
            # The model is there and may be used; only what it is worth is not known.
            training.verdict = None
            _end(training, Stage.SUCCEEDED, f"It could not be tested: {error}")
        return
    if verdict.decided_at is None:
        told = verdicts.progress(verdict)
        if told is not None:
            run.save(step="testing", progress=told.n_done / max(told.n, 1))
        if not verdict.task.is_finished:
            return
    if training.cancel_requested and not verdict.decision:
        _end(training, Stage.CANCELLED)
        return
    _end(training, Stage.SUCCEEDED, verdict.error or verdict.task.error)


STEPS: Final[dict[Training.Stage, Callable[[Run, Training], None]]] = {
    Stage.PICKING: _pick,
    Stage.FREEZING: _write,
    Stage.TUNING: _tune,
    Stage.PREFERRING: _prefer,
    Stage.TESTING: _test,
}


# --- jobs ---------------------------------------------------------------------------
def _begin_job(
    run: Run,
    training: Training,
    name: str,
    version: DatasetVersion | None,
    base_model: str,
    method: str,
) -> None:
    if training.cancel_requested:
        _end(training, Stage.CANCELLED)
        return
    if version is None:
        raise Conflict("Its dataset is gone.")
    link = "pair_position" if name == "preference_job" else "position"
    learned = Lesson.objects.filter(training=training, use=Lesson.Use.LEARNED)
    if not learned.exclude(**{link: None}).exists():
        raise Conflict("Nothing is left to learn: what was picked was erased meanwhile.")
    # What was checked when it was asked for is not asked again: nothing here waits for an
    # endpoint, so that job and training are stored in one transaction.
    offered = [ModelInfo(base_model, owned_by="", details={"fine_tune_methods": [method]})]
    with transaction.atomic():
        run.save(step="tuning", progress=0.0)
        job = jobs.submit(
            dataset=version.dataset,
            version=version,
            base_model=base_model,
            method=method,
            suffix=training.suffix,
            created_by=training.created_by,
            offered=offered,
        )
        setattr(training, name, job)
        training.save(update_fields=[name])
        announce(training)


def _watch(run: Run, training: Training, job: FineTuneJob) -> str:
    """The model that a job made; "" while it goes on, and when that was the end of the training."""
    if not job.is_finished:
        if training.cancel_requested and not job.cancel_requested:
            jobs.cancel(job, actor=training.created_by)
        work = Task.objects.filter(idempotency_key=jobs.key(job)).first()
        done = work.progress if work else None
        run.save(step=job.status.replace("_", " ")[:60], progress=done)
        _note(training, job.error)
        return ""
    if training.cancel_requested or job.status == "cancelled":
        said = "" if training.cancel_requested else f"Job {job.pk} was cancelled."
        _end(training, Stage.CANCELLED, said)
        return ""
    if job.status != "succeeded":
        _end(training, Stage.FAILED, job.error or "The endpoint gave no reason.")
        return ""
    if not job.fine_tuned_model:
        _end(training, Stage.FAILED, NO_MODEL)
    return job.fine_tuned_model


# --- the row ------------------------------------------------------------------------
def _move(training: Training, stage: Stage, **changes: Any) -> None:
    """Go on to the next stage, in the transaction of what was done for it."""
    for name, value in {**changes, "stage": stage, "error": ""}.items():
        setattr(training, name, value)
    training.save(update_fields=["stage", "error", *changes])
    announce(training)


@transaction.atomic
def _note(training: Training, error: str) -> None:
    if training.error != error:
        training.error = error
        training.save(update_fields=["error"])
        announce(training)


@transaction.atomic
def _end(training: Training, stage: Stage, error: str = "") -> None:
    """End it, once, with a card for each guild that is to hear of it."""
    moved = Training.objects.unfinished().filter(pk=training.pk)
    training.stage, training.error, training.finished_at = stage, error, now()
    if not moved.update(stage=stage, error=error, finished_at=training.finished_at):
        return
    if stage != Stage.CANCELLED:
        TrainingCard.objects.bulk_create(
            [
                TrainingCard(training=training, guild_id=guild_id)
                for guild_id in telling.guild_ids(training)
            ],
            ignore_conflicts=True,
        )
    announce(training)
