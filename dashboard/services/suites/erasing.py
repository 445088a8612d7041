"""What is left in frozen suites of a correction whose author wants to be forgotten: no words."""

from collections.abc import Iterable
from typing import Final

from django.db.models import Q

from dashboard.models import SuiteAnswer, SuiteCase
from dashboard.services.suites import polls
from dashboard.services.suites.content import ERASED

AT_ONCE: Final = 500  # ids in one query


def erase(correction_ids: Iterable[int]) -> int:
    """Take the words of these corrections out of every case and answer; return how many cases.

    Polls that show them on Discord are taken off it.

    The one change that a frozen version bears: its digest stays, and is no
    longer that of its words. Call it before the corrections are deleted.
    """
    ids = list(correction_ids)
    cases = SuiteCase.objects.filter(correction__in=ids)
    read = _that_read(set(ids))
    polls.withdraw(SuiteAnswer.objects.filter(Q(case__correction__in=ids) | Q(correction__in=ids)))
    told = list(read)
    for begin in range(0, len(told), AT_ONCE):
        some = told[begin : begin + AT_ONCE]
        polls.withdraw(SuiteAnswer.objects.filter(pk__in=some))
    answers = SuiteAnswer.objects.filter(case__correction__in=ids)
    recalled = SuiteAnswer.objects.filter(correction__in=ids)
    for rows in (answers, recalled):
        rows.update(answer=ERASED, reason="")
    for pk, shown in read.items():
        left = [each for each in shown if each not in ids]
        SuiteAnswer.objects.filter(pk=pk).update(answer=ERASED, reason="", example_ids=left)
    return cases.update(
        question=ERASED, expected=ERASED, rejected="", history=[], system="", judge_args={}
    )


def _that_read(ids: set[int]) -> dict[int, list[int]]:
    """The answers of models that had read one of these corrections, with all that each had read."""
    read = SuiteAnswer.objects.exclude(example_ids=[]).values_list("pk", "example_ids")
    # Looked at here, since SQLite finds nothing within a list.
    return {pk: shown for pk, shown in read.iterator() if not ids.isdisjoint(shown)}
