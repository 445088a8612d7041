"""Which corrections a model may learn, which of them are new, and why the others stay out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from zlib import crc32

from django.db.models import Q, QuerySet

from dashboard.models import Correction, DiscordGuild, Source
from dashboard.services import foresight, recall
from dashboard.services.trainings import permissions
from dashboard.services.trainings.lives import known_revisions, n_known, n_outdated
from trainerbot.errors import InvalidInput, NotFound
from trainerbot.retrieval import canonical

MOST: Final = 20_000  # corrections of one training, the newest
CLOSELY: Final = 200  # of the newest, also those asked in nearly the same words are found
SHOWN: Final = 20  # corrections named for each reason
EVERYWHERE: Final = "everywhere"
ALL: Final = "all"


class Why(StrEnum):
    """Why a correction in force is not learned."""

    KNOWN = "known"
    DISCORD = "discord"
    ASKER_ERASED = "asker erased"
    CHANNEL = "channel"
    REPEATED = "repeated"
    CONTRADICTED = "contradicted"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose corrections: those that count everywhere, beside them one guild's, or all guilds'."""

    value: str
    guild: DiscordGuild | None = None

    @property
    def name(self) -> str:
        """For people."""
        if self.guild is not None:
            return str(self.guild)
        return "All servers together" if self.value == ALL else "Everywhere"

    def corrections(self) -> QuerySet[Correction]:
        """Those in force that count there, channels' own included."""
        rows = Correction.objects.approved()
        if self.value == ALL:
            return rows
        everywhere = rows.filter(guild=None)
        return everywhere if self.guild is None else everywhere | rows.filter(guild=self.guild)


@dataclass(frozen=True, slots=True)
class Pick:
    """One correction to learn. is_new: no model that exists has learned these words."""

    id: int
    revision: int
    n_characters: int
    has_pair: bool
    is_new: bool
    is_held_out: bool
    is_discord: bool


