"""What a correction would do once it is in force, told before it is saved.

All of it is bounded: the newest PAST questions are looked through by an index
of this process, and the CLOSEST of them are asked as they would be. Slow for
an event loop (tenths of a second), so call it on a thread.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models.functions import Left

from dashboard.models import Correction, DiscordChannel, DiscordGuild, Message
from dashboard.services import recall
from trainerbot.conversation import Memory, Place, Recall
from trainerbot.retrieval import NearestTexts, same_question

PAST = 5_000
CLOSEST = 200
SHOWN = 10
LOOKED_AT_CHARACTERS = 1_000  # of one question: longer ones are hardly asked twice
KEPT_FOR_S = 300.0  # what was erased meanwhile leaves the memory of this process, too
NEW = 2**62  # newer than every correction there is

SAME_PLACE = "It counts in the same place, where the newer one is given: this one."
WIDER = "It counts more widely; where this one counts, this one is given."
NARROWER = "It counts more narrowly, and is given there instead of this one."

# What tells a model what to do rather than people what is so.
_INSTRUCTIONS = re.compile(
    r"ignore (?:all |any |the |your )*(?:previous|prior|above|earlier|former) |"
    r"disregard (?:all|any|the|your|previous) |forget (?:all |everything |your (?:instructions|rules|prompt))|"
    r"you are now |system prompt|new instructions|developer mode|jailbreak|"
    r"(?:игнорируй|забудь)(?:те)? (?:все|всё|предыдущ|прежн|свои|инструкц)|"
    r"системн\w+ (?:промпт|инструкц)|теперь ты ",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<\|\w+\|>|\[/?INST\]|<</?SYS>>|^\s*(?:system|assistant)\s*:", re.I | re.M)
_UNSEEN = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_PINGS = re.compile(r"@everyone|@here|<@[!&]?\d+>")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that people asked before: how often, where and when last."""

    text: str
    n: int
    last_at: datetime
    conversation_id: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Another correction in force of the same question, where both count."""

    id: int
    question: str
    answer: str
    says_the_same: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """fires: questions that would have got its words. shows: where a model had read it.

    n_looked_at: how many past questions of its place there were to look at.
    warnings: sentences for whoever decides.
    """

    fires: tuple[Asked, ...] = ()
    shows: tuple[Asked, ...] = ()
    n_fires: int = 0
    n_shows: int = 0
    n_looked_at: int = 0
    contradictions: tuple[Contradiction, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def against(self) -> list[Contradiction]:
        return [each for each in self.contradictions if not each.says_the_same]

    @property
    def in_a_line(self) -> str:
        """All of it in one sentence without anybody's words; "" where there is nothing to tell."""
        told = []
        if self.n_fires:
            told.append(f"would also have answered {_times(self.n_fires)}")
        if self.n_shows:
            told.append(f"would have helped with {_times(self.n_shows)}")
        if self.against:
            told.append("contradicts " + ", ".join(f"#{each.id}" for each in self.against[:SHOWN]))
        line = "; ".join(told)
        said = [f"{line[:1].upper()}{line[1:]}."] if line else []
        return " ".join([*said, *self.warnings])


class _Row(NamedTuple):
    """A past question. channel_ids: its channel, and of a thread its parent."""

    id: int
    text: str
    guild_id: int | None
    channel_ids: tuple[int, ...]
    at: datetime
    conversation_id: int


@dataclass(frozen=True, slots=True)
class _Past:
    """The newest questions by their words, and when they were read."""

    newest: tuple[int, datetime] | None
    read_at: float
    rows: dict[str, list[_Row]] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    index: NearestTexts | None = None


_lock = threading.Lock()
_past = _Past(None, 0.0)


