"""What an admin sets for a server, a channel, a role, direct messages and a model's price."""

from datetime import date
from decimal import Decimal

import pytest

from dashboard.models import (
    Access,
    AuditEvent,
    GuildSettings,
    ModelPrice,
    OutboxEvent,
    PlaceSettings,
)
from dashboard.services import assistant, places
from dashboard.services.access import Role
from tests.factories import (
    AnswerFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordRoleFactory,
    DiscordUserFactory,
    GuildSettingsFactory,
    ModelPriceFactory,
    PlaceSettingsFactory,
    UsageFactory,
)

pytestmark = pytest.mark.django_db
EMPTY_PLACE = {
    "answers": "",
    "model": "",
    "system_prompt": "",
    "language": "",
    "temperature": "",
    "max_tokens": "",
}
NO_LIMITS = {
    "review_channel": "",
    "reviewers_needed": "1",
    "user_cooldown_s": "0",
    "guild_per_minute": "",
    "user_tokens": "",
    "user_cost_usd": "",
    "guild_tokens": "",
    "guild_cost_usd": "",
    "saving_model": "",
}


@pytest.fixture
def guild():
    return DiscordGuildFactory(name="City library")


@pytest.fixture
def at(guild):
    return f"/servers/{guild.pk}/"


def n_told() -> int:
    return OutboxEvent.objects.filter(topic="settings").count()


# --- the list ---------------------------------------------------------------------------
def test_without_a_server_the_list_says_how_one_appears(admin):
    page = admin.get("/servers/").content.decode()

    assert "A server appears here by itself" in page


def test_the_list_shows_each_server_with_what_is_used_of_its_budget(admin, guild):
    DiscordChannelFactory.create_batch(3, guild=guild)
    GuildSettingsFactory(guild=guild, guild_tokens=10_000)
    UsageFactory(guild=guild, n_answers=41, n_tokens=8_100)

    page = admin.get("/servers/").content.decode()

    assert "City library" in page
    assert "3 channels" in page
    assert "41 answers in" in page
    assert "8,100 of 10 k" in page


def test_the_list_is_searched_and_paged(admin):
    for number in range(30):
        DiscordGuildFactory(name=f"Library {number:02}")
    DiscordGuildFactory(name="Archive")

    first = admin.get("/servers/?q=library").content.decode()
    last = admin.get("/servers/?q=library&after=" + first.split(";after=")[1].split('"')[0])

    assert "Archive" not in first
    assert first.count("/servers/") > 25
    assert "Library 04" in last.content.decode()
    assert "Nothing matches" in admin.get("/servers/?q=zoo").content.decode()


def test_a_server_that_was_left_is_listed_as_such(admin, guild):
    guild.left_at = "2026-11-01T00:00Z"
    guild.save()

    assert ">left<" in admin.get("/servers/").content.decode()


# --- how it answers ---------------------------------------------------------------------
def test_what_is_saved_for_a_server_is_in_force_at_the_next_message(admin, guild, at):
    change = {"model": "big", "system_prompt": "Be kind.", "language": "ru-RU", "temperature": "0"}

    response = admin.post(f"{at}answers/", EMPTY_PLACE | change, follow=True)

    place = places.rules().place(guild.discord_guild_id)
    assert (place.model, place.system_prompt, place.language) == ("big", "Be kind.", "ru-RU")
    assert place.temperature == 0.0
    assert "in force on City library from the next message on" in response.content.decode()
    assert n_told() == 1
    assert AuditEvent.objects.filter(action="place.change").exists()


def test_what_is_empty_shows_what_is_in_force(admin, guild, at):
    assistant.use_model("everywhere-model", actor=None)
    channel = DiscordChannelFactory(guild=guild)
    PlaceSettingsFactory(guild=guild, system_prompt="You are the librarian.")

    of_guild = admin.get(at).content.decode()
    of_channel = admin.get(f"{at}channels/{channel.pk}/").content.decode()

    assert 'placeholder="everywhere-model"' in of_guild
    assert 'placeholder="everywhere-model"' in of_channel
    assert 'placeholder="You are the librarian."' in of_channel


