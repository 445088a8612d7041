"""Under which names a model answers people now, and since when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from dashboard.models import Alias, PlaceSettings, Promotion
from dashboard.services import assistant

EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class Name:
    """How people come to a model. since: None where no row tells.

    is_place: it is the name of a server or of one of its channels, which is for
    those to read who may see all servers.
    """

    name: str
    percent: int = 100
    since: datetime | None = None
    is_place: bool = False

    @property
    def in_words(self) -> str:
        return self.name if self.percent == 100 else f"{self.name} for {self.percent} of 100"


def names_of(model: str) -> tuple[Name, ...]:
    """The names that stand for a model, then the places that ask for it itself."""
    if not model:
        return ()
    named = Alias.objects.filter(Q(stable__model=model) | Q(canary__model=model))
    found = [_named(alias, model) for alias in named.select_related("stable", "canary")]
    if assistant.current().model == model:
        found.append(Name(EVERYWHERE))
    places = PlaceSettings.objects.filter(model=model).select_related("guild", "channel")
    return (*found, *(Name(_place(row), is_place=True) for row in places[:20]))


def for_all(names: Collection[Name]) -> str:
    """The same in words that name no server and none of its channels; "" for no name at all."""
    told = [each.in_words for each in names if not each.is_place]
    n_places = sum(each.is_place for each in names)
    if n_places:
        told.append("one place" if n_places == 1 else f"{n_places} places")
    return ", ".join(told)


def _named(alias: Alias, model: str) -> Name:
    is_stable = alias.stable is not None and alias.stable.model == model
    action = Promotion.Action.PROMOTE if is_stable else Promotion.Action.CANARY
    back = (Promotion.Action.ROLL_BACK,) if is_stable else ()
    since = (
        alias.promotions.filter(release__model=model, action__in=(action, *back))
        .order_by("-pk")
        .values_list("created_at", flat=True)
        .first()
    )
    return Name(str(alias), 100 if is_stable else alias.canary_percent, since)


def _place(row: PlaceSettings) -> str:
    if row.channel is not None:
        return f"#{row.channel.name}"
    return str(row.guild) if row.guild is not None else "direct messages"
