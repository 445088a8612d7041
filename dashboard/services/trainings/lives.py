"""In which models a correction lives."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from dashboard.models import Correction, FineTuneJob, Lesson
from dashboard.services import tuned_models


@dataclass(frozen=True, slots=True)
class LivesIn:
    """A tuned model that learned a correction.

    decision: of its verdict, such as "promote"; "" before there is one. uses:
    where it answers, as the end of a sentence that begins with its name; ""
    for nowhere. is_current: whether it learned the words that are in force now.
    """

    model: str
    training_id: int
    at: datetime
    decision: str
    uses: str
    is_current: bool


def models_of(correction: Correction) -> list[LivesIn]:
    """The models that learned a correction and still exist, newest first."""
    found = []
    for lesson in _learned([correction.pk]).select_related("training__verdict"):
        training = lesson.training
        found.append(
            LivesIn(
                model=training.model,
                training_id=training.pk,
                at=training.finished_at or training.created_at,
                decision=training.verdict.decision if training.verdict else "",
                uses=tuned_models.uses(training.model),
                is_current=lesson.revision == correction.revision,
            )
        )
    return found


def known_revisions(correction_ids: Collection[int] | None = None) -> dict[int, int]:
    """By correction the newest revision that a model, which still exists, learned.

    correction_ids: of these alone; of all without.
    """
    rows = _learned(correction_ids).order_by("pk").values_list("correction", "revision")
    return {pk: revision for pk, revision in rows if pk is not None}


def n_known(correction_ids: Iterable[int]) -> tuple[tuple[str, int], ...]:
    """Models with how many of these corrections they learned last, the most first."""
    wanted = set(correction_ids)
    rows = _learned(None).order_by("pk").values_list("correction", "training__model")
    newest = {pk: model for pk, model in rows if pk in wanted}
    return tuple(Counter(newest.values()).most_common())


def n_outdated() -> int:
    """How many corrections a model learned that are no more in force, or were erased."""
    gone = _learned(None).order_by().exclude(correction__state=Correction.State.APPROVED)
    erased = gone.filter(correction=None).count()
    return erased + gone.exclude(correction=None).values("correction").distinct().count()


def _learned(correction_ids: Collection[int] | None) -> QuerySet[Lesson]:
    """Lessons of models that nobody deleted, newest first."""
    # A deleted model's job has its name no more (`tuned_models.delete`).
    alive = FineTuneJob.objects.filter(fine_tuned_model=OuterRef("training__model"))
    rows = Lesson.objects.filter(Exists(alive), use=Lesson.Use.LEARNED)
    rows = rows.exclude(training__model="")
    if correction_ids is not None:
        rows = rows.filter(correction__in=correction_ids)
    return rows.order_by("-pk")
