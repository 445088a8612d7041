"""The way to this database from the one before it, and back, with rows in it."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.timezone import now

from dashboard.models import DatasetVersion, SuiteVote
from dashboard.services import cards, drafts, links
from dashboard.services.access import Person, Role
from dashboard.services.suites import polls, votes
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DatasetVersionFactory,
    DiscordChannelFactory,
    DiscordTalkFactory,
    ExampleFactory,
    ProvenanceFactory,
    SuiteRunFactory,
    UserFactory,
    suite_version,
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


# A way to the beginning and back takes many seconds: what can share one does.
def test_examples_keep_their_versions_and_sources_on_the_way_to_the_beginning_and_back(
    forward_again,
):
    draft = drafts.copy(DatasetVersionFactory(n_examples=3), actor=None)
    drafts.remove(draft, chosen=[1], actor=None)
    version = DatasetVersionFactory(n_examples=2)
    said = ProvenanceFactory(source="discord_message", author="bob")
    ExampleFactory(version=version, position=9, provenance=said)

    apps = back_to("0001_initial")

    before = apps.get_model("dashboard", "DatasetVersion")._base_manager.get(pk=draft.pk)
    assert (before.n_examples, before.examples.count(), len(before.sha256)) == (2, 2, 64)
    rows = apps.get_model("dashboard", "Example").objects.filter(version_id=version.pk)
    assert [(row.source, row.author) for row in rows.order_by("position")] == [
        ("upload", "ann"),
        ("upload", "ann"),
        ("discord_message", "bob"),
    ]
    call_command("migrate", "dashboard", verbosity=0)
    # What had been a draft is a whole version now, and stays one.
    assert DatasetVersion.objects.get(pk=draft.pk).frozen_at is not None
    sources = [row.provenance.source for row in version.examples.order_by("position")]
    assert sources == ["upload", "upload", "discord_message"]


def test_what_was_decided_is_not_told_again_and_what_waits_stays_on_its_server(forward_again):
    old = CorrectionFactory(approved=True, message=AnswerFactory(discord_message_id=1))
    waiting = CorrectionFactory(message=AnswerFactory(discord_message_id=2))
    said = AnswerFactory(conversation=DiscordTalkFactory())
    waiting_there = CorrectionFactory(message=said)
    decided_there = CorrectionFactory(message=said, approved=True)

    back_to("0012_usage_and_seen_places")
    call_command("migrate", "dashboard", verbosity=0)

    assert cards.to_tell() == []
    for row in (old, waiting, waiting_there, decided_there):
        row.refresh_from_db()
    assert (old.told_state, waiting.told_state, waiting.told_at) == ("approved", "", None)
    assert waiting_there.guild == said.conversation.discord_channel.guild
    assert (decided_there.guild, waiting.guild) == (None, None)


def test_votes_of_polls_have_nobody_to_go_back_to_and_those_of_accounts_stay(forward_again):
    version = suite_version()
    runs = [SuiteRunFactory(version=version, rights=[is_right] * 4) for is_right in (True, False)]
    admin = UserFactory(admin=True)
    channel = DiscordChannelFactory()
    [poll] = polls.ask(*runs, channel_id=channel.pk, hours=1, n=1, actor=admin)
    polls.posted(poll.pk, message_id=7, ends_at=now())
    grace = UserFactory()
    ada = Person(role=Role.MEMBER, name="ada", discord_user_id=6)
    links.redeem(person=ada, code=links.make_code(grace))
    votes.keep_polled(poll, counts={"a": 2}, voters={"a": {6}})
    shown = votes.next_pair(*runs, voter=admin)
    votes.cast(shown.a.pk, shown.b.pk, choice="tie", voter=admin)

    apps = back_to("0029_taught_trainings")

    # What a linked account chose in the poll is a vote of the page's by then.
    polled, vote = apps.get_model("dashboard", "SuiteVote").objects.order_by("pk")
    assert (polled.voter_id, polled.poll_id, vote.voter_id) == (grace.pk, None, admin.pk)
    # Of a poll that was deleted then: nobody's now, and counted by no poll.
    nobodys = apps.get_model("dashboard", "SuiteVote")(
        first_id=vote.first_id,
        second_id=vote.second_id,
        choice="tie",
        discord_user_id=somebody(apps),
    )
    nobodys.save()
    call_command("migrate", "dashboard", verbosity=0)
    assert {row.voter for row in SuiteVote.objects.all()} == {admin, grace}


def somebody(apps) -> int:
    people = apps.get_model("dashboard", "DiscordUser")
    return people.objects.create(discord_user_id=5, name="ada").pk
