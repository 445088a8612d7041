"""Who may be listened to, and how long recordings of what was said are kept."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.timezone import now

from dashboard.models import DiscordUser, Message, Utterance, VoiceSettings
from dashboard.services import audit, outbox, people
from dashboard.services.access import Person
from trainerbot.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

TOPIC: Final = "consent"
FOLDER: Final = "audio"  # of `Message.audio`
AT_ONCE: Final = 500
# A recording is written before the row that names it; younger ones may still be waiting for it.
NAMED_WITHIN: Final = timedelta(hours=1)


def is_heard(discord_user_id: int) -> bool:
    """Whether a person lets the bot listen to them in calls and keep recordings of them."""
    theirs = DiscordUser.objects.filter(discord_user_id=discord_user_id)
    return theirs.values_list("is_heard", flat=True).first() is not False


@transaction.atomic
def set_heard(person: Person, heard: bool) -> int:
    """Note whether a person on Discord lets the bot listen to them.

    Whoever does not has their recordings deleted at once; how many that were.
    Their words stay in the log until they delete them.
    """
    row = people.on_discord(person)
    if row is None:
        raise NotAllowed("Only people on Discord can be listened to.")
    DiscordUser.objects.filter(pk=row.pk).update(is_heard=heard)
    n_deleted = 0 if heard else forget_recordings(row)
    audit.record(person, "consent.change", "listen", heard=heard)
    outbox.publish(TOPIC, "consent.changed", discord_user_id=str(row.discord_user_id), heard=heard)
    return n_deleted


def keeps_days(*, guild_id: int | None, discord_user_id: int) -> int:
    """For how many days a recording of this person may be kept in a guild (Discord's ids); 0: none."""
    if guild_id is None or not is_heard(discord_user_id):
        return 0
    rows = VoiceSettings.objects.filter(guild__discord_guild_id=guild_id)
    return rows.values_list("keeps_audio_days", flat=True).first() or 0


def keep_recording(utterance: Utterance, data: bytes, *, ending: str, days: int) -> bool:
    """Keep what was said, `data`, for `days` days; False where its question is gone meanwhile.

    False also where its speaker, or the server, has said no since `keeps_days` was asked.
    ending: of its file, such as "ogg".
    """
    if days <= 0 or utterance.message_id is None:
        return False
    name = default_storage.save(f"{FOLDER}/{secrets.token_urlsafe(16)}.{ending}", ContentFile(data))
    kept = False
    try:
        kept = _name_recording(utterance, utterance.message_id, name, days=days)
    finally:
        if not kept:
            default_storage.delete(name)
    return kept


@transaction.atomic
def _name_recording(utterance: Utterance, message_id: int, name: str, *, days: int) -> bool:
    """Let the rows of a question name its recording, if they still may; whether they do."""
    # Whoever refuses from now on finds the row, and deletes what it names.
    speaker = DiscordUser.objects.select_for_update().filter(pk=utterance.discord_user_id or 0)
    has_refused = speaker.values_list("is_heard", flat=True).first() is False
    days = min(days, _days_of_server(message_id))
    question = Message.objects.filter(pk=message_id, audio="")
    kept = days > 0 and not has_refused and bool(question.update(audio=name))
    if kept:
        Utterance.objects.filter(pk=utterance.pk).update(audio_until=now() + timedelta(days=days))
    return kept


def _days_of_server(message_id: int) -> int:
    """For how many days the server keeps recordings in which a question was asked."""
    rows = VoiceSettings.objects.filter(
        guild__channels__conversations__messages=message_id
    ).select_for_update(of=("self",))
    return rows.values_list("keeps_audio_days", flat=True).first() or 0


def forget_recordings(person: DiscordUser) -> int:
    """Delete every recording of a person, once it is certain that its row no longer names it."""
    return _forget(
        list(
            Message.objects.filter(conversation__discord_user=person)
            .exclude(audio="")
            .values_list("pk", "audio")
        )
    )


def prune_recordings() -> int:
    """Delete the recordings whose days are over, and files that no row names; how many of both."""
    over = Utterance.objects.filter(audio_until__lte=now(), message__isnull=False)
    n_deleted = 0
    while expired := list(
        over.exclude(message__audio="").values_list("message_id", "message__audio")[:AT_ONCE]
    ):
        n_deleted += _forget(expired)
    # A row that no longer has a recording needs no date for it.
    over.update(audio_until=None)
    return n_deleted + _forget_unnamed()


@transaction.atomic
def _forget(recordings: list[tuple[int, str]]) -> int:
    ids = [pk for pk, _ in recordings]
    Message.objects.filter(pk__in=ids).update(audio="")
    Utterance.objects.filter(message__in=ids).update(audio_until=None)

    def delete() -> None:
        for _, name in recordings:
            default_storage.delete(name)

    transaction.on_commit(delete)
    return len(recordings)


def _forget_unnamed() -> int:
    """Delete files that a process left which was killed, or whose rows were erased since."""
    n_deleted = 0
    for name in _files():
        if default_storage.get_modified_time(name) > now() - NAMED_WITHIN:
            continue
        if not Message.objects.filter(audio=name).exists():
            default_storage.delete(name)
            n_deleted += 1
    return n_deleted


def _files() -> Iterator[str]:
    if not default_storage.exists(FOLDER):
        return
    _, files = default_storage.listdir(FOLDER)
    for file in files:
        yield f"{FOLDER}/{file}"
