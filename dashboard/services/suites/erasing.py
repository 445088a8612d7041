"""What is left in frozen suites of a correction whose author wants to be forgotten: no words."""

from collections.abc import Iterable

from django.db.models import Q

from dashboard.models import SuiteAnswer, SuiteCase
from dashboard.services.suites import polls
from dashboard.services.suites.content import ERASED


def _erase_read(ids: set[int]) -> None:
    """Take away the answers of models that had read one of these corrections as an example."""
    read = SuiteAnswer.objects.exclude(example_ids=[]).values_list("pk", "example_ids")
    # Looked at here, since SQLite finds nothing within a list.
    told = [(pk, shown) for pk, shown in read.iterator() if not ids.isdisjoint(shown)]
    for pk, shown in told:
        SuiteAnswer.objects.filter(pk=pk).update(
            answer=ERASED, reason="", example_ids=[each for each in shown if each not in ids]
        )


def erase(correction_ids: Iterable[int]) -> int:
    """Take the words of these corrections out of every case and answer; return how many cases.

    Polls that show them on Discord are taken off it.

    The one change that a frozen version bears: its digest stays, and is no
    longer that of its words. Call it before the corrections are deleted.
    """
    ids = list(correction_ids)
    cases = SuiteCase.objects.filter(correction__in=ids)
    polls.withdraw(SuiteAnswer.objects.filter(Q(case__correction__in=ids) | Q(correction__in=ids)))
    answers = SuiteAnswer.objects.filter(case__correction__in=ids)
    recalled = SuiteAnswer.objects.filter(correction__in=ids)
    for rows in (answers, recalled):
        rows.update(answer=ERASED, reason="")
    _erase_read(set(ids))
    return cases.update(
        question=ERASED, expected=ERASED, rejected="", history=[], system="", judge_args={}
    )
