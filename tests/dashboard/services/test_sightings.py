"""What the bot sees of Discord becomes rows, and nothing that was set is lost."""

from dataclasses import replace

import pytest

from dashboard.models import (
    Access,
    DiscordChannel,
    DiscordGuild,
    DiscordRole,
    OutboxEvent,
    PlaceSettings,
)
from dashboard.services import places, sightings
from dashboard.services.sightings import SeenChannel, SeenGuild, SeenRole
from tests.factories import DiscordGuildFactory, DiscordTalkFactory
from trainerbot.errors import NotAllowed

pytestmark = pytest.mark.django_db

DESK = SeenChannel(70, "desk", "text", "Ground floor", 0)
HALL = SeenChannel(71, "hall", "voice", "", 1)
STAFF = SeenRole(77, "staff", 2)
LIBRARY = SeenGuild(
    7, "The library", roles=(SeenRole(7, "@everyone", 0), STAFF), channels=(DESK, HALL)
)


def channel(key: int) -> DiscordChannel:
    return DiscordChannel.objects.get(discord_channel_id=key)


def n_told() -> int:
    return OutboxEvent.objects.filter(topic="places").count()


def test_a_guild_that_is_seen_becomes_rows():
    assert sightings.seen(LIBRARY)

    guild = DiscordGuild.objects.get(discord_guild_id=7)
    assert guild.name == "The library"
    assert [str(role) for role in guild.roles.all()] == ["@staff", "@everyone"]
    assert set(guild.channels.values_list("name", "kind", "category", "position")) == {
        ("desk", "text", "Ground floor", 0),
        ("hall", "voice", "", 1),
    }


def test_what_has_not_changed_is_not_written(django_assert_num_queries):
    sightings.seen(LIBRARY)

    with django_assert_num_queries(5):  # three reads, between begin and end of a transaction
        changed = sightings.seen(LIBRARY)

    assert (changed, n_told()) == (False, 1)


def test_new_names_are_kept():
    sightings.seen(LIBRARY)

    renamed = replace(LIBRARY, name="The archive", channels=(replace(DESK, name="counter"), HALL))
    assert sightings.seen(renamed)

    assert DiscordGuild.objects.get().name == "The archive"
    assert (channel(70).name, n_told()) == ("counter", 2)


def test_a_channel_that_was_deleted_is_marked_and_comes_back():
    sightings.seen(LIBRARY)

    sightings.seen(replace(LIBRARY, channels=(HALL,)))
    gone = channel(70).gone_at
    sightings.seen(LIBRARY)

    assert gone is not None
    assert channel(70).gone_at is None


def test_that_the_one_allowed_channel_was_deleted_does_not_open_the_others():
    sightings.seen(LIBRARY)
    places.save_access(channel(70), access=Access.ALLOW, actor=None)

    sightings.seen(replace(LIBRARY, channels=(HALL,)))

    with pytest.raises(NotAllowed):
        places.rules().check_listens(7, [71], [])


def test_a_role_that_was_deleted_keeps_what_was_set():
    sightings.seen(LIBRARY)
    places.save_role(
        DiscordRole.objects.get(discord_role_id=77), grants="trainer", access="", actor=None
    )

    sightings.seen(replace(LIBRARY, roles=()))

    row = DiscordRole.objects.get(discord_role_id=77)
    assert (row.grants, row.gone_at is None) == ("trainer", False)


def test_a_channel_that_was_spoken_in_first_is_the_same_row():
    talk = DiscordTalkFactory(
        discord_channel__discord_channel_id=70,
        discord_channel__kind="",
        discord_channel__guild=None,
    )

    sightings.seen(LIBRARY)

    assert channel(70).pk == talk.discord_channel_id
    assert str(channel(70).guild) == "The library"


def test_a_thread_is_not_taken_for_a_channel_that_was_deleted():
    sightings.seen(LIBRARY)
    thread = DiscordTalkFactory(
        discord_channel__kind="", discord_channel__guild=DiscordGuild.objects.get()
    ).discord_channel

    sightings.seen(replace(LIBRARY, name="Renamed"))

    thread.refresh_from_db()
    assert thread.gone_at is None


def test_a_guild_that_was_left_keeps_its_settings_for_the_return():
    sightings.seen(LIBRARY)
    guild = DiscordGuild.objects.get()
    places.save_place(PlaceSettings(guild=guild, model="big"), actor=None)

    sightings.left(7)
    guild.refresh_from_db()
    assert guild.left_at is not None
    sightings.seen(LIBRARY)

    guild.refresh_from_db()
    assert guild.left_at is None
    assert places.rules().place(7).model == "big"


def test_guilds_that_were_left_meanwhile_are_marked_each_by_its_own_shard():
    here, left = (
        DiscordGuildFactory(discord_guild_id=0),
        DiscordGuildFactory(discord_guild_id=8 << 22),
    )
    elsewhere = DiscordGuildFactory(discord_guild_id=9 << 22)

    sightings.only_in([0], shard_ids=[0], n_shards=2)

    for row in (here, left, elsewhere):
        row.refresh_from_db()
    assert [row.left_at is None for row in (here, left, elsewhere)] == [True, False, True]
