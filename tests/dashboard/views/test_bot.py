"""The bot's own page: what it shows of a bot in each state, and what an admin may ask."""

import json
import re

import pytest
from django.utils.timezone import now

from dashboard.models import (
    AuditEvent,
    DiscordChannel,
    DiscordGuild,
    OutboxEvent,
    ProcessState,
    Task,
)
from dashboard.services import bot, processes
from dashboard.services.access import Role
from dashboard.services.bot.orders import STOPPED_BY_ADMIN
from dashboard.services.tasks import queue
from tests.factories import IncidentFactory

pytestmark = pytest.mark.django_db

DETAIL = {
    "user": "TrainerBot#0001",
    "application_id": "4242",
    "guilds": 3,
    "latency_ms": 41,
    "message_content": True,
    "answered": 17,
    "limited": 2,
    "last_limited": "POST /channels/…/messages",
    "lag_p99_ms": 3.5,
    "lag_max_ms": 212.0,
    "lag_minutes_ms": [1.0, 2.0, 212.0],
    "voice_problem": "",
    "started": 1_700_000_000.0,
}


@pytest.fixture(autouse=True)
def token(settings):
    settings.DISCORD_TOKEN = "MTA.secret.token"


def report(state: str = "running", **detail: object) -> None:
    processes.report("bot", state=state, message="", detail=DETAIL | detail)


def shown(client, path: str = "/bot/") -> str:
    return re.sub(r"\s+", " ", client.get(path).content.decode())


# --- what is shown -------------------------------------------------------------------------
def test_a_bot_that_is_online_is_shown_with_its_figures(trainer):
    report()

    page = shown(trainer)

    for words in ("TrainerBot#0001", "online", "41 ms", "4 ms", "at most 212 ms", "/channels/…/"):
        assert words in page
    assert "MTA.secret" not in page
    assert json.loads(re.search(r'data-chart="([^"]+)"', page)[1].replace("&quot;", '"'))["series"]


def test_the_invitation_asks_for_the_permissions_that_the_bot_needs(admin):
    report()

    page = shown(admin)

    found = re.search(
        r"https://discord.com/oauth2/authorize\?client_id=4242&amp;permissions=(\d+)", page
    )
    assert found
    assert int(found[1]) & (1 << 11)  # Send Messages
    assert int(found[1]) & (1 << 49)  # Create Polls
    assert not int(found[1]) & (1 << 3)  # Administrator


def test_without_a_token_the_page_says_what_to_do(admin, settings):
    settings.DISCORD_TOKEN = ""

    page = shown(admin)

    assert "Give it a token" in page
    assert "https://discord.com/developers/applications" in page
    assert "Message Content Intent" in page
    assert 'value="restart"' not in page


def test_a_bot_without_the_message_content_intent_says_so(trainer):
    report(message_content=False)

    assert "did not grant the <b>message content intent</b>" in shown(trainer)


@pytest.mark.origin(3)
def test_voice_that_is_off_is_reported_with_its_reason(trainer):
    report(voice_problem="The Opus library was not found: install libopus (Debian: libopus0).")

    assert "Voice is off: The Opus library was not found" in shown(trainer)


def test_a_bot_that_fell_silent_is_not_called_online(trainer):
    report()
    ProcessState.objects.update(heartbeat_at="2020-01-01T00:00Z")

    page = shown(trainer, "/bot/state/")

    assert "silent" in page
    assert "Loop lag" not in page  # nobody knows it


def test_a_refused_token_is_told_in_the_words_of_the_supervisor(trainer):
    processes.report("bot", state="failed", message="Mend what it says above.", exit_code=78)

    page = shown(trainer, "/bot/state/")

    assert "failed" in page
    assert "Mend what it says above." in page


def test_shards_of_several_processes_are_added_up_and_listed(trainer):
    processes.report("bot:0-1/4", state="running", detail=DETAIL)
    processes.report("bot:2-3/4", state="running", detail=DETAIL | {"latency_ms": 90})

    page = shown(trainer, "/bot/state/")

    assert "shards 2 to 3 of 4" in page
    assert '<div class="num text-2xl font-semibold">6</div>' in page
    assert "90 ms" in page


