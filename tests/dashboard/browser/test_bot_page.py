"""The bot's page in a browser: in each theme, on a phone, and alive."""

import time

import pytest
from playwright.sync_api import expect

from dashboard.models import DiscordChannel, DiscordGuild, ProcessState, Task
from dashboard.services import processes
from dashboard.services.tasks import queue
from tests.dashboard.browser.conftest import DESKTOP, LOOKS, PHONE
from tests.factories import IncidentFactory, UserFactory

DETAIL = {
    "user": "TrainerBot#0001",
    "application_id": "424242424242424242",
    "guilds": 3,
    "latency_ms": 41,
    "message_content": False,
    "answered": 1723,
    "limited": 2,
    "last_limited": "POST /channels/…/messages",
    "lag_p99_ms": 3.5,
    "lag_max_ms": 212.0,
    "lag_minutes_ms": [1.0 + n % 7 for n in range(50)] + [212.0, 3.0, 2.0],
    "voice_problem": "The Opus library was not found: install libopus (Debian: libopus0).",
}


@pytest.fixture
def admin(transactional_db):
    return UserFactory(admin=True, username="ada")


@pytest.fixture
def general(transactional_db):
    guild = DiscordGuild.objects.create(discord_guild_id=1, name="Testers")
    return DiscordChannel.objects.create(discord_channel_id=2, guild=guild, name="general")


@pytest.fixture
def online(transactional_db, general):
    started = {"started": time.time() - 7400}
    processes.report("bot", state=ProcessState.State.RUNNING, detail=DETAIL | started)
    for doing in ("Command train", "The answer to message 1573742423983521893", "The form 'Edit'"):
        IncidentFactory(doing=doing)


def no_wider_than_the_screen(page) -> bool:
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return not page.evaluate(wide)


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_the_page_fits_in_every_theme(open_page, admin, online, take_picture, theme, size):
    page = open_page("/bot/", user=admin, theme=theme, size=size)

    expect(page.get_by_text("online", exact=True)).to_be_visible()
    expect(page.locator("line-chart canvas")).to_be_visible()
    take_picture(page, f"bot-{theme}-{size[0]}")
    assert no_wider_than_the_screen(page)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_what_happens_elsewhere_is_seen_without_a_reload(
    open_page, admin, online, take_picture, size
):
    page = open_page("/bot/", user=admin, size=size)
    expect(page.get_by_text("online", exact=True)).to_be_visible()

    processes.report("bot", state=ProcessState.State.BACKOFF, message="Ended (killed by SIGKILL).")

    expect(page.get_by_text("restarting", exact=True)).to_be_visible()
    expect(page.get_by_text("killed by SIGKILL")).to_be_visible()
    take_picture(page, f"bot-restarting-{size[0]}")


def test_an_error_opens_by_its_reference(open_page, admin, online, take_picture):
    page = open_page("/bot/", user=admin)

    page.locator("#bot-incidents button").first.click()

    expect(page.get_by_role("dialog")).to_contain_text("The whole story")
    take_picture(page, "bot-incident")


def test_a_test_message_is_followed_to_its_end(open_page, admin, online, take_picture):
    page = open_page("/bot/", user=admin)

    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("waiting for the bot")).to_be_visible()
    task = queue.claim("the bot", of_bot=True)
    result = {"url": "https://discord.com/channels/1/2/3"}
    queue.finish(task, "the bot", state=Task.State.SUCCEEDED, result=result)

    expect(page.locator("#bot-said").get_by_text("sent", exact=True)).to_be_visible()
    take_picture(page, "bot-said")


def test_the_bot_is_stopped_by_a_button(open_page, admin, online):
    page = open_page("/bot/", user=admin)

    page.get_by_role("button", name="Stop", exact=True).click()

    expect(page.get_by_text("stopping", exact=True)).to_be_visible()
    assert not ProcessState.objects.get(name="bot").is_wanted


def test_without_a_token_the_page_says_what_to_do(open_page, admin, take_picture):
    page = open_page("/bot/", user=admin, size=PHONE)

    expect(page.get_by_text("Give it a token")).to_be_visible()
    take_picture(page, "bot-no-token")
    assert no_wider_than_the_screen(page)
