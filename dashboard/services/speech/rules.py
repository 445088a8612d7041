"""Who hears and who speaks in a guild, in which language: read at each use, so in force at once."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from dashboard.models import DiscordGuild, DiscordUser, Utterance, VoiceSettings
from dashboard.services import audit, outbox, providers
from dashboard.services.access import Person
from dashboard.services.places import TOPIC, Place
from trainerbot.errors import InvalidInput
from trainerbot.speech.registry import RECOGNIZERS, SYNTHESIZERS

OPENAI: Final = "openai"
"""The configured OpenAI-compatible endpoint; all other names are providers of our own server."""

MOST_IN_CHAIN: Final = 8
AUDITED_CHARACTERS: Final = 200


def recognizers() -> tuple[str, ...]:
    """The names that a chain of those who hear may hold."""
    return (OPENAI, *RECOGNIZERS)


def synthesizers() -> tuple[str, ...]:
    """The names that a chain of those who speak may hold."""
    return (OPENAI, *SYNTHESIZERS)


def language_for(person: DiscordUser | None, place: Place | None = None) -> str:
    """The language in which somebody is heard and spoken to: theirs, the place's, else the setting."""
    own = person.language if person is not None else ""
    return own or (place.language if place is not None else "") or settings.SPEECH_LANGUAGE


def settings_of(discord_guild_id: int | None) -> VoiceSettings:
    """The voice settings of a guild, by Discord's id; new ones with all defaults where none are.

    New ones belong to the guild's row, if there is one, and are not stored.
    """
    if discord_guild_id is None:
        return VoiceSettings()
    row = (
        VoiceSettings.objects.select_related("guild")
        .filter(guild__discord_guild_id=discord_guild_id)
        .first()
    )
    if row is not None:
        return row
    guild = DiscordGuild.objects.filter(discord_guild_id=discord_guild_id).first()
    return VoiceSettings(guild=guild) if guild is not None else VoiceSettings()


def hearing_chain(row: VoiceSettings) -> list[str]:
    """Who hears in a guild, first choice first."""
    return list(row.recognizers) or list(settings.SPEECH_RECOGNIZERS)


def hears_elsewhere(row: VoiceSettings) -> list[str]:
    """Who on other machines may be sent what is said in a guild, in words for people."""
    elsewhere = []
    for name in hearing_chain(row):
        if name == "google":
            elsewhere.append("Google")
        elif name == OPENAI:
            endpoint = providers.speech_elsewhere()
            if endpoint is not None and not endpoint.is_loopback:
                elsewhere.append(endpoint.address)
    return elsewhere


def speaking_chain(row: VoiceSettings) -> list[str]:
    """Who speaks in a guild, first choice first."""
    return list(row.synthesizers) or list(settings.SPEECH_SYNTHESIZERS)


@transaction.atomic
def save_settings(changed: VoiceSettings, *, actor: User | Person | None) -> VoiceSettings:
    """Put the voice settings of a guild in force. Raises InvalidInput, in words, for a bad value."""
    # Who comes second waits here until the first has committed.
    DiscordGuild.objects.select_for_update().filter(pk=changed.guild_id).first()
    stored = VoiceSettings.objects.filter(guild=changed.guild_id).first()
    if stored is not None and changed._state.adding:
        # Two admins had opened an empty form; the later of them has their way.
        changed.pk = stored.pk
        changed._state.adding = False
    changed.recognizers = _chain(changed.recognizers, recognizers(), "hear")
    changed.synthesizers = _chain(changed.synthesizers, synthesizers(), "speak")
    changed.voice = " ".join(changed.voice.split())
    changed.wake_name = " ".join(changed.wake_name.split())
    try:
        changed.full_clean()
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error
    changes = _changes(changed, stored)
    changed.save()
    _shorten_keeping(changed)
    audit.record(actor, "voice.change", f"guild {changed.guild_id}", **changes)
    outbox.publish(TOPIC, "settings.changed")
    return changed


def _shorten_keeping(row: VoiceSettings) -> None:
    """Let no recording of a guild stay longer than its settings now say."""
    until = F("created_at") + timedelta(days=row.keeps_audio_days)
    Utterance.objects.filter(
        message__conversation__discord_channel__guild=row.guild_id, audio_until__gt=until
    ).update(audio_until=until)


def _chain(names: object, known: tuple[str, ...], what: str) -> list[str]:
    """Return a chain without doubles. Raises InvalidInput for a name that is none."""
    if not isinstance(names, list | tuple) or len(names) > MOST_IN_CHAIN:
        raise InvalidInput(f"Name at most {MOST_IN_CHAIN} of those who {what}, first choice first.")
    for name in names:
        if name not in known:
            raise InvalidInput(f"Those who can {what} are {', '.join(known)}.")
    return list(dict.fromkeys(names))


def _changes(row: VoiceSettings, stored: VoiceSettings | None) -> dict[str, str]:
    """What `row` changes, for the audit log."""
    before = stored or VoiceSettings()
    return {
        field.attname: str(getattr(row, field.attname))[:AUDITED_CHARACTERS]
        for field in row._meta.concrete_fields
        if field.name not in ("id", "guild", "updated_at")
        and getattr(row, field.attname) != getattr(before, field.attname)
    }
