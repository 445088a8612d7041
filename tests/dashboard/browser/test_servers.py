"""The servers' pages in a real browser: rows that save themselves, and news from the bot."""

import pytest
from playwright.sync_api import expect

from dashboard.models import DiscordChannel, DiscordRole, PlaceSettings
from dashboard.services import sightings
from dashboard.services.sightings import SeenChannel, SeenGuild, SeenRole
from tests.dashboard.browser.conftest import another_page
from tests.factories import (
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordRoleFactory,
    UserFactory,
)


@pytest.fixture
def guild(server):
    return DiscordGuildFactory(name="City library")


def test_a_role_becomes_trainer_in_its_row(open_page, guild):
    role = DiscordRoleFactory(guild=guild, name="staff")
    page = open_page(f"/servers/{guild.pk}/", user=UserFactory(admin=True))

    page.get_by_label("What holders of @staff are").select_option("Trainers")
    row = page.locator(f"#role-{role.pk}")
    expect(row.get_by_role("status")).to_have_text("saved")
    # The word from before still stands there, so the answer itself is waited for.
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.get_by_label("Whether holders of @staff are answered").select_option("Denied")
    expect(row.get_by_role("status")).to_have_text("saved")

    page.reload()
    expect(page.get_by_label("Whether holders of @staff are answered")).to_have_value("deny")
    expect(page.get_by_label("What holders of @staff are")).to_have_value("trainer")


def test_a_row_that_comes_in_takes_the_next_choice_at_once(open_page, guild):
    role = DiscordRoleFactory(guild=guild, name="staff")
    page = open_page(f"/servers/{guild.pk}/", user=UserFactory(admin=True))
    page.evaluate(
        """row => new MutationObserver((_, watch) => {
          if (!document.querySelector(`#${row} [role=status]`)) return;
          watch.disconnect();
          const select = document.getElementById(`${row}-access`);
          select.value = "deny";
          select.dispatchEvent(new Event("change", { bubbles: true }));
        }).observe(document.body, { childList: true, subtree: true })""",
        f"role-{role.pk}",
    )

    with page.expect_response(lambda answer: "access=deny" in (answer.request.post_data or "")):
        page.get_by_label("What holders of @staff are").select_option("Trainers")

    role.refresh_from_db()
    assert (role.grants, role.access) == ("trainer", "deny")


def test_a_channel_is_denied_in_its_row_and_keeps_the_focus(open_page, guild):
    channel = DiscordChannelFactory(guild=guild, name="rules")
    page = open_page(f"/servers/{guild.pk}/", user=UserFactory(admin=True))
    select = page.get_by_label("Whether the bot answers in #rules")

    select.focus()
    select.select_option("Denied")

    expect(page.locator(f"#channel-{channel.pk}").get_by_role("status")).to_have_text("saved")
    expect(select).to_be_focused()
    assert DiscordChannel.objects.get(pk=channel.pk).access == "deny"


def test_what_the_bot_sees_appears_on_the_open_page(open_page, server):
    page = open_page("/servers/", user=UserFactory(admin=True))
    expect(page.get_by_text("No server yet")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-live", "on")

    sightings.seen(SeenGuild(7, "City library", roles=(SeenRole(77, "staff", 1),)))
    page.get_by_role("link", name="City library").click()
    expect(page.get_by_text("The bot has not told of any channel yet.")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    desk = SeenChannel(70, "desk", "text", "Ground floor", 0)
    sightings.seen(SeenGuild(7, "City library", channels=(desk,)))

    expect(page.get_by_text("Ground floor")).to_be_visible()
    expect(page.get_by_text("@staff")).to_have_count(0)
    assert DiscordRole.objects.get().gone_at is not None


def test_a_channel_gets_a_model_of_its_own(open_page, guild):
    channel = DiscordChannelFactory(guild=guild, name="desk")
    page = open_page(f"/servers/{guild.pk}/", user=UserFactory(admin=True))

    with another_page(page):
        page.get_by_role("link", name="settings of #desk").click()
    page.get_by_label("Model").fill("tiny-chat")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("It is in force in #desk from the next message on.")).to_be_visible()
    assert PlaceSettings.objects.get(channel=channel).model == "tiny-chat"


def test_a_temperature_out_of_range_is_refused_beside_its_field(open_page, guild):
    page = open_page(f"/servers/{guild.pk}/", user=UserFactory(admin=True), tolerates=["422"])
    field = page.get_by_label("Temperature")
    field.evaluate("field => field.removeAttribute('max')")  # as a browser without checks

    field.fill("7")
    page.locator("form", has=field).get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("less than or equal to 2")
    expect(page.get_by_label("Temperature")).to_have_value("7")


def test_a_price_is_set_from_the_row_of_its_model(open_page, endpoint):
    page = open_page("/models/", user=UserFactory(admin=True))

    with another_page(page):
        page.get_by_role("link", name="set price").first.click()
    page.get_by_label("Input").fill("0.4")
    page.get_by_label("Output").fill("1.6")
    page.get_by_role("button", name="Set price", exact=True).click()

    prices = page.get_by_role("region", name="Prices")
    expect(prices.get_by_text("$0.40")).to_be_visible()
    expect(page.get_by_role("region", name="Models, table").get_by_text("$1.60")).to_be_visible()
