"""One model: how much of what people taught it answers rightly alone, beside its base model."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from dashboard.models import (
    Correction,
    FineTuneJob,
    Lesson,
    Suite,
    SuiteAnswer,
    SuiteRun,
    SuiteVersion,
    Training,
    Verdict,
    VerdictRun,
)
from dashboard.services import suites
from dashboard.services.proofs.naming import Name, names_of
from dashboard.services.suites import Comparison
from trainerbot.errors import InvalidInput, NotFound

MOST_LEARNED = 20
Side = VerdictRun.Side


@dataclass(frozen=True, slots=True)
class Share:
    """How many of n are right, 0 to 1, with its 95 % interval."""

    n_right: int
    n: int
    mean: float
    low: float
    high: float

    @property
    def in_words(self) -> str:
        return f"{self.n_right} of {self.n}"


@dataclass(frozen=True, slots=True)
class Tested:
    """One suite of corrections, asked without recall. before: of the base model, where it was asked.

    recalled: the model with recall, as people meet it.
    """

    name: str
    run: int
    base_run: int | None
    at: datetime
    after: Share
    before: Share | None
    recalled: Share | None
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class ModelProof:
    """What is known of one model. job: the fine-tune that made it, if it was ours.

    n_taught: how many corrections it was trained on, None where no training tells.
    """

    model: str
    base_model: str
    job: FineTuneJob | None
    made_at: datetime | None
    n_taught: int | None
    verdict: Verdict | None
    test: Tested | None
    names: tuple[Name, ...]
    learned: tuple[Correction, ...]

    @property
    def headline(self) -> str:
        if self.test is None:
            return "Not tested on what people taught yet"
        after, before = self.test.after, self.test.before
        what = "correction" if after.n == 1 else "corrections"
        if before is None:
            return f"Knows {after.in_words} {what} without help"
        return f"{before.in_words} {what} before, {after.n_right} after"


def of_model(model: str) -> ModelProof:
    """Everything that rows tell of a model. Raises NotFound for one that no row knows."""
    job = (
        FineTuneJob.objects.select_related("version__dataset")
        .filter(fine_tuned_model=model)
        .order_by("-pk")
        .first()
        if model
        else None
    )
    verdict = Verdict.objects.filter(tuned_model=model).exclude(decision="").order_by("-pk").first()
    test, base = _test(model, job.base_model if job else "", verdict)
    names = names_of(model)
    if job is None and verdict is None and test is None and not names:
        raise NotFound("Nothing is known of such a model. Choose one from the list of models.")
    return ModelProof(
        model=model,
        base_model=job.base_model if job else (verdict.base_model if verdict else ""),
        job=job,
        made_at=(job.finished_at or job.created_at) if job else None,
        n_taught=_n_taught(model),
        verdict=verdict,
        test=test,
        names=names,
        learned=_learned(test, base),
    )


def _test(
    model: str, base_model: str, verdict: Verdict | None
) -> tuple[Tested | None, SuiteRun | None]:
    """The newest test on corrections: that of the verdict, else the newest by itself."""
    told = _of_verdict(verdict) if verdict is not None else {}
    after = told.get(Side.TUNED) or _runs(model, with_recall=False).order_by("-pk").first()
    if after is None or after.scores is None:
        return None, None
    version = after.version
    before = told.get(Side.BASE) or _same(version, base_model, with_recall=False)
    recalled = told.get(Side.TUNED_RECALL) or _same(version, model, with_recall=True)
    found = Tested(
        name=str(version),
        run=after.pk,
        base_run=before.pk if before else None,
        at=after.created_at,
        after=_share(after),
        before=_share(before) if before and before.scores else None,
        recalled=_share(recalled) if recalled and recalled.scores else None,
        comparison=_compared(after, before),
    )
    return found, before


def _n_taught(model: str) -> int | None:
    """Also those that were erased since: it was trained on them all the same."""
    if not Training.objects.filter(model=model).exclude(model="").exists():
        return None
    return Lesson.objects.filter(training__model=model, use=Lesson.Use.LEARNED).count()


def _of_verdict(verdict: Verdict) -> dict[str, SuiteRun]:
    rows = verdict.runs.filter(run__version__suite__kind=Suite.Kind.CORRECTIONS)
    rows = rows.select_related("run__version__suite").order_by("pk")
    found: dict[str, SuiteRun] = {}
    for row in rows:
        found.setdefault(row.side, row.run)
    return found


def _runs(model: str, *, with_recall: bool) -> QuerySet[SuiteRun]:
    return (
        SuiteRun.objects.finished()
        .filter(model=model, with_recall=with_recall, version__suite__kind=Suite.Kind.CORRECTIONS)
        .select_related("version__suite")
    )


def _same(version: SuiteVersion, model: str, *, with_recall: bool) -> SuiteRun | None:
    if not model:
        return None
    return _runs(model, with_recall=with_recall).filter(version=version).order_by("-pk").first()


def _share(run: SuiteRun) -> Share:
    right = (run.scores or {})["right"]
    low, high = right["interval"]
    return Share(run.n_right, run.n_judged, right["mean"], low, high)


def _compared(after: SuiteRun, before: SuiteRun | None) -> Comparison | None:
    if before is None:
        return None
    try:
        return suites.compare(after, before)
    except InvalidInput:  # no case that both have answered
        return None


def _learned(test: Tested | None, before: SuiteRun | None) -> tuple[Correction, ...]:
    """Corrections that its base model got wrong and it gets right, both without recall."""
    if test is None or before is None:
        return ()
    wrong = before.answers.filter(is_right=False).values("position")
    rows = SuiteAnswer.objects.filter(
        run=test.run, is_right=True, position__in=wrong, case__correction__isnull=False
    )
    ids = list(rows.order_by("position").values_list("case__correction", flat=True)[:MOST_LEARNED])
    return tuple(Correction.objects.filter(pk__in=ids).order_by("pk"))
