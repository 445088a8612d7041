"""The way to this database from the one before it, and back, with rows in it."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dashboard.models import DatasetVersion, Example
from dashboard.services import cards, drafts
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DatasetVersionFactory,
    DiscordTalkFactory,
    ExampleFactory,
    ProvenanceFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def forward_again():
    yield
    call_command("migrate", "dashboard", verbosity=0)


def back_to(name: str):
    executor = MigrationExecutor(connection)
    executor.migrate([("dashboard", name)])
    return executor.loader.project_state([("dashboard", name)]).apps


def test_a_draft_becomes_a_whole_version_on_the_way_back_and_stays_one(forward_again):
    draft = drafts.copy(DatasetVersionFactory(n_examples=3), actor=None)
    drafts.remove(draft, chosen=[1], actor=None)

    apps = back_to("0001_initial")

    before = apps.get_model("dashboard", "DatasetVersion")._base_manager.get(pk=draft.pk)
    assert (before.n_examples, before.examples.count(), len(before.sha256)) == (2, 2, 64)
    call_command("migrate", "dashboard", verbosity=0)
    assert DatasetVersion.objects.get(pk=draft.pk).frozen_at is not None


def test_rows_keep_their_sources_on_the_way_back_and_forth(forward_again):
    version = DatasetVersionFactory(n_examples=2)
    said = ProvenanceFactory(source="discord_message", author="bob")
    ExampleFactory(version=version, position=9, provenance=said)

    apps = back_to("0001_initial")

    rows = apps.get_model("dashboard", "Example").objects.order_by("position")
    assert [(row.source, row.author) for row in rows] == [
        ("upload", "ann"),
        ("upload", "ann"),
        ("discord_message", "bob"),
    ]
    call_command("migrate", "dashboard", verbosity=0)
    sources = [row.provenance.source for row in Example.objects.order_by("position")]
    assert sources == ["upload", "upload", "discord_message"]


def test_nobody_is_told_of_what_was_decided_before_the_bot_told_of_it(forward_again):
    old = CorrectionFactory(approved=True, message=AnswerFactory(discord_message_id=1))
    waiting = CorrectionFactory(message=AnswerFactory(discord_message_id=2))

    back_to("0012_usage_and_seen_places")
    call_command("migrate", "dashboard", verbosity=0)

    assert cards.to_tell() == []
    old.refresh_from_db()
    waiting.refresh_from_db()
    assert (old.told_state, waiting.told_state, waiting.told_at) == ("approved", "", None)


def test_what_waits_for_review_stays_on_its_server(forward_again):
    said = AnswerFactory(conversation=DiscordTalkFactory())
    waiting = CorrectionFactory(message=said)
    decided = CorrectionFactory(message=said, approved=True)
    taught = CorrectionFactory(message=AnswerFactory())
    back_to("0023_reviews_votes_and_steps")

    call_command("migrate", "dashboard", verbosity=0)

    for row in (waiting, decided, taught):
        row.refresh_from_db()
    assert waiting.guild == said.conversation.discord_channel.guild
    assert (decided.guild, taught.guild) == (None, None)
