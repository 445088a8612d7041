"""What wants a person: among the corrections in force, and models that are switched off.

Each kind is one function here; what else can tell, such as the results of
tests, joins by one more, in `ALARMS`.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils.timezone import now

from dashboard.models import Correction, Message, Suite, SuiteAnswer, SuiteRun
from dashboard.services import foresight, places, providers, recall, retirements, routing
from trainerbot.conversation import Memory, Recall
from trainerbot.errors import ProviderUnavailable

DEAD_AFTER = timedelta(days=30)
SHOWN = 20
CLOSELY = 200  # of the newest corrections, also those asked in nearly the same words are found


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong, about one correction or several, the newest first; or about a model."""

    kind: str
    sentence: str
    corrections: tuple[Correction, ...]
    model: str = ""


@dataclass(frozen=True, slots=True)
class Alarms:
    """The first SHOWN of each kind, and how many there are."""

    shown: tuple[Alarm, ...]
    n: int


def everything() -> Alarms:
    """All that is wrong. Takes a second where corrections changed among 100,000."""
    shown: list[Alarm] = []
    n = 0
    for kind in ALARMS:
        found, n_found = kind()
        shown += found
        n += n_found
    return Alarms(tuple(shown), n)


def contradictions() -> tuple[Sequence[Alarm], int]:
    """Corrections in force that answer one question differently in the very same place.

    Where one counts in a narrower place than the other, it is meant to differ.
    """
    pairs = _pairs(recall.current())
    rows = _rows({pk for pair in pairs[:SHOWN] for pk in pair})
    found = [
        Alarm(
            "contradiction",
            f"#{newer} and #{older} answer the same question differently. "
            f"The newer is given: #{newer}.",
            (rows[newer], rows[older]),
        )
        for newer, older in pairs[:SHOWN]
        if newer in rows and older in rows
    ]
    return found, len(pairs)


def dead() -> tuple[Sequence[Alarm], int]:
    """Corrections in force for 30 days of which nobody has heard."""
    since = Correction.objects.approved().filter(
        n_fired=0, n_shown=0, reviewed_at__lt=now() - DEAD_AFTER
    )
    found = [
        Alarm(
            "dead",
            f"#{row.pk} has been in force for {(now() - row.reviewed_at).days} days, "
            "and nobody has asked for it.",
            (row,),
        )
        for row in since.select_related("guild", "channel").order_by("reviewed_at", "pk")[:SHOWN]
        if row.reviewed_at is not None
    ]
    return found, since.count()


def learned() -> tuple[Sequence[Alarm], int]:
    """Corrections whose question the model that answers there now gets right by itself.

    As the newest test without recall tells, of the words that are in force.
    """
    rows: list[tuple[int, int, str]] = []
    for run in _newest_alone():
        right = SuiteAnswer.objects.filter(
            run=run,
            is_right=True,
            case__correction__state=Correction.State.APPROVED,
            case__question=F("case__correction__question"),
            case__expected=F("case__correction__better_answer"),
        )
        # A channel with a model of its own was not asked.
        right = right.exclude(case__channel__place__model__gt="")
        ids = right.order_by("case__correction").values_list("case__correction", flat=True)
        rows += [(pk, run.pk, run.model) for pk in ids if pk is not None]
    shown = _rows({pk for pk, _, _ in rows[:SHOWN]})
    found = [
        Alarm(
            "learned",
            f"#{pk}: {model} gets this right by itself now, as run {run} shows. Take it out of "
            "force to keep the list short; it stays in the archive, and can be put back.",
            (shown[pk],),
        )
        for pk, run, model in rows[:SHOWN]
        if pk in shown
    ]
    return found, len(rows)


def retiring() -> tuple[Sequence[Alarm], int]:
    """Models in use that their endpoint soon switches off."""
    near = retirements.warned()
    found = [
        Alarm("retiring", " ".join([each.sentence, *each.lines]), (), each.model)
        for each in near[:SHOWN]
    ]
    return found, len(near)


ALARMS: tuple[Callable[[], tuple[Sequence[Alarm], int]], ...] = (
    contradictions,
    dead,
    learned,
    retiring,
)

_lock = threading.Lock()
_kept: tuple[Recall, list[tuple[int, int]]] | None = None


def _pairs(index: Recall) -> list[tuple[int, int]]:
    """Ids of contradictions, (newer, older), newest first; found out once for each index."""
    global _kept
    with _lock:
        if _kept is not None and _kept[0] is index:
            return _kept[1]
        groups = index.repeated()
        groups += [index.same(memory.question) for memory in index.newest(CLOSELY)]
        pairs = {pair for group in groups for pair in _of_group(group)}
        _kept = index, sorted(pairs, reverse=True)
        return _kept[1]


def _of_group(group: list[Memory]) -> list[tuple[int, int]]:
    """Of each place the newest correction with those that it silences and contradicts."""
    newest: dict[tuple[int | None, int | None], Memory] = {}
    found = []
    for memory in group:
        first = newest.setdefault((memory.guild_id, memory.channel_id), memory)
        if first is not memory and not foresight.says_the_same(first.answer, memory.answer):
            found.append((first.id, memory.id))
    return found


def _newest_alone() -> list[SuiteRun]:
    """The newest whole test of each suite of corrections, of the model that answers its people."""
    rules, endpoint = places.rules(), providers.endpoint().name
    found = []
    for suite in Suite.objects.filter(kind=Suite.Kind.CORRECTIONS).select_related("guild"):
        place = rules.place(suite.guild.discord_guild_id if suite.guild else None)
        try:
            model = routing.route(place, aliases=rules.aliases, who="").model
        except ProviderUnavailable:
            continue  # nothing answers under that name yet
        runs = SuiteRun.objects.finished().filter(
            version__suite=suite, with_recall=False, endpoint=endpoint
        )
        if model := model or settings.CHAT_MODEL:
            newest = runs.filter(model=model).order_by("-pk").first()
        else:  # the endpoint's own: who answered last
            newest = _if_it_answers(runs.order_by("-pk").first())
        if newest is not None:
            found.append(newest)
    return found


def _if_it_answers(run: SuiteRun | None) -> SuiteRun | None:
    answers = Message.objects.filter(role=Message.Role.ASSISTANT, error="", correction=None)
    last = answers.order_by("-pk").values_list("model", flat=True).first()
    return run if run is not None and run.model == last else None


def _rows(ids: set[int]) -> dict[int, Correction]:
    return Correction.objects.select_related("guild", "channel").in_bulk(ids)
