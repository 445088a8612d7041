"""Suites of tests, and what models answered."""

from collections.abc import Sequence

import factory
from factory.django import DjangoModelFactory

from dashboard.models import Suite, SuiteAnswer, SuiteRun, SuiteVersion, Task
from dashboard.services.suites import everyday_suite, results
from dashboard.services.suites.content import Content, make_version
from tests.factories.work import TaskFactory


class SuiteFactory(DjangoModelFactory[Suite]):
    class Meta:
        model = Suite

    name = factory.Sequence(lambda n: f"Suite {n}")
    kind = Suite.Kind.UPLOADED


def suite_version(
    *contents: Content, n_cases: int = 4, tags: Sequence[str] = (), suite: Suite | None = None
) -> SuiteVersion:
    """A frozen version: of these cases, or of so many simple ones."""
    found = contents or [
        Content(question=f"Question {n}?", expected=f"Answer number {n}.", tags=list(tags))
        for n in range(n_cases)
    ]
    return make_version(suite or SuiteFactory(), found, actor=None)


class SuiteRunFactory(DjangoModelFactory[SuiteRun]):
    """A run that waits for a worker; `rights=(True, False, None)` is one that is over."""

    class Meta:
        model = SuiteRun
        skip_postgeneration_save = True

    version = factory.LazyFunction(suite_version)
    task = factory.SubFactory(TaskFactory, kind="evaluate-suite")
    model = "small"
    endpoint = "modelserver"
    with_recall = False
    n_cases = factory.LazyAttribute(lambda row: row.version.n_cases)

    @factory.post_generation
    def rights(self, create: bool, wanted: Sequence[bool | None] | None, **kwargs: object) -> None:
        if wanted is None:
            return
        for case, right in zip(self.version.cases.order_by("position"), wanted, strict=False):
            SuiteAnswer.objects.create(
                run=self,
                case=case,
                position=case.position,
                answer=case.expected if right else "Something else.",
                is_right=right,
                score=None if right is None else float(right),
                judged_by="" if right is None else case.judge,
                ms=12,
            )
        self.n_done = len(wanted)
        self.n_judged = sum(right is not None for right in wanted)
        self.n_right = sum(right is True for right in wanted)
        Task.objects.filter(pk=self.task.pk).update(state=Task.State.SUCCEEDED, progress=1)
        self.task.refresh_from_db()
        self.save()
        results.settle(self)


def everyday_run(model: str, *, answer: str = "", **more: object) -> SuiteRun:
    """A model that was asked our everyday questions: it says other things to them, or always this."""
    version = everyday_suite()
    run = SuiteRunFactory(version=version, model=model, rights=[None] * version.n_cases, **more)
    for row in run.answers.all():
        row.answer = answer or f"About number {row.position}, this."
        row.save(update_fields=["answer"])
    return run
