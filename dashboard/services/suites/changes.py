"""The answers of two runs side by side."""

from dataclasses import dataclass
from typing import Final

from django.db.models import F, OuterRef, Q, Subquery

from dashboard.models import SuiteAnswer, SuiteRun
from dashboard.services import paging
from trainerbot.errors import InvalidInput

SIZE: Final = 20
SHOWS: Final = (
    ("changed", "Changed verdict"),
    ("wins", "Wins"),
    ("losses", "Losses"),
    ("words", "Other words"),
    ("all", "All"),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One case with both answers. `word`: win, loss, or "" where both are the same."""

    first: SuiteAnswer
    second: SuiteAnswer

    @property
    def word(self) -> str:
        if self.first.is_right == self.second.is_right:
            return ""
        if self.first.is_right is None or self.second.is_right is None:
            return ""
        return "win" if self.first.is_right else "loss"


@dataclass(frozen=True, slots=True)
class Sides:
    """A page of cases with both answers; its tokens are those of `paging.Page`."""

    rows: list[Side]
    after: str
    before: str


def page(
    first: SuiteRun, second: SuiteRun, *, show: str = "changed", after: str = "", before: str = ""
) -> Sides:
    """One page of the cases that both answered, in their order.

    show: a key of SHOWS; wins are those that only the first has right. Raises
    InvalidInput for what is no list, and a damaged page address.
    """
    theirs = SuiteAnswer.objects.filter(run=second, position=OuterRef("position"))
    rows = SuiteAnswer.objects.filter(run=first).annotate(
        other=Subquery(theirs.values("pk")[:1]),
        other_right=Subquery(theirs.values("is_right")[:1]),
        other_answer=Subquery(theirs.values("answer")[:1]),
    )
    wins, losses = Q(is_right=True, other_right=False), Q(is_right=False, other_right=True)
    match show:
        case "changed":
            rows = rows.filter(wins | losses)
        case "wins":
            rows = rows.filter(wins)
        case "losses":
            rows = rows.filter(losses)
        case "words":
            rows = rows.exclude(answer=F("other_answer"))
        case "all":
            pass
        case _:
            raise InvalidInput("There is no such list of answers.")
    found = paging.page(
        rows.exclude(other=None).select_related("case"),
        after=after,
        before=before,
        size=SIZE,
        key="position",
        newest_first=False,
    )
    positions = [row.position for row in found.rows]
    others = {row.position: row for row in second.answers.filter(position__in=positions)}
    return Sides([Side(row, others[row.position]) for row in found.rows], found.after, found.before)
