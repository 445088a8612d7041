import pytest

from dashboard.models import (
    Access,
    AuditEvent,
    DiscordChannel,
    DiscordGuild,
    DiscordRole,
    GuildSettings,
    PlaceSettings,
)
from dashboard.services import places
from dashboard.services.access import Role
from trainerbot.errors import InvalidInput, NotAllowed

pytestmark = pytest.mark.django_db
GUILD, CHANNEL, THREAD, ROLE = 7, 70, 700, 77


@pytest.fixture
def guild() -> DiscordGuild:
    return places.guild(GUILD, "The library")


@pytest.fixture
def channel(guild: DiscordGuild) -> DiscordChannel:
    return DiscordChannel.objects.create(discord_channel_id=CHANNEL, guild=guild, name="desk")


@pytest.fixture
def role(guild: DiscordGuild) -> DiscordRole:
    return DiscordRole.objects.create(guild=guild, discord_role_id=ROLE, name="librarian")


def test_what_a_channel_leaves_empty_comes_from_its_guild(
    guild: DiscordGuild, channel: DiscordChannel
) -> None:
    places.save_place(PlaceSettings(guild=guild, model="big", language="ru-RU"), actor=None)
    places.save_place(PlaceSettings(guild=guild, channel=channel, model="small"), actor=None)

    place = places.rules().place(GUILD, THREAD, CHANNEL)

    assert (place.model, place.language) == ("small", "ru-RU")


def test_two_admins_who_set_the_same_channel_at_once_are_both_heard(
    guild: DiscordGuild, channel: DiscordChannel
) -> None:
    ada, bob = (PlaceSettings(guild=guild, channel=channel) for _ in range(2))
    ada.model, bob.model = "big", "small"

    places.save_place(ada, actor=None)
    places.save_place(bob, actor=None)

    assert PlaceSettings.objects.get().model == "small"


def test_a_channel_set_while_another_admin_clears_it_is_set(
    guild: DiscordGuild, channel: DiscordChannel
) -> None:
    places.save_place(PlaceSettings(guild=guild, channel=channel, model="big"), actor=None)
    opened, cleared = (PlaceSettings.objects.get() for _ in range(2))
    opened.model, cleared.model = "small", ""

    places.save_place(cleared, actor=None)
    places.save_place(opened, actor=None)

    assert PlaceSettings.objects.get().model == "small"


def test_two_admins_who_set_the_limits_of_a_server_at_once_are_both_heard(
    guild: DiscordGuild,
) -> None:
    ada, bob = GuildSettings(guild=guild, user_tokens=5), GuildSettings(guild=guild, user_tokens=6)

    places.save_guild(ada, actor=None)
    places.save_guild(bob, actor=None)

    assert GuildSettings.objects.get().user_tokens == 6


def test_what_is_no_grant_or_list_is_refused_in_plain_words(
    role: DiscordRole, channel: DiscordChannel
) -> None:
    with pytest.raises(InvalidInput, match="members, trainers or admins"):
        places.save_role(role, grants="god" * 9_999, access="", actor=None)
    with pytest.raises(InvalidInput, match="allowed, denied or neither"):
        places.save_access(channel, access="perhaps", actor=None)

    assert not AuditEvent.objects.exists()


def test_a_direct_message_is_answered_as_everywhere() -> None:
    assert places.rules().place(None, 1).answers == PlaceSettings.Answers.ADDRESSED


def test_a_change_is_in_force_at_the_next_look(guild: DiscordGuild) -> None:
    before = places.rules().place(GUILD).model

    places.save_place(PlaceSettings(guild=guild, model="big"), actor=None)

    assert (before, places.rules().place(GUILD).model) == ("", "big")


def test_discords_roles_count_in_their_own_guild_only(role: DiscordRole) -> None:
    places.save_role(role, grants="trainer", access="", actor=None)

    rules = places.rules()

    assert rules.role(GUILD, [ROLE]) is Role.TRAINER
    assert rules.role(GUILD, [1]) is Role.MEMBER
    assert rules.role(8, [ROLE]) is Role.MEMBER
    assert rules.role(None, []) is Role.MEMBER


def test_where_one_channel_is_allowed_the_others_are_not(channel: DiscordChannel) -> None:
    places.save_access(channel, access=Access.ALLOW, actor=None)
    rules = places.rules()

    rules.check_listens(GUILD, [THREAD, CHANNEL], [])

    with pytest.raises(NotAllowed, match="do not answer in this channel"):
        rules.check_listens(GUILD, [71], [])


def test_a_denied_role_is_not_answered(role: DiscordRole) -> None:
    places.save_role(role, grants="", access=Access.DENY, actor=None)

    with pytest.raises(NotAllowed, match="not opened me to your role"):
        places.rules().check_listens(GUILD, [CHANNEL], [ROLE])


def test_a_review_channel_of_another_server_is_refused(channel: DiscordChannel) -> None:
    other = places.guild(8, "Elsewhere")

    with pytest.raises(InvalidInput, match="another server"):
        places.save_guild(GuildSettings(guild=other, review_channel=channel), actor=None)


def test_the_audit_log_keeps_what_was_changed(guild: DiscordGuild) -> None:
    row = places.save_place(
        PlaceSettings(guild=guild, model="big", system_prompt="x" * 900), actor=None
    )
    row.model, row.temperature = "", 0.5
    places.save_place(row, actor=None)
    places.save_guild(GuildSettings(guild=guild, user_tokens=5), actor=None)

    kept = AuditEvent.objects.filter(action="place.change").order_by("pk")
    assert [event.detail for event in kept] == [
        {"model": "big", "system_prompt": "x" * 200},
        {"model": "", "temperature": "0.5"},
        {"user_tokens": "5"},
    ]


def test_settings_that_are_emptied_leave_no_row(guild: DiscordGuild) -> None:
    row = places.save_place(PlaceSettings(guild=guild, model="big"), actor=None)
    row.model = ""

    places.save_place(row, actor=None)

    assert not PlaceSettings.objects.exists()
    assert places.rules().place(GUILD).model == ""


@pytest.mark.parametrize("language", ["ru-RU", "en", "zh-Hant-TW", ""])
def test_language_tags_are_taken(guild: DiscordGuild, language: str) -> None:
    places.save_place(PlaceSettings(guild=guild, model="x", language=language), actor=None)

    assert places.rules().place(GUILD).language == language


@pytest.mark.parametrize("language", ["Russian, please", "r", "../etc", "en_US"])
def test_what_is_no_language_tag_is_refused(guild: DiscordGuild, language: str) -> None:
    with pytest.raises(InvalidInput, match="A language tag looks like"):
        places.save_place(PlaceSettings(guild=guild, language=language), actor=None)
