"""The task `evaluate`: ask, store each answer, score.

An answer is stored before another text is asked in its place, and a row that
has its prediction is never asked again, so a resumed worker pays for at most
those few that were on their way when it was killed.
"""

from array import array
from collections.abc import Iterator
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from dashboard.models import Evaluation, Example, Prediction
from dashboard.services import providers, storage, tasks
from dashboard.services.asking import patiently
from dashboard.services.evaluations import results, runs
from dashboard.services.evaluations.asking import Answered, Asker
from dashboard.services.evaluations.cases import Case, case_of
from dashboard.services.evaluations.news import announce
from dashboard.services.tasks import Later, Run
from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.formats.rows import Kind

LOOK_S: Final = 1.0  # how long a person who cancels waits for a slow model
NEWS_S: Final = 0.5  # between two events for open pages
READ_AT_ONCE: Final = 100
# A label is short; an endpoint that sends a book instead shall not fill the disk.
MAX_ANSWER: Final = 20_000  # characters


@tasks.handler(runs.KIND)
def work(run: Run) -> Later | dict[str, Any]:
    """Ask all rows that have no prediction yet, then score.

    An endpoint that does not answer is waited for, in words on the page;
    a refusal that concerns all rows ends the test with what it has.
    """
    evaluation = Evaluation.objects.select_related("version__dataset").get(task=run.task)
    waits = patiently(
        run,
        lambda: _ask_all(run, evaluation),
        settle=lambda error: results.settle(evaluation, error=error),
        tell=lambda error: _tell(evaluation, error),
    )
    return waits or {"n_done": evaluation.n_done, "n_right": evaluation.n_right}


@transaction.atomic
def _tell(evaluation: Evaluation, error: str) -> None:
    """Say on its page what the test waits for."""
    Evaluation.objects.filter(pk=evaluation.pk).update(error=error)
    announce(evaluation)


def _ask_all(run: Run, evaluation: Evaluation) -> None:
    if providers.endpoint().name != evaluation.endpoint:
        raise ProviderUnavailable(
            f"This test belongs to the endpoint {evaluation.endpoint}, but "
            f"{providers.endpoint().name} is set now. Set the former again to go on with it."
        )
    waiting = _unasked(evaluation)
    asked: dict[int, Example] = {}
    news = tasks.Pace(NEWS_S)
    with Asker(model=evaluation.model, labels=evaluation.labels) as asker:
        more = True
        while more or asker.is_busy:
            while more and asker.room:
                example = next(waiting, None)
                if example is None:
                    more = False
                else:
                    asked[example.pk] = example
                    asker.ask(example.pk, _case(evaluation, example))
            answers = asker.answers(timeout_s=LOOK_S)
            _store(run, evaluation, [(asked.pop(each.key), each) for each in answers], news)


def _unasked(evaluation: Evaluation) -> Iterator[Example]:
    """Yield the rows to ask, in order, without those that have their prediction."""
    rows = evaluation.version.examples.kept(part=evaluation.part).order_by("position")
    # Read to the end at once: a cursor that stays open would keep SQLite from
    # writing. Eight bytes a row.
    keys = array("q", rows.values_list("pk", flat=True).iterator())
    n, n_rows = evaluation.n_records, len(keys)
    chosen = [keys[i * n_rows // n] for i in range(n)] if n < n_rows else keys
    for start in range(0, len(chosen), READ_AT_ONCE):
        some = list(chosen[start : start + READ_AT_ONCE])
        done = set(
            Prediction.objects.filter(evaluation=evaluation, example__in=some).values_list(
                "example", flat=True
            )
        )
        yield from rows.filter(pk__in=[pk for pk in some if pk not in done])


def _case(evaluation: Evaluation, example: Example) -> Case:
    try:
        return case_of(
            example.record,
            Kind(evaluation.version.kind),
            labels=evaluation.labels,
            instruction=evaluation.instruction,
        )
    except InvalidInput as error:
        raise InvalidInput(f"Line {example.line} of {evaluation.version}: {error}") from error


def _store(
    run: Run, evaluation: Evaluation, answers: list[tuple[Example, Answered]], news: tasks.Pace
) -> None:
    """Store answers and how far it is, all or nothing, if this worker still holds the test."""
    cancelled: tasks.Cancelled | None = None
    with transaction.atomic():
        try:
            done = evaluation.n_done + len(answers)
            run.save(step="asking", progress=done / evaluation.n_records, n_failures=0)
        except tasks.Cancelled as error:
            cancelled = error  # What has come is paid for, so it is kept.
        if answers:
            _write(evaluation, answers)
            if news.is_due():
                announce(evaluation)
    if cancelled is not None:
        raise cancelled


def _write(evaluation: Evaluation, answers: list[tuple[Example, Answered]]) -> None:
    rows = [_prediction(evaluation, example, answered) for example, answered in answers]
    Prediction.objects.bulk_create(rows)
    changes: dict[str, Any] = {
        "n_done": F("n_done") + len(rows),
        "n_right": F("n_right") + sum(row.is_right for row in rows),
        "n_unknown": F("n_unknown") + sum(not row.predicted for row in rows),
        "n_cut": F("n_cut") + sum(row.is_cut for row in rows),
        "n_refused": F("n_refused") + sum(bool(row.error) for row in rows),
        "error": "",
    }
    if not all(answered.is_constrained for _, answered in answers):
        changes["is_constrained"] = False
    Evaluation.objects.filter(pk=evaluation.pk).update(**changes)
    evaluation.refresh_from_db(fields=list(changes))


def _prediction(evaluation: Evaluation, example: Example, answered: Answered) -> Prediction:
    is_labelled = evaluation.version.kind == Kind.LABELLED
    expected = example.label if is_labelled else example.answer
    predicted = answered.label or ""
    return Prediction(
        evaluation=evaluation,
        example=example,
        position=example.position,
        expected=expected,
        predicted=predicted,
        answer=storage.storable(answered.text[:MAX_ANSWER]),
        is_right=predicted == expected,
        is_cut=answered.is_cut,
        ms=answered.ms,
        error=answered.error,
    )
