"""Who may be listened to, and how long recordings stay."""

import os
import time
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.utils.timezone import now

from dashboard.models import AuditEvent, DiscordUser, Message, Utterance
from dashboard.services import consent, conversations, privacy, speech, utterances
from dashboard.services.access import Person, Role
from dashboard.services.speech import spoken
from dashboard.services.utterances import Sound
from tests.factories import QuestionFactory
from tests.fakes.speech import tone
from trainerbot.errors import NotAllowed, NotFound

pytestmark = pytest.mark.django_db
ADA = Person(Role.MEMBER, "ada", discord_user_id=7)


@pytest.fixture(autouse=True)
def no_recordings_of_another_test():
    for name in consent._files():
        default_storage.delete(name)


@pytest.fixture
def talk():
    return conversations.for_discord(
        guild_id=1,
        guild_name="Testers",
        channel_id=11,
        channel_name="general",
        discord_user_id=7,
        user_name="ada",
    )


def said(talk, text: str = "hello") -> Utterance:
    question = QuestionFactory(conversation=talk, content=text)
    return utterances.log_sound(
        question=question, person=talk.discord_user, sound=Sound(text, "ru-RU", "google")
    )


def keep_for(talk, days: int) -> None:
    row = speech.settings_of(1)
    row.keeps_audio_days = days
    speech.save_settings(row, actor=None)


def recorded(talk, *, days: int = 3) -> tuple[Utterance, str]:
    keep_for(talk, days)
    utterance = said(talk)
    assert consent.keep_recording(utterance, b"OggS", ending="ogg", days=days)
    utterance.refresh_from_db()
    return utterance, utterance.message.audio.name


# --- listening ---------------------------------------------------------------------------
def test_whoever_said_nothing_is_heard_and_whoever_says_no_is_not(talk):
    assert consent.is_heard(7)
    assert consent.is_heard(8)  # nobody whom the bot knows

    consent.set_heard(ADA, False)

    assert not consent.is_heard(7)
    assert AuditEvent.objects.get(action="consent.change").detail["heard"] is False
    consent.set_heard(ADA, True)
    assert consent.is_heard(7)


def test_who_was_never_met_may_say_no_first():
    consent.set_heard(ADA, False)

    assert not consent.is_heard(7)


def test_only_people_on_discord_can_say_so():
    with pytest.raises(NotAllowed, match="Only people on Discord"):
        consent.set_heard(Person(Role.ADMIN, "admin"), False)


# --- keeping -----------------------------------------------------------------------------
def test_a_recording_is_kept_only_where_its_server_keeps_any_and_its_speaker_lets_it(talk):
    assert consent.keeps_days(guild_id=1, discord_user_id=7) == 0
    keep_for(talk, 3)

    assert consent.keeps_days(guild_id=1, discord_user_id=7) == 3
    assert consent.keeps_days(guild_id=None, discord_user_id=7) == 0
    assert consent.keeps_days(guild_id=2, discord_user_id=7) == 0
    consent.set_heard(ADA, False)
    assert consent.keeps_days(guild_id=1, discord_user_id=7) == 0


def test_a_recording_stays_until_its_days_are_over(talk, django_capture_on_commit_callbacks):
    old, old_name = recorded(talk, days=1)
    _, new_name = recorded(talk, days=3)
    Utterance.objects.filter(pk=old.pk).update(audio_until=now())

    with django_capture_on_commit_callbacks(execute=True):
        n_deleted = consent.prune_recordings()

    assert n_deleted == 1
    assert not default_storage.exists(old_name)
    assert default_storage.exists(new_name)
    old.refresh_from_db()
    assert (old.message.audio.name, old.audio_until, old.text) == ("", None, "hello")


def test_where_the_question_is_gone_nothing_is_kept(talk):
    utterance = said(talk)
    Message.objects.all().delete()

    assert not consent.keep_recording(utterance, b"OggS", ending="ogg", days=3)
    assert list(consent._files()) == []


