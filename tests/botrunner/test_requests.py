"""Training and tests whose bot was killed: they go on without it, and are told once by the next."""

import asyncio

import pytest
from channels.db import database_sync_to_async

from dashboard.models import DatasetImport, DiscordRequest, Evaluation, FineTuneJob
from dashboard.services import evaluations, imports, providers, requests, tasks
from dashboard.services.access import Person, Role
from tests.botrunner.test_library import LINES, pings
from tests.botrunner.working import a_worker, as_loaded, online
from tests.dashboard.evaluations.answering import by_the_word, classifying
from tests.factories import DatasetVersionFactory, LabelledVersionFactory

pytestmark = pytest.mark.django_db(transaction=True)
STARTED = "Model training started. Job ID: "


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No waiting between two looks: a test tells by words, not by time."""
    monkeypatch.setattr(as_loaded("botrunner.cogs.training.watching"), "SPACING_S", 0.05)
    monkeypatch.setattr(as_loaded("botrunner.cogs.training.watching"), "LOOK_EVERY_S", 0.05)


@pytest.fixture
def endpoint_in_use(model):
    """The scripted endpoint, which also trains."""
    model.answer = classifying(by_the_word)
    yield model
    providers.close_finetune_provider()


def asked_by_owner(discord_server, text: str):
    """The message that a killed bot has left, and who asked for what it tells."""
    world = discord_server.world
    shown = world.add_message(world.general, discord_server.bot, text)
    person = Person(Role.TRAINER, "owner", discord_user_id=int(world.owner.id))
    return shown, requests.Asked(person, None, int(shown.channel.id), int(shown.id))


@database_sync_to_async
def given(asked, content: bytes, *, kind: str = "train", filename: str = "rooms.jsonl"):
    """A request whose bytes have come, and whose bot was killed then."""
    request = requests.begin_import(
        kind, asked=asked, filename=filename, n_bytes=len(content), name="rooms"
    )
    imports.receive(request.imported, offset=0, pieces=[content])
    requests.received(request)
    return request


@database_sync_to_async
def work_until_it_ends(request) -> None:
    while not DiscordRequest.objects.get(pk=request.pk).has_ended:
        tasks.run_next("a worker")


async def until_told(discord_server) -> None:
    await discord_server.until(lambda: pings(discord_server), "the asker is told", 60.0)
    await discord_server.settle()


# --- train ------------------------------------------------------------------------------
@pytest.mark.origin(28)
async def test_the_worker_starts_a_training_while_no_bot_is_there(
    aim, endpoint_in_use, discord_server
):
    shown, asked = asked_by_owner(discord_server, "Fetching rooms.jsonl …")
    request = await given(asked, LINES)

    await work_until_it_ends(request)

    job = await FineTuneJob.objects.select_related("version__dataset").aget()
    assert (job.version.dataset.name, job.version.is_draft) == ("rooms", False)
    assert job.discord_message_id == int(shown.id)

    async with online(discord_server), a_worker(hurry=True):
        await discord_server.until(lambda: STARTED in shown.content, "its id is shown", 60.0)
        [job_id] = endpoint_in_use.jobs
        endpoint_in_use.finish(job_id)
        await until_told(discord_server)

    [told] = pings(discord_server)
    assert f"Job {job_id} is done." in told
    assert not await DiscordRequest.objects.filter(told_at=None).aexists()


async def test_the_next_bot_tells_of_a_file_that_was_refused_meanwhile(
    aim, endpoint_in_use, discord_server
):
    shown, asked = asked_by_owner(discord_server, "Checking rooms.jsonl …")
    await work_until_it_ends(await given(asked, LINES + b'{"messages": 1}\n'))

    async with online(discord_server):
        await until_told(discord_server)

    assert shown.content.startswith("Failed to start training.\nrooms.jsonl: ")
    assert "12 examples, 1 error." in shown.content
    assert len(pings(discord_server)) == 1
    assert not await FineTuneJob.objects.aexists()


async def test_a_training_that_was_kept_and_not_submitted_is_submitted_by_the_next_bot(
    aim, endpoint_in_use, discord_server
):
    version = await database_sync_to_async(DatasetVersionFactory)(dataset__name="rooms")
    shown, asked = asked_by_owner(discord_server, "Starting to train on rooms v1 …")
    request = await database_sync_to_async(requests.begin_training)(version, asked=asked)

    async with online(discord_server):
        await discord_server.until(lambda: shown.components, "it can be cancelled", 60.0)

    job = await FineTuneJob.objects.aget()
    await request.arefresh_from_db()
    assert (request.job_id, job.discord_message_id) == (job.pk, int(shown.id))
    assert pings(discord_server) == []


async def test_a_bot_killed_between_the_job_and_its_note_submits_no_second_one(
    aim, endpoint_in_use, discord_server
):
    _, asked = asked_by_owner(discord_server, "rooms.jsonl is stored …")
    request = await given(asked, LINES)
    await work_until_it_ends(request)
    await FineTuneJob.objects.aupdate(status="succeeded")
    await DiscordRequest.objects.aupdate(ended_at=None, job=None)

    await database_sync_to_async(requests.train)(request)

    assert await FineTuneJob.objects.acount() == 1


async def test_an_import_that_somebody_cancelled_meanwhile_is_told(
    aim, endpoint_in_use, discord_server
):
    shown, asked = asked_by_owner(discord_server, "Checking rooms.jsonl …")
    request = await given(asked, LINES, kind="import")
    imported = await DatasetImport.objects.aget()
    await database_sync_to_async(imports.cancel)(imported, actor=None)
    await work_until_it_ends(request)

    async with online(discord_server):
        await until_told(discord_server)

    assert shown.content.startswith("The import of rooms.jsonl was cancelled.")
    assert len(pings(discord_server)) == 1


# --- test -------------------------------------------------------------------------------
async def test_a_test_of_a_dataset_that_ended_meanwhile_is_told(
    aim, endpoint_in_use, discord_server
):
    version = await database_sync_to_async(LabelledVersionFactory)(dataset__name="shops")
    shown, asked = asked_by_owner(discord_server, "Testing small …")
    await database_sync_to_async(requests.begin_test)(asked=asked, version=version, model="small")

    async with online(discord_server), a_worker():
        await until_told(discord_server)

    assert shown.content.startswith("Test complete. Predictions: positive, negative")
    assert shown.components == []
    assert len(pings(discord_server)) == 1


async def test_a_test_is_cancelled_by_its_button_after_a_restart(
    aim, endpoint_in_use, discord_server
):
    version = await database_sync_to_async(LabelledVersionFactory)(dataset__name="shops")
    shown, asked = asked_by_owner(discord_server, "Testing small …")
    await database_sync_to_async(requests.begin_test)(asked=asked, version=version, model="small")

    async with online(discord_server):
        await discord_server.until(lambda: shown.components, "there is a button", 60.0)
        [row] = shown.components
        [button] = row["components"]
        data = {"custom_id": button["custom_id"], "component_type": 2}
        owner = discord_server.world.owner
        await discord_server.interact(owner, type=3, data=data, about=shown)
        await until_told(discord_server)

    assert "The test was cancelled." in shown.content
    evaluation = await database_sync_to_async(evaluations.get)((await Evaluation.objects.aget()).pk)
    assert evaluation.status == "cancelled"


async def test_a_test_of_pasted_records_is_closed_in_words(aim, endpoint_in_use, discord_server):
    shown, asked = asked_by_owner(discord_server, "Testing small: 3 of 9 …")
    await database_sync_to_async(requests.begin_test)(asked=asked)

    async with online(discord_server):
        await until_told(discord_server)

    assert shown.content == (
        "The bot was restarted during this test, which stopped it. Start it again."
    )
    assert len(pings(discord_server)) == 1
    assert len(discord_server.world.said_by_bot()) == 2


async def test_an_end_that_discord_does_not_take_is_told_later(
    aim, endpoint_in_use, discord_server
):
    shown, asked = asked_by_owner(discord_server, "Testing small: 3 of 9 …")
    await database_sync_to_async(requests.begin_test)(asked=asked)
    discord_server.fail_next(400, method="POST", path="/channels/.*")

    async with online(discord_server) as bot:
        cog = bot.get_cog("Requests")
        await discord_server.until(lambda: "restarted" in shown.content, "it is closed", 60.0)
        while bot.in_hand:  # noqa: ASYNC110 (nothing tells when it becomes empty)
            await asyncio.sleep(0.02)
        assert pings(discord_server) == []
        await cog.take_up()
        await until_told(discord_server)

    assert len(pings(discord_server)) == 1
