"""`traintaught`: from corrections to a verdict, at the command line."""

import pytest

from dashboard.models import Training
from dashboard.services import processes
from dashboard.services.trainings import work
from dashboard.services.verdicts import deciding
from tests.dashboard.commands.running import refusal, rows, run
from tests.dashboard.trainings.driving import learned_it, taught
from tests.factories import CorrectionFactory, DiscordGuildFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def school(endpoint, monkeypatch):
    """An endpoint that has trained at once; what is to be looked at later is looked at now."""
    endpoint.new_job = {"status": "succeeded", "fine_tuned_model": "ft:small:zoo"}
    endpoint.answer = learned_it
    monkeypatch.setattr(work, "LOOK_S", 0.0)
    monkeypatch.setattr(deciding, "LOOK_S", 0.0)
    taught(3)
    return endpoint


def test_without_a_running_worker_the_command_does_all_of_it(school):
    (told,) = rows("traintaught", "--base-model", "small", "--suffix", "zoo")

    training = Training.objects.get()
    assert (told["id"], told["stage"], told["error"]) == (training.pk, "succeeded", None)
    assert told["model"] == "ft:small:zoo"
    assert told["decision"] == training.verdict.decision != ""
    assert told["counts"]["learned"] == 3


def test_a_second_one_has_nothing_new(school):
    run("traintaught", "--base-model", "small")
    assert "Nothing is new" in refusal("traintaught", "--base-model", "small")


def test_a_dry_run_says_what_it_would_learn_and_begins_nothing(school):
    CorrectionFactory(approved=True)  # of an answer that is gone
    said = run("traintaught", "--dry-run")

    assert "3 examples, 3 of them new, 0 pairs, 0 held out." in said
    assert "Left out: 1 (whoever asked had their words deleted)." in said
    assert not Training.objects.exists()


def test_with_a_running_worker_it_is_left_to_it(school):
    processes.report("worker", state="running")
    assert "a worker does it" in run("traintaught", "--base-model", "small")


def test_a_guild_is_named_by_discords_id(school):
    guild = DiscordGuildFactory()
    CorrectionFactory(approved=True, guild=guild, rejected_answer="")

    (one,) = rows("traintaught", "--dry-run", "--guild", str(guild.discord_guild_id))
    (all_of_them,) = rows("traintaught", "--dry-run", "--all-guilds")

    assert one["learned"] == all_of_them["learned"] == 4
    assert "no server" in refusal("traintaught", "--guild", "1")
    assert "a number" in refusal("traintaught", "--guild", "x")