def test_a_channel_has_settings_of_its_own_until_they_are_emptied(admin, guild, at):
    channel = DiscordChannelFactory(guild=guild)
    address = f"{at}channels/{channel.pk}/"

    admin.post(address, EMPTY_PLACE | {"model": "small", "max_tokens": "99"})
    place = places.rules().place(guild.discord_guild_id, channel.discord_channel_id)
    admin.post(address, EMPTY_PLACE)

    assert (place.model, place.max_tokens) == ("small", 99)
    assert not PlaceSettings.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": "3"},
        {"max_tokens": "0"},
        {"language": "Klingon, please"},
        {"answers": "some"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_beside_the_form(admin, at, change):
    response = admin.post(f"{at}answers/", EMPTY_PLACE | change)

    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert not PlaceSettings.objects.exists()


# --- limits -------------------------------------------------------------------------------
def test_limits_are_saved_and_counted_from_the_next_message(admin, guild, at):
    channel = DiscordChannelFactory(guild=guild)
    change = {
        "review_channel": str(channel.pk),
        "reviewers_needed": "3",
        "linked_only": "on",
        "user_cooldown_s": "2.5",
        "guild_per_minute": "30",
        "user_tokens": "1000",
        "guild_cost_usd": "12.50",
        "saving_model": "small",
    }

    admin.post(f"{at}limits/", NO_LIMITS | change)

    row = places.rules().guilds[guild.discord_guild_id]
    assert (row.review_channel, row.user_cooldown_s, row.guild_per_minute) == (channel, 2.5, 30)
    assert (row.user_tokens, row.guild_cost_usd) == (1000, Decimal("12.50"))
    assert (row.guild_tokens, row.saving_model, row.reviewers_needed) == (None, "small", 3)
    assert row.linked_only


@pytest.mark.parametrize("change", [{"user_cooldown_s": "-1"}, {"guild_cost_usd": "-0.01"}])
def test_a_limit_below_nothing_is_refused(admin, at, change):
    assert admin.post(f"{at}limits/", NO_LIMITS | change).status_code == 422
    assert not GuildSettings.objects.exists()


def test_only_channels_of_the_server_are_offered_for_review(admin, guild, at):
    stranger = DiscordChannelFactory(name="elsewhere")
    DiscordChannelFactory(guild=guild, name="review")
    DiscordChannelFactory(guild=guild, name="hall", kind="voice")

    page = admin.get(at).content.decode().split('name="review_channel"')[1].split("</select>")[0]
    refused = admin.post(f"{at}limits/", NO_LIMITS | {"review_channel": str(stranger.pk)})

    assert "#review" in page
    assert "#hall" not in page
    assert "elsewhere" not in page
    assert refused.status_code == 422


def test_the_page_shows_what_is_used_by_whom(admin, guild, at):
    GuildSettingsFactory(guild=guild, guild_cost_usd=Decimal(10), user_tokens=1000)
    UsageFactory(guild=guild, n_answers=3, n_tokens=2400, cost_usd=Decimal("9.5"))
    UsageFactory(guild=guild, discord_user=DiscordUserFactory(name="Ada"), n_tokens=1100)
    UsageFactory(guild=guild, discord_user=DiscordUserFactory(name="Bob"), month=date(2020, 1, 1))

    page = admin.get(at).content.decode()

    assert "$9.50 of $10.00" in page
    assert "the cheaper model answers" in page
    assert "Ada" in page
    assert "Bob" not in page
    assert "No price is known" in page


# --- roles and channels ---------------------------------------------------------------------
def test_a_role_is_changed_in_its_row(admin, guild, at):
    role = DiscordRoleFactory(guild=guild, name="staff")

    row = admin.post(f"{at}roles/{role.pk}/", {"grants": "trainer", "access": "allow"})

    assert places.rules().role(guild.discord_guild_id, [role.discord_role_id]) is Role.TRAINER
    assert 'role="status">saved' in row.content.decode()
    assert row.content.decode().strip().startswith("<li")


def test_a_channel_is_denied_in_its_row(admin, guild, at):
    channel = DiscordChannelFactory(guild=guild)

    admin.post(f"{at}channels/{channel.pk}/access/", {"access": "deny"})

    channel.refresh_from_db()
    assert channel.access == Access.DENY
    assert n_told() == 1


@pytest.mark.parametrize("change", [{"grants": "owner"}, {"access": "maybe"}])
def test_a_role_cannot_be_what_there_is_not(admin, guild, at, change):
    role = DiscordRoleFactory(guild=guild)

    response = admin.post(f"{at}roles/{role.pk}/", change)

    role.refresh_from_db()
    assert response.status_code == 400
    assert (role.grants, role.access) == ("", "")


def test_rows_of_another_server_are_not_found_here(admin, at):
    role, channel = DiscordRoleFactory(), DiscordChannelFactory()

    assert admin.post(f"{at}roles/{role.pk}/", {"grants": "admin"}).status_code == 404
    assert admin.post(f"{at}channels/{channel.pk}/access/", {}).status_code == 404
    assert admin.get(f"{at}channels/{channel.pk}/").status_code == 404


def test_what_was_deleted_on_discord_shows_only_while_it_counts(admin, guild, at):
    gone = {"guild": guild, "gone_at": "2026-11-01T00:00Z"}
    DiscordRoleFactory(name="forgotten", **gone)
    DiscordRoleFactory(name="banned", access="deny", **gone)
    DiscordChannelFactory(name="empty-room", **gone)
    DiscordChannelFactory(name="old-desk", access="allow", **gone)

    page = admin.get(at).content.decode()

    assert "forgotten" not in page
    assert "empty-room" not in page
    assert "@banned" in page
    assert "#old-desk" in page
    assert page.count("deleted on Discord") == 2


# --- direct messages --------------------------------------------------------------------------
def test_direct_messages_have_limits_of_their_own(admin):
    admin.post("/servers/direct/", {"direct_cooldown_s": "3", "direct_tokens": "500"})

    row = assistant.current()
    assert (row.answers_direct, row.direct_cooldown_s, row.direct_tokens) == (False, 3.0, 500)
    assert ">off<" in admin.get("/servers/").content.decode()


def test_a_wait_below_nothing_is_refused(admin):
    assert admin.post("/servers/direct/", {"direct_cooldown_s": "-3"}).status_code == 422


# --- prices -----------------------------------------------------------------------------------
def test_a_price_is_entered_and_removed(admin):
    price = {"model": "big", "prompt_usd": "2.50", "completion_usd": "10"}

    admin.post("/models/price/", price)
    page = admin.get("/models/").content.decode()
    admin.post("/models/price/remove/", {"model": "big"})

    assert "$2.50" in page
    assert "$10.00" in page
    assert not ModelPrice.objects.exists()
    assert n_told() == 2


def test_a_new_price_replaces_the_old_one(admin):
    ModelPriceFactory(model="big")

    admin.post("/models/price/", {"model": "big", "prompt_usd": "7", "completion_usd": "0"})

    assert ModelPrice.objects.get().prompt_usd == 7


@pytest.mark.parametrize("change", [{"prompt_usd": "-1"}, {"completion_usd": "x"}, {"model": ""}])
def test_a_price_that_is_none_is_refused(admin, change):
    price = {"model": "big", "prompt_usd": "2.50", "completion_usd": "10"} | change

    assert admin.post("/models/price/", price).status_code == 422
    assert not ModelPrice.objects.exists()


def test_trainers_see_prices_and_do_not_change_them(trainer):
    ModelPriceFactory(model="big")

    page = trainer.get("/models/").content.decode()

    assert "$4.00" in page
    assert "Set price" not in page


def test_why_an_answer_was_given_tells_what_it_cost(admin):
    answer = AnswerFactory(cost_usd=Decimal("0.00175"))

    assert "$0.00175" in admin.get(f"/answers/{answer.pk}/").content.decode()
