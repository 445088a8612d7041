"""The commands of trainers and admins as `/x`: the same words as typed."""

import pytest
from channels.db import database_sync_to_async

from dashboard.models import DiscordRequest, FineTuneJob
from dashboard.services import library, tasks
from dashboard.services.access import Person, Role
from tests.botrunner.roles import add_member
from tests.botrunner.working import a_worker
from tests.factories import DatasetVersionFactory, FineTuneJobFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
async def adam(simcord_env, channel, model):
    return await add_member(simcord_env, channel.guild, "adam", grants="admin")


@database_sync_to_async
def a_dataset():
    return DatasetVersionFactory(dataset__name="rooms")


@database_sync_to_async
def a_job():
    return FineTuneJobFactory(remote_job_id="ftjob-7")


@database_sync_to_async
def an_archive() -> str:
    version = DatasetVersionFactory(dataset__name="rooms")
    exported = library.archive(version, actor=Person(Role.ADMIN, "adam"))
    tasks.run_next("a worker", pk=exported.task_id)
    exported.refresh_from_db()
    return library.entry(exported).name


def last_words(channel) -> str:
    return [m for m in channel.history() if m.author.bot][-1].content


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("jobs", {}, "`ftjob-7`"),
        ("status", {"job": "ftjob-7"}, "Job ID: ftjob-7"),
        ("models", {}, "small"),
        ("use", {"model": "small"}, "small"),
        ("persona", {"text": "You are a pirate."}, "pirate"),
    ],
)
async def test_what_is_asked_slashed_is_answered(channel, adam, command, options, said):
    await a_job()

    await adam.slash(channel, command, **options)

    assert said in last_words(channel)


async def test_slashed_a_training_starts_in_the_answer_itself(simcord_env, channel, adam):
    await a_dataset()

    await adam.slash(channel, "train", data_dir="rooms", positive=False)

    request = await DiscordRequest.objects.aget()
    job = await FineTuneJob.objects.aget()
    assert job.discord_message_id == request.discord_message_id
    assert "Starting to train on rooms v1" in last_words(channel)


async def test_slashed_a_dataset_is_chosen(channel, adam):
    await a_dataset()

    async with a_worker():
        await adam.slash(channel, "select_dataset", dataset="rooms", positive=False)

    assert last_words(channel).startswith("Dataset selected and archived. Dataset: rooms v1")


async def test_slashed_a_file_comes_along(channel, adam):
    name = await an_archive()

    await adam.slash(channel, "getfile", file=name)

    assert name in last_words(channel)
