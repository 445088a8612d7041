"""Calls: where the bot wants to be, how it fares there, and what was said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import DiscordChannel, DiscordGuild, Utterance, VoiceCall, VoiceSettings
from dashboard.services import audit, outbox, people, places, speech, storage
from dashboard.services.access import Person

TOPIC: Final = "calls"
State = VoiceCall.State
MOST_SHOWN: Final = 500  # characters of what somebody is saying; the newest of it
PRESENT: Final = frozenset({"people", "speaking"})  # of the figures: ids of Discord's


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of Discord, by its id and its name."""

    discord_channel_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Wish:
    """That the bot be in a call; ids are Discord's, but `call_id` is the row's.

    discord_text_channel_id: where transcripts, answers and faults are posted.
    leaves_after_s: seconds alone after which it leaves; 0: it stays.
    keeps_audio_days: for how long recordings are kept in this guild; 0: never.
    heard_by: who on other machines may be sent what is said, in words.
    """

    call_id: int
    discord_guild_id: int
    discord_channel_id: int
    discord_text_channel_id: int | None
    leaves_after_s: int
    keeps_audio_days: int
    heard_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said in one go in a call: the words, or why there are none."""

    text: str = ""
    language: str = ""
    provider: str = ""
    problem: str = ""
    duration_s: float = 0.0
    stages_ms: Mapping[str, int] = field(default_factory=dict)


# --- wishes -------------------------------------------------------------------
@transaction.atomic
def want(
    *,
    discord_guild_id: int,
    guild_name: str,
    channel: Place,
    text_channel: Place | None,
    actor: Person | None,
) -> Wish:
    """Note that the bot shall be in a voice channel, until `unwant`.

    In a guild it is in one call at a time: asked from another channel, that
    call goes on there.
    """
    guild = places.guild(discord_guild_id, guild_name)
    row, is_new = VoiceCall.objects.select_for_update().get_or_create(
        guild=guild, ended_at=None, defaults={"channel": _channel(guild, channel)}
    )
    row.channel = _channel(guild, channel)
    row.text_channel = _channel(guild, text_channel) if text_channel else None
    row.save(update_fields=["channel", "text_channel"])
    audit.record(actor, "call.join", channel.name)
    _tell(row.pk, "call.began" if is_new else "call.changed")
    return _wish(row, guild)


@transaction.atomic
def unwant(call_id: int, *, because: str, actor: Person | None = None) -> bool:
    """End a call for good; `because` is for people. False if it had ended before.

    Who was present is forgotten: nobody who wants to be erased would be found there.
    """
    running = VoiceCall.objects.select_for_update().filter(pk=call_id, ended_at=None).first()
    if running is None:
        return False
    running.state, running.problem, running.words = State.ENDED, "", {}
    running.ended_because, running.ended_at = because[:200], now()
    running.figures = {
        name: value for name, value in running.figures.items() if name not in PRESENT
    }
    running.save(
        update_fields=["state", "problem", "ended_because", "ended_at", "figures", "words"]
    )
    if actor is not None:
        audit.record(actor, "call.leave", str(call_id))
    _tell(call_id, "call.ended")
    return True


def wanted(discord_guild_ids: Collection[int]) -> list[Wish]:
    """The calls of these guilds in which the bot shall be now, whatever has happened to it."""
    rows = VoiceCall.objects.filter(ended_at=None, guild__discord_guild_id__in=discord_guild_ids)
    rows = rows.select_related("guild__voice", "channel", "text_channel").order_by("pk")
    return [_wish(row, row.guild) for row in rows]


@transaction.atomic
def moved(call_id: int, *, channel: Place) -> bool:
    """Follow: a moderator has moved the bot to another channel. False if the call has ended."""
    row = VoiceCall.objects.select_related("guild").filter(pk=call_id, ended_at=None).first()
    if row is None:
        return False
    row.channel = _channel(row.guild, channel)
    row.save(update_fields=["channel"])
    _tell(call_id, "call.changed")
    return True


# --- how it goes ----------------------------------------------------------------
@transaction.atomic
def report(
    call_id: int,
    *,
    state: VoiceCall.State | None = None,
    problem: str | None = None,
    figures: Mapping[str, Any] | None = None,
) -> bool:
    """Note how a running call goes; None leaves what was noted. False if it has ended."""
    changed: dict[str, Any] = {}
    if state is not None:
        changed["state"] = state
        changed["words"] = {}  # of a process that was killed, or of a connection that broke
        if state == State.CONNECTED:
            changed["connected_at"] = now()
    if problem is not None:
        changed["problem"] = problem
    if figures is not None:
        changed["figures"] = dict(figures)
    running = VoiceCall.objects.filter(pk=call_id, ended_at=None)
    if not changed or not running.update(**changed):
        return running.exists()
    _tell(call_id, "call.changed")
    return True


# --- what is said -----------------------------------------------------------------
@transaction.atomic
def show_words(call_id: int, words: Mapping[int, str]) -> None:
    """Let open pages show what people (Discord's ids) are saying to the bot at this moment.

    What was shown before is overwritten; no words empty it. No event carries any.
    """
    # As words: ids of Discord's are too long for JavaScript's numbers.
    shown = {str(who): storage.storable(text)[-MOST_SHOWN:] for who, text in words.items()}
    if VoiceCall.objects.filter(pk=call_id, ended_at=None).update(words=shown):
        _tell(call_id, "words.changed")


def forget_words() -> None:
    """Empty what a process that was killed was showing; a running one shows it again at once."""
    VoiceCall.objects.exclude(words={}).update(words={})


@transaction.atomic
def log_utterance(
    said: Said, *, call_id: int, person: Person, message_id: int | None = None
) -> int | None:
    """Store what somebody said; `message_id` is the question that it became. Returns its id.

    None where the call's row is gone, with all that was said in it.
    """
    if not VoiceCall.objects.filter(pk=call_id).exists():
        return None
    row = Utterance.objects.create(
        call_id=call_id,
        discord_user=people.on_discord(person),
        message_id=message_id,
        text=storage.storable(said.text),
        language=said.language[:35],
        provider=said.provider[:50],
        problem=storage.storable(said.problem),
        duration_ms=round(said.duration_s * 1000),
        stages_ms=dict(said.stages_ms),
    )
    _tell(call_id, "utterance.changed", utterance=row.pk)
    return row.pk


def note_heard(utterance_id: int, *, spoken: str) -> None:
    """Note what was heard until now of an answer that is still being said.

    `note_answer` overwrites it. Whoever is killed before that has not said more.
    """
    Utterance.objects.filter(pk=utterance_id).update(
        spoken=storage.storable(spoken), was_interrupted=True
    )


@transaction.atomic
def note_answer(
    utterance_id: int,
    *,
    spoken: str,
    was_interrupted: bool,
    stages_ms: Mapping[str, int],
    message_id: int | None = None,
) -> None:
    """Note how an answer to something said went: how much of it was heard, and how soon."""
    row = Utterance.objects.select_for_update().filter(pk=utterance_id).first()
    if row is None:  # erased meanwhile
        return
    row.spoken, row.was_interrupted = storage.storable(spoken), was_interrupted
    row.stages_ms = {**row.stages_ms, **stages_ms}
    row.message_id = message_id or row.message_id
    row.save(update_fields=["spoken", "was_interrupted", "stages_ms", "message"])
    if row.call_id:
        _tell(row.call_id, "utterance.changed", utterance=row.pk)


def _wish(row: VoiceCall, guild: DiscordGuild) -> Wish:
    settings = getattr(guild, "voice", None) or VoiceSettings()
    return Wish(
        call_id=row.pk,
        discord_guild_id=guild.discord_guild_id,
        discord_channel_id=row.channel.discord_channel_id,
        discord_text_channel_id=(row.text_channel.discord_channel_id if row.text_channel else None),
        leaves_after_s=settings.leaves_after_s,
        keeps_audio_days=settings.keeps_audio_days,
        heard_by=tuple(speech.hears_elsewhere(settings)),
    )


def _channel(guild: DiscordGuild, place: Place) -> DiscordChannel:
    row, _ = DiscordChannel.objects.get_or_create(
        discord_channel_id=place.discord_channel_id,
        defaults={"guild": guild, "name": place.name[:100]},
    )
    return row


def _tell(call_id: int, kind: str, **payload: Any) -> None:
    outbox.publish(TOPIC, kind, id=call_id, **payload)