@dataclass(frozen=True, slots=True)
class Picked:
    """What a training would learn, and what it leaves out.

    left_out: by reason the newest SHOWN; n_left_out: how many there are.
    known_in: models with how many they learned of what is in force.
    n_outdated: what a model learned that is in force no more.
    """

    picks: tuple[Pick, ...]
    left_out: dict[Why, list[Correction]] = field(default_factory=dict)
    n_left_out: dict[Why, int] = field(default_factory=dict)
    known_in: tuple[tuple[str, int], ...] = ()
    n_outdated: int = 0

    @property
    def learned(self) -> list[Pick]:
        return [pick for pick in self.picks if not pick.is_held_out]

    @property
    def n_learned(self) -> int:
        return len(self.learned)

    @property
    def n_new(self) -> int:
        return sum(pick.is_new for pick in self.picks)

    @property
    def n_pairs(self) -> int:
        return sum(pick.has_pair for pick in self.learned)

    @property
    def n_held_out(self) -> int:
        return len(self.picks) - self.n_learned

    @property
    def n_all_left_out(self) -> int:
        return sum(self.n_left_out.values())

    @property
    def n_discord(self) -> int:
        """Those that are learned by Discord's permission."""
        return sum(pick.is_discord for pick in self.picks)

    @property
    def n_tokens(self) -> int:
        """What is learned in one pass, about: four letters a token, and the frame of a message."""
        return sum(pick.n_characters // 4 + 8 for pick in self.learned)

    @property
    def told(self) -> dict[str, object]:
        """As `Training.counts` keeps it: numbers, and nobody's words."""
        return {
            "learned": self.n_learned,
            "new": self.n_new,
            "pairs": self.n_pairs,
            "held_out": self.n_held_out,
            "by_permission": self.n_discord,
            "left_out": {why.value: n for why, n in self.n_left_out.items()},
        }


def scope_of(value: str) -> Scope:
    """The scope that a form spells. Raises NotFound for a guild that is gone."""
    if value in ("", EVERYWHERE):
        return Scope(EVERYWHERE)
    if value == ALL:
        return Scope(ALL)
    kind, _, number = value.partition("-")
    if kind == "guild" and number.isascii() and number.isdecimal() and len(number) < 19:
        guild = DiscordGuild.objects.filter(pk=int(number)).first()
        if guild is not None:
            return Scope(f"guild-{guild.pk}", guild)
    raise NotFound("There is no such server. Choose another one.")


def scopes() -> list[Scope]:
    """All that may be chosen: everywhere, and each guild with corrections of its own."""
    own = Correction.objects.approved().exclude(guild=None).order_by().values("guild").distinct()
    guilds = [
        Scope(f"guild-{guild.pk}", guild)
        for guild in DiscordGuild.objects.filter(pk__in=own).order_by("name", "pk")
    ]
    together = [Scope(ALL)] if len(guilds) > 1 else []
    return [Scope(EVERYWHERE), *guilds, *together]


def look(scope: Scope, *, with_known: bool = True, hold_out: int = 0) -> Picked:
    """Say what a training of these would learn now. Takes a second and more for 20,000.

    with_known: also what a model learned before, so that one that starts from
    a base model knows it too. hold_out: how many of a hundred are kept for
    the test; always the same ones, so that no later training learns them.
    """
    if not 0 <= hold_out <= 50:
        raise InvalidInput("From 0 to 50 of a hundred corrections can be held out.")
    out: dict[Why, list[int]] = {}
    rows = _rows(scope, out)
    known = known_revisions()
    heard = _one_answer_each(rows, out, of_all=scope.value == ALL)
    is_permitted = permissions.current() is not None
    picks = []
    for row in heard:
        if row.is_erased:
            out.setdefault(Why.ASKER_ERASED, []).append(row.id)
        elif row.is_discord and not is_permitted:
            out.setdefault(Why.DISCORD, []).append(row.id)
        elif not with_known and known.get(row.id) == row.revision:
            out.setdefault(Why.KNOWN, []).append(row.id)
        else:
            picks.append(
                Pick(
                    id=row.id,
                    revision=row.revision,
                    n_characters=row.n_characters,
                    has_pair=row.has_pair,
                    is_new=known.get(row.id) != row.revision,
                    is_held_out=crc32(f"correction {row.id}".encode()) % 100 < hold_out,
                    is_discord=row.is_discord,
                )
            )
    return Picked(
        picks=tuple(picks),
        left_out=_named(out),
        n_left_out={why: len(out[why]) for why in Why if why in out},
        known_in=n_known(row.id for row in heard),
        n_outdated=n_outdated(),
    )


# --- what is looked at ------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    question: str
    answer: str
    guild_id: int | None
    revision: int
    n_characters: int
    has_pair: bool
    is_discord: bool
    is_erased: bool


def _rows(scope: Scope, out: dict[Why, list[int]]) -> list[_Row]:
    """Those that count in more than a channel, newest first."""
    found = scope.corrections().order_by("-pk")
    out_of = list(found.exclude(channel=None).values_list("pk", flat=True))
    if out_of:
        out[Why.CHANNEL] = out_of
    found = found.filter(channel=None)
    n_all = found.count()
    if n_all > MOST:
        out[Why.TOO_MANY] = list(found.values_list("pk", flat=True)[MOST:])
    fields = (
        *("pk", "question", "own_question", "better_answer", "rejected_answer"),
        *("guild", "revision", "message", "message__source", "model"),
    )
    rows = []
    for (
        pk,
        asked,
        own,
        answer,
        rejected,
        guild_id,
        revision,
        message_id,
        source,
        model,
    ) in found.values_list(*fields)[:MOST].iterator(chunk_size=2_000):
        rows.append(
            _Row(
                id=pk,
                question=asked,
                answer=answer,
                guild_id=guild_id,
                revision=revision,
                n_characters=len(own or asked) + len(answer),
                has_pair=is_pair(answer, rejected),
                is_discord=not own and source == Source.DISCORD,
                # As `Correction.asker_is_gone`: only one of an answer has its wrong words or
                # its model; where the answer is gone, whoever asked had their words deleted.
                is_erased=not own and message_id is None and bool(rejected or model),
            )
        )
    return rows


def asker_erased() -> Q:
    """Corrections that `is_erased` tells: nobody worded them anew, and their asker is gone."""
    return Q(own_question="", message=None) & (~Q(rejected_answer="") | ~Q(model=""))


def is_pair(answer: str, rejected: str) -> bool:
    """Whether a wrong answer is known that a reader could tell from the right one."""
    return bool(rejected.strip()) and not foresight.says_the_same(answer, rejected)


def _one_answer_each(
    rows: Sequence[_Row], out: dict[Why, list[int]], *, of_all: bool
) -> list[_Row]:
    """Of each question the one answer that a model can learn; rows come newest first.

    That of a guild goes before that of everywhere, and of one place the newer
    one, as recall has it. A model of all guilds cannot know which one asks:
    there that of everywhere goes first, and where two guilds differ neither
    is learned.
    """
    groups: dict[object, list[_Row]] = {}
    for row in rows:
        groups.setdefault(canonical(row.question) or row.question.strip(), []).append(row)
    kept: dict[int, _Row] = {}
    for group in groups.values():
        for row in _heard(group, out, of_all=of_all):
            kept[row.id] = row
    index = recall.current()
    for row in list(kept.values())[:CLOSELY]:
        near = [kept[each.id] for each in index.same(row.question) if each.id in kept]
        if row.id in kept and len(near) > 1:
            still = {each.id for each in _heard(near, out, of_all=of_all, in_other_words=True)}
            for each in near:
                if each.id not in still:
                    del kept[each.id]
    return list(kept.values())


def _heard(
    group: Sequence[_Row],
    out: dict[Why, list[int]],
    *,
    of_all: bool,
    in_other_words: bool = False,
) -> list[_Row]:
    """Those of a group of one question that are learned; the others go `out`.

    in_other_words: their questions are not the same to the letter, so what
    says the same is learned beside.
    """
    own = [row for row in group if row.guild_id is not None]
    everywhere = [row for row in group if row.guild_id is None]
    first_ones = (everywhere or own) if of_all else (own or everywhere)
    several = len({row.guild_id for row in own}) > 1
    if of_all and not everywhere and several and not _all_the_same(own):
        out.setdefault(Why.CONTRADICTED, []).extend(row.id for row in group)
        return []
    first = max(first_ones, key=lambda row: row.id)
    kept = [first]
    for row in group:
        if row is first:
            continue
        if not foresight.says_the_same(row.answer, first.answer):
            out.setdefault(Why.CONTRADICTED, []).append(row.id)
        elif in_other_words:
            kept.append(row)
        else:
            out.setdefault(Why.REPEATED, []).append(row.id)
    return kept


def _all_the_same(rows: Sequence[_Row]) -> bool:
    return all(foresight.says_the_same(row.answer, rows[0].answer) for row in rows)


def _named(out: dict[Why, list[int]]) -> dict[Why, list[Correction]]:
    found = {}
    for why in Why:
        if ids := sorted(out.get(why, ()), reverse=True)[:SHOWN]:
            rows = Correction.objects.select_related("guild", "channel").in_bulk(ids)
            found[why] = [rows[pk] for pk in ids if pk in rows]
    return found
