"""Pressed: a training is asked for once, found, cancelled."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from dashboard.models import DatasetVersion, Suite, Task, Training
from dashboard.services import access, audit, jobs, suites, tasks
from dashboard.services.access import Permission
from dashboard.services.trainings import offers, picking
from dashboard.services.trainings.news import announce
from dashboard.services.trainings.picking import Scope
from dashboard.services.verdicts.asking import MOST_SUITES
from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.llm import ModelInfo

KIND: Final = "train-taught"


def get(pk: int) -> Training:
    found = Training.objects.select_related(
        *("task", "guild", "version__dataset", "pairs__dataset", "mixed_in__dataset"),
        *("job", "preference_job", "verdict__task", "created_by"),
    ).filter(pk=pk)
    training = found.first()
    if training is None:
        raise NotFound("There is no such training.")
    return training


def begin(
    scope: Scope,
    *,
    base_model: str = "",
    way: str = "",
    with_known: bool = True,
    hold_out: int = 0,
    mixed_in: DatasetVersion | None = None,
    suite_ids: Sequence[int] | None = None,
    suffix: str = "",
    again: bool = False,
    key: uuid.UUID | None = None,
    offered: Sequence[ModelInfo] | None = None,
    actor: User | None,
) -> Training:
    """Train a model on what people taught, test it, and say whether it is worth it.

    Without base_model or way, the usual ones. suite_ids: of general suites to
    test with; None for the newest. again: also when nothing is new. key: of
    the form, whose second press returns the training of the first. While one
    of the same scope is under way, that one is returned if it was asked for
    alike. Raises InvalidInput, in words, for what cannot be trained,
    NotAllowed for all servers together to others than admins, Conflict while
    another one of that scope is under way, and ProviderUnavailable when the
    endpoint cannot be asked what it offers.
    """
    if actor is not None:
        access.require(actor, Permission.TRAIN)
        if scope.value == picking.ALL:
            access.require(actor, Permission.SETTINGS)
    if key is not None and (pressed := Training.objects.filter(key=key).first()):
        return pressed
    base = _find_base(base_model, jobs.base_models() if offered is None else offered, scope)
    way = way or offers.ways(base)[0]
    picked = picking.look(scope, with_known=with_known, hold_out=hold_out)
    offers.check(picked, way, base)
    if not picked.n_new and not again:
        raise InvalidInput(
            "Nothing is new since the last training: a model has learned all of it before. "
            "Say that it is to be trained again if that is what you want."
        )
    offers.check_mixed(mixed_in)
    suffix = suffix.strip()
    if len(suffix) > jobs.MAX_SUFFIX or not suffix.isprintable():
        raise InvalidInput(f"The suffix has {jobs.MAX_SUFFIX} letters, digits and signs at most.")
    if suite_ids is None:
        suite_ids = [suite.pk for suite in offers.general_suites()[:MOST_SUITES]]
    known = set(Suite.objects.filter(pk__in=list(suite_ids)).values_list("pk", flat=True))
    wanted: dict[str, Any] = {
        "scope": scope.value,
        "base_model": base.id,
        "way": way,
        "with_known": with_known,
        "hold_out": hold_out,
        "mixed_in": mixed_in,
        "suite_ids": sorted(known),
        "suffix": suffix,
    }
    try:
        with transaction.atomic():
            return _create(wanted, scope, key=key, actor=actor)
    except IntegrityError:
        return _under_way(scope, wanted, key)


def _create(
    wanted: dict[str, Any], scope: Scope, *, key: uuid.UUID | None, actor: User | None
) -> Training:
    key = key or uuid.uuid4()
    training = Training.objects.create(
        key=key,
        guild=scope.guild,
        task=tasks.submit(KIND, args={"key": str(key)}, max_attempts=20),
        created_by=actor,
        **wanted,
    )
    audit.record(
        actor,
        "training.begin",
        f"training {training.pk}",
        **{name: wanted[name] for name in ("scope", "base_model", "way", "hold_out")},
    )
    announce(training)
    return training


def _under_way(scope: Scope, wanted: dict[str, Any], key: uuid.UUID | None) -> Training:
    """The training that was quicker. Raises Conflict where it is another one than was asked for."""
    if key is not None and (pressed := Training.objects.filter(key=key).first()):
        return pressed
    rows = Training.objects.unfinished().filter(scope=scope.value)
    training = rows.first()
    if training is None:
        raise Conflict("Another training has just ended. Press again.")
    if all(getattr(training, name) == value for name, value in wanted.items()):
        return training
    raise Conflict(
        f"Training {training.pk} of {scope.name} is under way. Wait for its end, or cancel it."
    )


def cancel(training: Training, *, actor: User | None) -> Training:
    """Ask a training to stop, with whatever of it runs. Raises Conflict when it is over."""
    with transaction.atomic():
        moved = Training.objects.unfinished().filter(pk=training.pk)
        if not moved.update(cancel_requested=True):
            raise Conflict(f"Training {training.pk} is over already.")
        training.refresh_from_db()
        for job in (training.job, training.preference_job):
            if job is not None and not job.is_finished:
                jobs.cancel(job, actor=actor)
        if training.verdict is not None:
            for row in training.verdict.runs.select_related("run__task"):
                if not row.run.is_finished:
                    suites.cancel(row.run, actor=actor)
        Task.objects.filter(pk=training.task_id, state=Task.State.READY).update(run_at=now())
        audit.record(actor, "training.cancel", f"training {training.pk}")
        announce(training)
    return training


def _find_base(base_model: str, offered: Sequence[ModelInfo], scope: Scope) -> ModelInfo:
    if not base_model:
        usual = offers.usual_base(offered, scope)
        if usual is None:
            raise InvalidInput(
                "The endpoint offers no model to fine-tune. "
                "On this platform the local language model may not be installed; see the README."
            )
        return usual
    for model in offered:
        if model.id == base_model:
            return model
    # What a fine-tune made is a base model, too, where the endpoint names no methods.
    if base_model.startswith("ft:") and not any(
        "fine_tune_methods" in model.details for model in offered
    ):
        return ModelInfo(base_model, owned_by="")
    names = ", ".join(model.id for model in offered[:8])
    raise InvalidInput(
        f"The endpoint has no model {base_model[:200]!r} to fine-tune. It offers: {names}."
    )
