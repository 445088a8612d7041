"""The task `evaluate-suite`: ask, store each answer, judge, score.

An answer is stored before another question is asked in its place, and a
verdict before another answer is judged. What is stored is never asked again,
so a resumed worker pays for at most those few that were on their way when it
was killed.
"""

from array import array
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from dashboard.models import Correction, DiscordChannel, SuiteAnswer, SuiteCase, SuiteRun
from dashboard.services import places, providers, recall, storage, tasks
from dashboard.services.asking import patiently
from dashboard.services.suites import judging, results, runs
from dashboard.services.suites.asking import Asker, Ruled, Said
from dashboard.services.suites.content import ERASED
from dashboard.services.suites.news import announce
from dashboard.services.suites.spending import Purse
from dashboard.services.tasks import Later, Run
from trainerbot.conversation import Place, Recalled
from trainerbot.judging import Verdict

LOOK_S: Final = 1.0  # how long a person who cancels waits for a slow model
NEWS_S: Final = 0.5  # between two events for open pages
READ_AT_ONCE: Final = 100
MAX_ANSWER: Final = 32_000  # characters, as long as a correction; a book shall not fill the disk
NOTHING: Final = Recalled()


@tasks.handler(runs.KIND)
def work(run: Run) -> Later | dict[str, Any]:
    """Ask all cases that have no answer yet, judge those without a verdict, then score."""
    suite_run = SuiteRun.objects.select_related("version__suite").get(task=run.task)
    waits = patiently(
        run,
        lambda: _ask_all(run, suite_run),
        settle=lambda error: results.settle(suite_run, error=error),
        tell=lambda error: _tell(suite_run, error),
    )
    return waits or {"n_done": suite_run.n_done, "n_right": suite_run.n_right}


@transaction.atomic
def _tell(suite_run: SuiteRun, error: str) -> None:
    """Say on its page what the run waits for."""
    SuiteRun.objects.filter(pk=suite_run.pk).update(error=error)
    announce(suite_run)


def _ask_all(run: Run, suite_run: SuiteRun) -> None:
    providers.named(suite_run.endpoint)  # in words, where it was taken out of the settings
    purse = Purse(suite_run, places.rules().prices)
    unasked, unjudged = cases_to_ask(suite_run), list(_unjudged(suite_run))
    news, case = tasks.Pace(NEWS_S), next(unasked, None)
    gone: list[Said] = []  # whose words were erased: nobody is asked
    with Asker(suite_run) as asker:
        while asker.is_busy or case or unjudged or gone:
            while asker.room and (case or unjudged):
                if not purse.allows(n_on_the_way=asker.n_asked):
                    # What is on its way is paid for, so it is waited for; it may cost less than
                    # was feared, and leave enough for another.
                    if not asker.is_busy:
                        raise purse.is_spent()
                    break
                if unjudged:  # their answers are paid for
                    asker.judge(unjudged.pop())
                elif case is not None:
                    if case.question == ERASED:
                        gone.append(Said(case, None, 0))
                    else:
                        asker.ask(case, _recalled(suite_run, case))
                    case = next(unasked, None)
            found = [] if gone and not asker.is_busy else asker.answers(timeout_s=LOOK_S)
            said = [*gone, *(each for each in found if isinstance(each, Said))]
            gone.clear()
            ruled = [each for each in found if isinstance(each, Ruled)]
            unjudged += _store(run, suite_run, said, ruled, purse, news)


def _recalled(suite_run: SuiteRun, case: SuiteCase) -> Recalled:
    """What a chat would recall of the question now, where it would be asked."""
    if not suite_run.with_recall:
        return NOTHING
    index = recall.current()  # corrections may be erased while a run is under way
    if isinstance(case.channel, DiscordChannel):
        return index.recall(case.question, recall.place(case.channel))
    return index.recall(case.question, Place(case.guild_id))


def cases_to_ask(suite_run: SuiteRun) -> Iterator[SuiteCase]:
    """Yield the cases to ask, in order, without those that have their answer."""
    cases = suite_run.version.cases.select_related("channel").order_by("position")
    done = set(suite_run.answers.values_list("position", flat=True).iterator())
    # Read to the end at once: a cursor that stays open would keep SQLite from writing.
    rest = array("q", (at for at in range(suite_run.n_cases) if at not in done))
    for start in range(0, len(rest), READ_AT_ONCE):
        for case in list(cases.filter(position__in=rest[start : start + READ_AT_ONCE].tolist())):
            # It may be erased while those before it are asked, and its words are not to be sent then.
            words = SuiteCase.objects.filter(pk=case.pk).values_list("question", flat=True)
            if words.get() != case.question:
                case.refresh_from_db()
            yield case


def _unjudged(suite_run: SuiteRun) -> QuerySet[SuiteAnswer]:
    waiting = suite_run.answers.filter(judged_by="", is_right=None, error="")
    return waiting.select_related("case").order_by("-position")