def test_whoever_said_no_while_it_was_made_ready_leaves_no_recording(talk):
    keep_for(talk, 3)
    days = consent.keeps_days(guild_id=1, discord_user_id=7)
    utterance = said(talk)
    consent.set_heard(ADA, False)

    assert not consent.keep_recording(utterance, b"OggS", ending="ogg", days=days)

    assert Message.objects.get(pk=utterance.message_id).audio.name == ""
    assert list(consent._files()) == []


def test_a_server_that_said_no_while_it_was_made_ready_keeps_no_recording(talk):
    keep_for(talk, 3)
    days = consent.keeps_days(guild_id=1, discord_user_id=7)
    utterance = said(talk)
    keep_for(talk, 0)

    assert not consent.keep_recording(utterance, b"OggS", ending="ogg", days=days)

    assert list(consent._files()) == []


def test_a_file_that_no_row_names_is_swept_away(talk):
    _, kept = recorded(talk)
    orphan = default_storage.save("audio/orphan.ogg", ContentFile(b"OggS"))
    fresh = default_storage.save("audio/fresh.ogg", ContentFile(b"OggS"))
    hours_ago = time.time() - 7_200
    for name in (orphan, kept):
        os.utime(default_storage.path(name), (hours_ago, hours_ago))

    assert consent.prune_recordings() == 1

    assert [default_storage.exists(name) for name in (orphan, kept, fresh)] == [False, True, True]


def test_a_server_that_keeps_them_for_less_time_keeps_none_for_longer(talk):
    keep_for(talk, 30)
    utterance, _ = recorded(talk, days=30)

    keep_for(talk, 2)

    utterance.refresh_from_db()
    assert utterance.audio_until == utterance.created_at + timedelta(days=2)


# --- deleting ------------------------------------------------------------------------------
def test_whoever_says_no_has_their_recordings_deleted_at_once(
    talk, django_capture_on_commit_callbacks
):
    utterance, name = recorded(talk)

    with django_capture_on_commit_callbacks(execute=True):
        n_deleted = consent.set_heard(ADA, False)

    assert n_deleted == 1
    assert not default_storage.exists(name)
    assert Utterance.objects.get(pk=utterance.pk).text == "hello"


def test_what_was_said_aloud_is_counted_handed_out_and_erased(
    talk, django_capture_on_commit_callbacks
):
    _, name = recorded(talk)
    spoken.keep(spoken.Key("espeak", "", "ru", "hello"), tone(0.1), asked_at=time.time())
    found = privacy.stored(7)
    assert (found.n_utterances, found.n_recordings, found.is_heard) == (1, 1, True)
    assert '"said_aloud": [\n  {\n   "text": "hello"' in privacy.export(7)

    with django_capture_on_commit_callbacks(execute=True):
        receipt = privacy.erase(7, corrections_too=False)

    assert (receipt.n_utterances, receipt.n_recordings) == (1, 1)
    assert not default_storage.exists(name)
    assert not Utterance.objects.exists()
    assert not DiscordUser.objects.exists()
    assert spoken.find(spoken.Key("espeak", "", "ru", "hello")) is None


def test_that_somebody_does_not_want_to_be_heard_outlives_their_rows(talk):
    said(talk)
    consent.set_heard(ADA, False)

    receipt = privacy.erase(7, corrections_too=False)
    privacy.forget_leftovers()

    assert receipt.keeps_refusal
    assert not consent.is_heard(7)
    assert not Utterance.objects.exists()
    with pytest.raises(NotFound):
        privacy.stored(7)
    consent.set_heard(ADA, True)
    assert privacy.forget_leftovers() == 1


def test_a_row_that_cannot_be_written_leaves_no_recording(talk):
    keep_for(talk, 3)
    utterance = said(talk)

    def refuse_updates(execute, sql, params, many, context):
        if sql.startswith("UPDATE"):
            raise DatabaseError("disk I/O error")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse_updates), pytest.raises(DatabaseError):
        consent.keep_recording(utterance, b"OggS", ending="ogg", days=3)

    assert list(consent._files()) == []