def foresee(
    *,
    question: str,
    better_answer: str,
    guild: DiscordGuild | None = None,
    channel: DiscordChannel | None = None,
    correction: Correction | None = None,
    message: Message | None = None,
) -> Foreseen:
    """Say what a correction would do at this place: on past questions, and against others.

    correction: which one it is, if it is stored. message: the answer that it
    corrects, whose own question is no news.
    """
    guild = channel.guild if channel is not None else guild
    pk = correction.pk if correction is not None else NEW
    place = guild.pk if guild else None, channel.pk if channel else None
    memory = Memory(pk, question, better_answer, *place)
    others = _others(memory)
    warnings = tuple(_warnings(memory, others))
    if not question.strip():
        return Foreseen(warnings=warnings)
    own = {message.reply_to_id} if message is not None else set()
    fires, shows, n_looked_at = _on_past(memory, place, own)
    return Foreseen(
        fires=tuple(fires[:SHOWN]),
        shows=tuple(shows[:SHOWN]),
        n_fires=sum(each.n for each in fires),
        n_shows=sum(each.n for each in shows),
        n_looked_at=n_looked_at,
        contradictions=tuple(_contradiction(memory, each) for each in others),
        warnings=warnings,
    )


def of(correction: Correction, *, better_answer: str | None = None) -> Foreseen:
    """The same of a stored one, perhaps with other words."""
    return foresee(
        question=correction.question,
        better_answer=correction.better_answer if better_answer is None else better_answer,
        guild=correction.guild,
        channel=correction.channel,
        correction=correction,
        message=correction.message,
    )


# --- Other corrections ----------------------------------------------------------
def overlap(one: Memory, other: Memory) -> bool:
    """Whether there is a place where both count."""
    if None in (one.guild_id, other.guild_id):
        return True
    if one.guild_id != other.guild_id:
        return False
    return None in (one.channel_id, other.channel_id) or one.channel_id == other.channel_id


def says_the_same(one: str, other: str) -> bool:
    """Whether two answers differ in nothing that a reader would notice."""
    return one.casefold().split() == other.casefold().split()


def _others(memory: Memory) -> list[Memory]:
    if not memory.question.strip():
        return []
    return [
        other
        for other in recall.current().same(memory.question[:LOOKED_AT_CHARACTERS])
        if other.id != memory.id and overlap(memory, other)
    ]


def _contradiction(memory: Memory, other: Memory) -> Contradiction:
    place, others = (memory.guild_id, memory.channel_id), (other.guild_id, other.channel_id)
    if place == others:
        sentence = SAME_PLACE
    else:
        is_wider = others[0] is None or (others[1] is None and place[1] is not None)
        sentence = WIDER if is_wider else NARROWER
    if memory.id < other.id and place == others:
        sentence = f"It counts in the same place and is newer: #{other.id} is given."
    same = says_the_same(memory.answer, other.answer)
    return Contradiction(other.id, other.question, other.answer, same, sentence)


def _warnings(memory: Memory, others: list[Memory]) -> list[str]:
    answer = memory.answer[:LOOKED_AT_CHARACTERS]
    said = []
    if answer.strip() and same_question(answer, memory.question[:LOOKED_AT_CHARACTERS]):
        said.append("The answer only repeats the question.")
    elif answer.strip():
        turned = [
            each
            for each in recall.current().same(answer)
            if each.id != memory.id and overlap(memory, each)
        ]
        for each in turned[:1]:
            circular = same_question(each.answer[:LOOKED_AT_CHARACTERS], memory.question)
            said.append(
                f"It goes in a circle: its answer is the question of #{each.id}, "
                "and the answer there is this question."
                if circular
                else f"Its answer is itself a question that #{each.id} answers."
            )
    ids = [each.id for each in others]
    turned_down = Correction.objects.filter(pk__in=ids, rejected_answer=memory.answer)
    for pk in turned_down.order_by("-pk").values_list("pk", flat=True)[:1]:
        said.append(f"Correction #{pk} rejected these very words as the wrong answer.")
    for text in (memory.question, memory.answer):
        said += [each for each in _suspicions(text) if each not in said]
    return said


