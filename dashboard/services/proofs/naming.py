"""Under which names a model answers people now, and since when."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from dashboard.models import Alias, PlaceSettings, Promotion
from dashboard.services import assistant

EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class Name:
    """How people come to a model. since: None where no row tells."""

    name: str
    percent: int = 100
    since: datetime | None = None

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
    return (*found, *(Name(_place(row)) for row in places[:20]))


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
