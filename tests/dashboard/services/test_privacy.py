"""What erasing leaves, and what it must not leave."""

import datetime

import pytest
from django.core.files.base import ContentFile
from django.utils.timezone import now

from dashboard.models import (
    AuditEvent,
    DiscordRequest,
    DiscordUser,
    GuildSettings,
    Message,
    Source,
    Usage,
)
from dashboard.services import conversations, places, privacy
from tests.factories import AnswerFactory, QuestionFactory
from trainerbot.errors import NotFound

pytestmark = pytest.mark.django_db
THIS_MONTH = now().date().replace(day=1)
LAST_MONTH = (THIS_MONTH - datetime.timedelta(days=1)).replace(day=1)


@pytest.fixture
def talk():
    talk = conversations.for_discord(
        guild_id=1,
        guild_name="Testers",
        channel_id=11,
        channel_name="general",
        discord_user_id=7,
        user_name="ada",
    )
    question = QuestionFactory(conversation=talk, source=Source.DISCORD, content="my secret")
    AnswerFactory(conversation=talk, reply_to=question, source=Source.DISCORD)
    return talk


def used(talk, month) -> Usage:
    return Usage.objects.create(
        key=f"{month:%Y-%m}:g1:u7",
        month=month,
        guild=talk.discord_channel.guild,
        discord_user=talk.discord_user,
        n_tokens=900,
    )


def limit(talk) -> None:
    guild = talk.discord_channel.guild
    places.save_guild(GuildSettings(guild=guild, user_tokens=1_000), actor=None)


def test_nothing_of_a_person_is_left(talk):
    used(talk, THIS_MONTH)

    receipt = privacy.erase(7, corrections_too=False)

    assert (receipt.n_conversations, receipt.n_messages) == (1, 2)
    assert not DiscordUser.objects.exists()
    assert not Message.objects.exists()
    assert not Usage.objects.exists()
    with pytest.raises(NotFound, match="Nothing is stored"):
        privacy.stored(7)


def test_erasing_is_no_way_around_a_budget(talk):
    limit(talk)
    old, new = used(talk, LAST_MONTH), used(talk, THIS_MONTH)

    receipt = privacy.erase(7, corrections_too=False)

    assert receipt.keeps_usage
    assert list(Usage.objects.values_list("pk", flat=True)) == [new.pk]
    assert not Usage.objects.filter(pk=old.pk).exists()
    person = DiscordUser.objects.get()
    assert (person.name, person.language) == ("", "")
    with pytest.raises(NotFound):
        privacy.stored(7)


def test_what_a_budget_kept_goes_once_its_month_is_over(talk):
    limit(talk)
    usage = used(talk, THIS_MONTH)
    privacy.erase(7, corrections_too=False)
    assert privacy.forget_leftovers() == 0

    Usage.objects.filter(pk=usage.pk).update(month=LAST_MONTH)

    assert privacy.forget_leftovers() == 1
    assert not DiscordUser.objects.exists()
    assert not Usage.objects.exists()


def test_the_receipt_in_the_audit_log_names_nobody(talk):
    receipt = privacy.erase(7, corrections_too=False)

    [event] = AuditEvent.objects.filter(action="privacy.erase")
    assert event.target == f"receipt {receipt.number}"
    assert event.actor_name == "a person on Discord"
    assert set(event.detail) == {
        "n_conversations",
        "n_messages",
        "n_feedback",
        "n_corrections",
        "n_kept",
        "keeps_usage",
        "n_utterances",
        "n_recordings",
        "keeps_refusal",
    }


def test_two_receipts_have_two_numbers(talk):
    first = privacy.erase(7, corrections_too=False)
    DiscordUser.objects.create(discord_user_id=7, name="ada")

    assert privacy.erase(7, corrections_too=False).number != first.number


@pytest.mark.django_db(transaction=True)
def test_what_was_spoken_is_deleted_with_its_rows(talk, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    message = Message.objects.filter(role="user").get()
    message.audio.save("words.ogg", ContentFile(b"OggS"))
    assert [path.name for path in tmp_path.rglob("*.ogg")] == ["words.ogg"]

    privacy.erase(7, corrections_too=False)

    assert list(tmp_path.rglob("*.ogg")) == []


def test_long_commands_go_and_those_under_way_lose_the_name(talk):
    place = {"discord_channel_id": 11, "discord_user": talk.discord_user, "asker_name": "ada"}
    DiscordRequest.objects.create(kind="train", discord_message_id=1, told_at=now(), **place)
    under_way = DiscordRequest.objects.create(kind="train", discord_message_id=2, **place)
    assert "train" in privacy.export(7)

    privacy.erase(7, corrections_too=False)

    assert list(DiscordRequest.objects.values_list("pk", "asker_name")) == [
        (under_way.pk, "someone")
    ]
