"""The first page, from real rows."""

import pytest

from dashboard.models import Conversation, ProcessState
from dashboard.services import processes
from dashboard.services.access import Role
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DatasetVersionFactory,
    FineTuneJobFactory,
)

pytestmark = pytest.mark.django_db


def test_an_empty_system_shows_the_first_steps(trainer):
    page = trainer.get("/overview/").content.decode()

    assert "First steps" in page
    assert "No messages yet" in page
    assert "No fine-tune jobs yet" in page


def test_a_step_that_was_done_is_ticked_off(trainer):
    DatasetVersionFactory()

    done = trainer.get("/overview/").context["done"]

    assert done == {"asked": False, "corrected": False, "dataset": True, "tuned": False}


def test_the_first_steps_leave_once_the_loop_is_closed(trainer):
    AnswerFactory()
    CorrectionFactory(approved=True)
    FineTuneJobFactory(succeeded=True)

    assert "First steps" not in trainer.get("/overview/").content.decode()
    assert "The loop is closed" in trainer.get("/overview/steps/").content.decode()


def test_the_tiles_count_rows(trainer):
    AnswerFactory(total_ms=1240)
    CorrectionFactory()
    FineTuneJobFactory(running=True)

    page = trainer.get("/overview/tiles/").content.decode()

    assert "1.24 s" in page
    assert "1 to review" in page.replace("to review · ", "1 to review · ")


@pytest.mark.parametrize("span", ["24h", "7d", "30d", "nonsense"])
def test_the_chart_is_drawn_for_each_span(trainer, span):
    AnswerFactory(total_ms=500)

    page = trainer.get(f"/overview/chart/?span={span}").content.decode()

    assert "<line-chart" in page
    assert "0.5" in page


def test_the_activity_shows_who_asked_what(trainer):
    answer = AnswerFactory(reply_to__content="When does the library open?")

    page = trainer.get("/overview/activity/").content.decode()

    assert "When does the library open?" in page
    assert str(Conversation.objects.get(pk=answer.conversation_id).user) in page


def test_the_parts_of_the_system_say_how_they_are(trainer):
    processes.report("web", state="running", pid=4711)
    processes.report("worker", state="failed", exit_code=3, message="It ended three times.")

    page = trainer.get("/overview/parts/").content.decode()

    assert "4711" in page
    assert "It ended three times." in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("failed", "Worker failed"),
        ("backoff", "Worker restarting"),
        ("starting", "Worker starting"),
        ("stopped", "Worker stopped"),
        ("running", "All running"),
        ("disabled", "All running"),
    ],
)
def test_the_badge_tells_the_worst_news(trainer, state, words):
    processes.report("web", state="running")
    processes.report("worker", state=state)

    assert words in trainer.get("/overview/state/").content.decode()


def test_the_badge_notices_a_part_that_fell_silent(trainer):
    processes.report("web", state="running")
    ProcessState.objects.update(heartbeat_at="2020-01-01T00:00Z")

    assert "Web is silent" in trainer.get("/overview/state/").content.decode()


def test_the_badge_tells_how_far_away_discord_is(trainer):
    processes.report("bot", state="running", detail={"latency_ms": 38})

    page = trainer.get("/overview/state/").content.decode()

    assert "Bot online" in page
    assert "38 ms" in page


def test_those_who_may_see_everything_start_at_the_overview(reader):
    assert reader(Role.TRAINER).get("/")["Location"] == "/overview/"
