"""Evaluations: asked for, found, cancelled, announced."""

from collections.abc import Sequence
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import Dataset, DatasetVersion, Evaluation, Task
from dashboard.services import audit, chat, drafts, providers, storage, tasks
from dashboard.services.access import Person
from dashboard.services.evaluations import cases, results
from dashboard.services.evaluations.news import announce
from trainerbot.curation import PARTS
from trainerbot.errors import Conflict, InvalidInput, NotFound

KIND: Final = "evaluate"
MAX_INSTRUCTION: Final = 20_000  # characters


def get(pk: int) -> Evaluation:
    found = (
        Evaluation.objects.select_related("version__dataset", "task", "created_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFound("There is no such test.")
    return found


def submit(
    *,
    version: DatasetVersion,
    model: str = "",
    labels: Sequence[str] = (),
    instruction: str = "",
    part: str = "",
    limit: int | None = None,
    created_by: User | None = None,
    asked_by: Person | None = None,
) -> Evaluation:
    """Queue a test of `model` on the labelled rows of `version`.

    labels: what to choose from, the labels of the data if empty. instruction:
    in place of the system message that training sends. part: only that part
    of its split. limit: so many rows, spread evenly over the version. Without
    a model, the one that chats. A draft is frozen first: a result must stay
    true to its rows. asked_by: who, in place of `created_by`, for somebody
    without an account. The same request while such a test is not over returns
    that one. Raises InvalidInput or NotFound in words, and ProviderUnavailable
    when no model is named and the endpoint cannot be asked for one.
    """
    if not Dataset.objects.current().filter(pk=version.dataset_id).exists():
        raise NotFound(f"The dataset {version.dataset.name} was deleted. Choose another one.")
    chosen = cases.choices(version, labels)
    instruction, model = (
        _usable(instruction),
        model.strip() or providers.ask_at_once(chat.default_model),
    )
    if len(model) > 200 or not model.isprintable():
        raise InvalidInput("The name of a model has 200 letters, digits and signs at most.")
    if version.is_draft:
        version = drafts.freeze(version, actor=asked_by or created_by)
    n_records = _count(version, part=part, limit=limit)
    wanted = {
        "version": version,
        "part": part,
        "model": model,
        "endpoint": providers.endpoint().name,
        "labels": chosen,
        "instruction": instruction,
        "n_records": n_records,
    }
    with transaction.atomic():
        DatasetVersion.objects.select_for_update().get(pk=version.pk)
        twin = Evaluation.objects.filter(
            task__state__in=(Task.State.READY, Task.State.RUNNING),
            task__cancel_requested=False,
            **wanted,
        ).first()
        if twin is not None:
            return twin
        evaluation = Evaluation.objects.create(
            task=tasks.submit(KIND, args={}), created_by=created_by, **wanted
        )
        audit.record(
            asked_by or created_by,
            "evaluation.submit",
            f"test {evaluation.pk}",
            model=model,
            version=str(version),
            n_records=n_records,
        )
        announce(evaluation)
    return evaluation


@transaction.atomic
def cancel(evaluation: Evaluation, *, actor: User | Person | None) -> Evaluation:
    """Ask a test to stop; the answers it has stay. Raises Conflict when it is over."""
    if not tasks.cancel(evaluation.task):
        raise Conflict(f"Test {evaluation.pk} is over already.")
    evaluation.task.refresh_from_db()
    if evaluation.is_finished:
        results.settle(evaluation)
    audit.record(actor, "evaluation.cancel", f"test {evaluation.pk}")
    announce(evaluation)
    return evaluation


def _count(version: DatasetVersion, *, part: str, limit: int | None) -> int:
    if part and part not in PARTS:
        raise InvalidInput(f"There is no part {part!r}. The parts are {', '.join(PARTS)}.")
    n_rows = version.examples.kept(part=part).count()
    if not n_rows:
        where = f"The part {part} of {version}" if part else str(version)
        raise InvalidInput(f"{where} has no rows to test.")
    if limit is not None and limit < 1:
        raise InvalidInput("The limit counts rows, so it is 1 or more.")
    return n_rows if limit is None else min(limit, n_rows)


def _usable(instruction: str) -> str:
    instruction = instruction.strip()
    if len(instruction) > MAX_INSTRUCTION:
        raise InvalidInput(f"The instruction has {MAX_INSTRUCTION:,} characters at most.")
    storage.check_text(instruction, what="The instruction")
    return instruction