def test_errors_are_listed_by_reference_and_opened(trainer):
    incident = IncidentFactory(reference="abc123", doing="Command train")

    listed = shown(trainer, "/bot/incidents/")
    opened = shown(trainer, f"/bot/incidents/{incident.pk}/")

    assert "abc123" in listed
    assert "Command train" in opened
    assert incident.error in opened


# --- what may be asked -----------------------------------------------------------------------
@pytest.mark.parametrize("order", ["start", "stop", "restart"])
def test_an_order_is_kept_audited_and_told(admin, order):
    report()
    ProcessState.objects.update(is_wanted=order != "start")

    admin.post("/bot/order/", {"order": order})

    row = ProcessState.objects.get(name="bot")
    assert row.is_wanted is (order != "stop")
    assert (row.restart_asked_at is not None) is (order == "restart")
    assert AuditEvent.objects.get().action == f"bot.{order}"
    assert OutboxEvent.objects.filter(kind="process.wish").count() == 1


@pytest.mark.origin(4)
def test_starting_a_bot_that_runs_changes_nothing(admin):
    report()
    before = bot.wishes()

    admin.post("/bot/order/", {"order": "start"})

    assert bot.wishes() == before


def test_starting_a_bot_that_was_given_up_has_it_tried_again(admin):
    processes.report("bot", state="failed")

    admin.post("/bot/order/", {"order": "start"})

    assert bot.wishes().restart_asked_at is not None


def test_an_order_that_is_none_is_refused(admin):
    assert admin.post("/bot/order/", {"order": "explode"}).status_code == 400


def test_a_stopped_bot_offers_to_be_started(admin):
    processes.report("bot", state="stopped", message=STOPPED_BY_ADMIN)
    ProcessState.objects.update(is_wanted=False)

    page = shown(admin, "/bot/state/")

    assert 'value="start"' in page
    assert 'value="stop"' not in page


def test_a_trainer_looks_and_does_not_touch(reader):
    report()
    trainer = reader(Role.TRAINER)

    page = shown(trainer)

    assert 'value="restart"' not in page
    assert "<textarea" not in page
    assert trainer.post("/bot/order/", {"order": "stop"}).status_code == 403


# --- a test message -----------------------------------------------------------------------------
@pytest.fixture
def general():
    guild = DiscordGuild.objects.create(discord_guild_id=1, name="Testers")
    return DiscordChannel.objects.create(discord_channel_id=2, guild=guild, name="general")


def test_a_test_message_waits_for_the_bot_and_for_no_worker(admin, general):
    response = admin.post("/bot/say/", {"channel": general.pk, "text": "Hello"}, follow=True)

    task = Task.objects.get()
    assert (task.kind, task.args["channel_id"]) == ("bot.say", 2)
    assert "waiting for the bot" in response.content.decode()
    assert queue.claim("a worker") is None
    assert queue.claim("the bot", of_bot=True) == task


@pytest.mark.parametrize("text", ["", "   ", "🙂" * 1500])
def test_a_message_that_discord_would_not_take_is_refused(admin, general, text):
    response = admin.post("/bot/say/", {"channel": general.pk, "text": text})

    assert response.status_code == 422
    page = response.content.decode()
    assert text in page  # to be mended, not typed again
    assert "<title>" in page
    assert not Task.objects.exists()


def test_a_channel_that_is_none_of_ours_is_refused(admin, general):
    response = admin.post("/bot/say/", {"channel": 999, "text": "Hello"})

    assert response.status_code == 422


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"state": "succeeded", "result": {"url": "https://discord.com/channels/1/2/3"}}, ">sent<"),
        ({"state": "failed", "error": "The bot may not write there."}, "may not write there"),
    ],
)
def test_the_fate_of_a_message_is_shown(admin, general, outcome, words):
    admin.post("/bot/say/", {"channel": general.pk, "text": "Hello"})
    Task.objects.update(finished_at=now(), **outcome)

    assert words in shown(admin, "/bot/said/")
