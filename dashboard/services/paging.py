"""Keyset pages: page 1,000 costs what page 1 costs."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from trainerbot.errors import InvalidInput

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list.

    after: token of the next page, or "" on the last one.
    before: token of the previous page, or "" on the first one.
    """

    rows: list[Row]
    after: str
    before: str


def page(
    rows: QuerySet[Row],
    *,
    after: str = "",
    before: str = "",
    size: int = 25,
    key: str = "pk",
    newest_first: bool = True,
) -> Page[Row]:
    """Cut one page out of `rows`, ordered by the unique field `key`.

    `after` and `before` are tokens of an earlier page; a token that is none
    raises InvalidInput.
    """
    backwards = bool(before) and not after
    token = _value(after or before)
    falling = newest_first != backwards
    if token is not None:
        rows = rows.filter(**{f"{key}__{'lt' if falling else 'gt'}": token})
    found = list(rows.order_by(f"{'-' if falling else ''}{key}")[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_next = bool(found) and (more or backwards)
    has_previous = bool(found) and (more if backwards else token is not None)
    return Page(
        rows=found,
        after=str(getattr(found[-1], key)) if has_next else "",
        before=str(getattr(found[0], key)) if has_previous else "",
    )


def _value(token: str) -> int | None:
    if not token:
        return None
    try:
        return int(token)
    except ValueError as error:
        raise InvalidInput("This page address is damaged. Start again from the list.") from error
