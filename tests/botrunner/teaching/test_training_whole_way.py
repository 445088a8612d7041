"""From a wrong answer on Discord to the verdict on the model that learned the right one."""

import pytest
from channels.db import database_sync_to_async
from django.test import Client
from django.urls import reverse

from dashboard.models import Correction, DiscordGuild, FineTuneJob, OutboxEvent, Training
from dashboard.services import corrections, trainings
from tests.botrunner.teaching.reviewing import hear, proposed
from tests.dashboard.trainings.driving import work_off
from tests.factories import UserFactory
from tests.fakes.openai_endpoint import Reply

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


def as_taught(body: dict) -> Reply:
    """The tuned model knows when the library opens."""
    return Reply(pieces=("At nine." if body["model"].startswith("ft:") else "I do not know.",))


@database_sync_to_async
def approve_word_anew_and_press(guild) -> Training:
    """All that the trainers do on the dashboard."""
    correction = Correction.objects.get()
    browser = Client()
    browser.force_login(UserFactory(username="boss", admin=True))
    corrections.approve(correction=correction, reviewer=UserFactory(username="grace", admin=True))
    row = DiscordGuild.objects.get(discord_guild_id=guild.id)
    plan = browser.get(reverse("job-taught-plan"), {"scope": f"guild-{row.pk}"}).content.decode()
    assert "developer policy forbids training" in plan
    browser.post(
        reverse("correction-question", args=[correction.pk]),
        {f"own-{correction.pk}-question": "At what time do you open?"},
    )
    browser.post(
        reverse("job-taught-new"),
        {
            "key": "0b0e7a3c-3f63-4bd5-9d2a-61a3a4d1a111",
            "scope": f"guild-{row.pk}",
            "base_model": "small",
            "way": "supervised",
            "with_known": "on",
            "hold_out": "0",
        },
    )
    return Training.objects.get()


async def test_corrected_approved_trained_judged_and_told_in_the_review_channel(
    simcord_env, guild, channel, desk, ada, model
):
    model.new_job = {"status": "succeeded", "fine_tuned_model": "ft:small:taught"}
    model.answer = as_taught
    await proposed(simcord_env, channel, ada)
    training = await approve_word_anew_and_press(guild)

    await database_sync_to_async(work_off)()
    # The first card is decided by now; what is new is told beside it.
    await hear(simcord_env, corrections.TOPIC)
    await hear(simcord_env, trainings.TOPIC)

    await database_sync_to_async(training.refresh_from_db)()
    assert (training.stage, training.error) == ("succeeded", "")
    job = await database_sync_to_async(FineTuneJob.objects.get)()
    sent = model.files[job.remote_file_id].decode()
    assert "At what time do you open?" in sent
    assert "At nine." in sent
    assert "When does the library open?" not in sent  # what somebody wrote on Discord
    last = await database_sync_to_async(OutboxEvent.objects.filter(topic=trainings.TOPIC).latest)(
        "pk"
    )
    assert last.payload["stage"] == "succeeded"
    told = [each.content for each in desk.history() if "**Training" in each.content]
    sentence = await database_sync_to_async(lambda: training.verdict.sentence)()
    assert len(told) == 1
    assert "`ft:small:taught`" in told[0]
    assert sentence.split(":")[0] in told[0]
    assert "tuned with recall 100 %" in told[0]
    [lives] = await database_sync_to_async(lambda: trainings.models_of(Correction.objects.get()))()
    assert lives.model == "ft:small:taught"