def _suspicions(text: str) -> list[str]:
    found = []
    if _INSTRUCTIONS.search(text) or _MARKUP.search(text):
        found.append(
            "It reads like orders to the model. As an example a model would see them: "
            "approve it only if people are meant to read these words."
        )
    if _UNSEEN.search(text):
        found.append("It holds characters that nobody sees.")
    if _PINGS.search(text):
        found.append("It mentions people; the bot pings nobody with it.")
    return found


# --- Past questions -------------------------------------------------------------
def _on_past(
    memory: Memory, place: tuple[int | None, int | None], own: set[int | None]
) -> tuple[list[Asked], list[Asked], int]:
    past = _read()
    in_place = [_in_place(past.rows[text], place) for text in past.texts]
    n_looked_at = sum(map(len, in_place))
    fires: list[tuple[str, list[_Row]]] = []
    shows: list[tuple[str, list[_Row]]] = []
    if past.index is None or not n_looked_at:
        return [], [], n_looked_at
    visible = bytes(bool(rows) for rows in in_place)
    question = memory.question[:LOOKED_AT_CHARACTERS]
    index = _index_with(memory)
    for match in past.index.nearest(question, CLOSEST, visible=visible):
        rows = [row for row in in_place[match.key] if row.id not in own]
        if not rows:
            continue
        found = index.recall(rows[0].text, Place(rows[0].guild_id, rows[0].channel_ids))
        if found.verbatim is not None and found.verbatim.id == memory.id:
            fires.append((rows[0].text, rows))
        elif any(each.id == memory.id for each, _ in found.examples):
            shows.append((rows[0].text, rows))
    # What was erased since the questions were read is shown to nobody.
    ids = [row.id for _, rows in (*fires, *shows) for row in rows]
    there = set(Message.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return _told(fires, there), _told(shows, there), n_looked_at


def _index_with(memory: Memory) -> Recall:
    """What is recalled once `memory` is in force.

    With embeddings it is asked alone and by words: to embed hundreds of past
    questions takes seconds.
    """
    index = recall.current()
    return Recall([memory]) if index.is_by_meaning else index.changed({memory.id: memory})


def _told(found: list[tuple[str, list[_Row]]], there: set[int]) -> list[Asked]:
    told = []
    for text, rows in found:
        left = [row for row in rows if row.id in there]
        if left:
            told.append(Asked(text, len(left), left[0].at, left[0].conversation_id))
    return sorted(told, key=lambda each: each.last_at, reverse=True)


def _in_place(rows: list[_Row], place: tuple[int | None, int | None]) -> list[_Row]:
    guild_id, channel_id = place
    if channel_id is not None:
        return [row for row in rows if channel_id in row.channel_ids]
    return [row for row in rows if guild_id in (None, row.guild_id)]


def _read() -> _Past:
    """The newest questions, newest first; read anew when there are others."""
    global _past
    questions = Message.objects.filter(role=Message.Role.USER).exclude(content="")
    # Its time, too: an id may come again after a restored backup.
    newest = questions.order_by("-pk").values_list("pk", "created_at").first()
    moment = time.monotonic()
    with _lock:
        age_s = moment - _past.read_at
        if newest == _past.newest and age_s < KEPT_FOR_S:
            return _past
        if newest is None:
            return _Past(None, moment)
        rows: dict[str, list[_Row]] = {}
        found = questions.annotate(beginning=Left("content", LOOKED_AT_CHARACTERS)).order_by("-pk")
        for pk, text, guild_id, channel_id, parent_id, at, conversation_id in found.values_list(
            "pk",
            "beginning",
            "conversation__discord_channel__guild",
            "conversation__discord_channel",
            "conversation__discord_channel__parent",
            "created_at",
            "conversation",
        )[:PAST]:
            channel_ids = tuple(each for each in (channel_id, parent_id) if each is not None)
            row = _Row(pk, text, guild_id, channel_ids, at, conversation_id)
            rows.setdefault(text, []).append(row)
        texts = tuple(rows)
        index = NearestTexts(list(enumerate(texts))) if texts else None
        _past = _Past(newest, moment, rows, texts, index)
        return _past


def _times(n: int) -> str:
    return f"{n} past question{'' if n == 1 else 's'}"