def _store(
    run: Run,
    suite_run: SuiteRun,
    said: Sequence[Said],
    ruled: Sequence[Ruled],
    purse: Purse,
    news: tasks.Pace,
) -> list[SuiteAnswer]:
    """Store answers and verdicts and how far it is, all or nothing, if this worker still holds it.

    Returns the answers that a judge model has to read now.
    """
    cancelled: tasks.Cancelled | None = None
    fresh: list[SuiteAnswer] = []
    with transaction.atomic():
        try:
            done = suite_run.n_done + len(said)
            run.save(step="asking", progress=done / suite_run.n_cases, n_failures=0)
        except tasks.Cancelled as error:
            cancelled = error  # What has come is paid for, so it is kept.
        if said or ruled:
            fresh = [_answer(suite_run, each, purse) for each in said]
            _forget_erased(fresh)
            SuiteAnswer.objects.bulk_create(fresh)
            _count(suite_run, fresh, [_rule(suite_run, each, purse) for each in ruled])
            if news.is_due():
                announce(suite_run)
    if cancelled is not None:
        raise cancelled
    return [each for each in fresh if not each.judged_by]


def _answer(suite_run: SuiteRun, said: Said, purse: Purse) -> SuiteAnswer:
    """The row of an answer; judged at once, unless a model is to judge it."""
    case, finished = said.case, said.finished
    answer = SuiteAnswer(
        run=suite_run, case=case, position=case.position, ms=said.ms, error=said.error
    )
    if finished is None:
        answer.prompt_tokens = said.usage.prompt_tokens
        answer.completion_tokens = said.usage.completion_tokens
        answer.cost_usd = purse.cost(suite_run.model, said.usage)
        answer.is_right, answer.score = False, 0.0
        answer.judged_by, answer.reason = judging.judged_by(suite_run, case), "It was refused."
        return answer
    answer.answer = storage.storable(finished.text[:MAX_ANSWER])
    answer.correction_id = finished.correction_id
    answer.example_ids = list(finished.example_ids)
    answer.prompt_tokens = finished.usage.prompt_tokens
    answer.completion_tokens = finished.usage.completion_tokens
    # A correction's own words cost nothing, whatever the model does.
    answer.cost_usd = (
        Decimal(0)
        if finished.correction_id is not None
        else purse.cost(suite_run.model, finished.usage)
    )
    if not judging.needs_model(suite_run, case):
        verdict = judging.by_words(suite_run, case, answer.answer)
        _judge(answer, verdict, judging.judged_by(suite_run, case))
    return answer


def _forget_erased(fresh: Sequence[SuiteAnswer]) -> None:
    """Keep no words of corrections that were erased while their question was on its way."""
    gave = {each.correction_id for each in fresh if each.correction_id is not None}
    gave |= {pk for each in fresh for pk in each.example_ids}
    here = set(Correction.objects.filter(pk__in=gave).values_list("pk", flat=True))
    erased = set(
        SuiteCase.objects.filter(
            pk__in=[each.case_id for each in fresh], question=ERASED
        ).values_list("pk", flat=True)
    )
    for each in fresh:
        used = {each.correction_id, *each.example_ids} - {None}
        if each.case_id in erased or not used <= here:
            each.correction_id = None
            each.example_ids = [pk for pk in each.example_ids if pk in here]
            each.answer, each.reason, each.error = ERASED, "", ""
            each.is_right, each.score, each.judged_by = None, None, judging.NOBODY


def _rule(suite_run: SuiteRun, ruled: Ruled, purse: Purse) -> tuple[SuiteAnswer, Decimal | None]:
    """Write a judge model's verdict beside its answer, and return what it cost."""
    answer, cost = ruled.answer, purse.cost(suite_run.judge_model, ruled.usage)
    _judge(answer, ruled.verdict, suite_run.judge_model)
    if cost is not None and answer.cost_usd is not None:
        answer.cost_usd += cost
    fields = ["is_right", "score", "judged_by", "reason", "cost_usd"]
    answer.save(update_fields=fields)
    return answer, cost


def _judge(answer: SuiteAnswer, verdict: Verdict, by: str) -> None:
    answer.is_right, answer.score = verdict.is_right, verdict.score
    answer.judged_by, answer.reason = by, storage.storable(verdict.reason)


def _count(
    suite_run: SuiteRun,
    fresh: Sequence[SuiteAnswer],
    ruled: Sequence[tuple[SuiteAnswer, Decimal | None]],
) -> None:
    judged = [row for row in [*fresh, *(row for row, _ in ruled)] if row.is_right is not None]
    costs = [row.cost_usd for row in fresh if row.cost_usd is not None]
    costs += [cost for _, cost in ruled if cost is not None]
    changes: dict[str, Any] = {
        "n_done": F("n_done") + len(fresh),
        "n_judged": F("n_judged") + len(judged),
        "n_right": F("n_right") + sum(row.is_right is True for row in judged),
        "n_refused": F("n_refused") + sum(bool(row.error) for row in fresh),
        "prompt_tokens": F("prompt_tokens") + sum(row.prompt_tokens or 0 for row in fresh),
        "completion_tokens": F("completion_tokens")
        + sum(row.completion_tokens or 0 for row in fresh),
        "error": "",
    }
    SuiteRun.objects.filter(pk=suite_run.pk).update(**changes)
    if costs:
        known = suite_run.cost_usd or Decimal(0)
        SuiteRun.objects.filter(pk=suite_run.pk).update(cost_usd=known + sum(costs))
    suite_run.refresh_from_db(fields=[*changes, "cost_usd"])
