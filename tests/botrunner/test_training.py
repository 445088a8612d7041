"""`!train` from the file to the ping, at a scripted endpoint, in a Discord over sockets."""

import asyncio
import json

import pytest
from channels.db import database_sync_to_async

from dashboard.models import DatasetImport, DatasetVersion, Example, FineTuneJob, Task
from dashboard.services import choices, datasets, jobs, providers, standings
from dashboard.services.access import Person, Role
from tests.botrunner.working import a_worker, as_loaded, give, online
from tests.dashboard.imports.conftest import row
from tests.factories import DatasetVersionFactory, LabelledVersionFactory
from tests.fakes.openai_endpoint import error_body

pytestmark = pytest.mark.django_db(transaction=True)
LINES = "".join(json.dumps(row(n)) + "\n" for n in range(12)).encode()
STARTED = "Model training started. Job ID: "
FAILED = "Failed to start training."


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No waiting between two looks: a test tells by words, not by time."""
    monkeypatch.setattr(as_loaded("botrunner.cogs.training.watching"), "SPACING_S", 0.05)
    monkeypatch.setattr(as_loaded("botrunner.cogs.training.watching"), "LOOK_EVERY_S", 0.05)


@pytest.fixture
def endpoint_in_use(model):
    """The scripted endpoint, which also trains."""
    yield model
    providers.close_finetune_provider()


@pytest.fixture
def bot(connected_bot, endpoint_in_use):
    return connected_bot


@pytest.fixture
def owner(discord_server):
    return discord_server.world.owner


@database_sync_to_async
def a_dataset(name="rooms", factory=DatasetVersionFactory, **fields) -> DatasetVersion:
    return factory(dataset__name=name, **fields)


def pings(discord_server) -> list:
    """The messages that mention somebody so that it rings."""
    found = []
    for message in discord_server.world.said_by_bot():
        allowed = message.request.get("allowed_mentions") or {}
        if allowed.get("users"):
            found.append((message.content, allowed))
    return found


async def the_end(discord_server, endpoint) -> str:
    """Let the endpoint finish its job; the words that tell the asker."""
    [job_id] = endpoint.jobs
    endpoint.finish(job_id)
    await discord_server.until(lambda: pings(discord_server), "the asker is told", 60.0)
    return pings(discord_server)[0][0]


# --- from a file to the ping --------------------------------------------------------
@pytest.mark.origin(26)
@pytest.mark.origin(28)
async def test_a_file_is_trained_on_and_its_asker_told_once(bot, discord_server, model, owner):
    async with a_worker(hurry=True):
        asked = await give(discord_server, "!train", "rooms.jsonl", LINES)
        shown = await discord_server.wait_for_reply(to=asked, containing=STARTED, timeout_s=30.0)
        [job_id] = model.jobs
        model.jobs[job_id]["status"] = "running"
        model.say(job_id, "Step 5/20", step=5, total_steps=20, train_loss=1.25)
        await discord_server.wait_for_reply(to=asked, containing="step 5 of 20", timeout_s=30.0)
        assert "25%" in shown.content
        assert "training loss 1.25" in shown.content
        said = await the_end(discord_server, model)
        await discord_server.settle()

    assert shown.content.splitlines()[0] == f"{STARTED}{job_id}"
    assert said.startswith(f"{owner.mention} Job {job_id} is done. The new model is `ft:{job_id}`.")
    assert f"`!use ft:{job_id}`" in said
    [(_, allowed)] = pings(discord_server)
    assert allowed["users"] == [int(owner.id)] or allowed["users"] == [owner.id]
    assert (allowed["parse"], allowed.get("replied_user", False)) == ([], False)
    assert len(discord_server.world.said_by_bot()) == 2
    assert shown.components == []
    job = await FineTuneJob.objects.select_related("discord_user", "version__dataset").aget()
    assert job.told_at is not None
    assert (job.discord_user.name, job.discord_channel_id) == ("owner", int(shown.channel.id))
    assert (job.version.dataset.name, job.version.is_draft) == ("rooms", False)


@pytest.mark.origin(9)
async def test_a_dataset_of_the_library_is_trained_on_without_a_file(bot, discord_server, model):
    await a_dataset("shop talk")
    async with a_worker(hurry=True):
        asked = await discord_server.say(discord_server.world.owner, "!train Shop Talk")
        await discord_server.wait_for_reply(to=asked, containing=STARTED, timeout_s=30.0)

    assert not await DatasetImport.objects.aexists()
    assert len(rows_of(model)) == 12


@pytest.mark.origin(9)
@pytest.mark.parametrize(
    "words",
    [
        '```json\n[{"text": "Buy now", "label": "positive"}, {"text": "News"}]\n``` positive=False',
        '[{"text": "Buy now", "label": "positive"}, {"text": "News"}] false',
    ],
)
async def test_pasted_examples_are_trained_on(bot, discord_server, model, words):
    async with a_worker(hurry=True):
        asked = await discord_server.say(discord_server.world.owner, f"!train {words}")
        await discord_server.wait_for_reply(to=asked, containing=STARTED, timeout_s=30.0)

    assert labels_of(model) == ["positive", "negative"]


def rows_of(endpoint) -> list[dict]:
    """The rows of the one file that was uploaded."""
    [body] = endpoint.files.values()
    return [json.loads(line) for line in body.splitlines() if line.startswith(b"{")]


def labels_of(endpoint) -> list[str]:
    return [row["messages"][-1]["content"] for row in rows_of(endpoint)]


@pytest.mark.origin(11)
@pytest.mark.parametrize(
    ("flag", "labels"),
    [
        ("positive=False", ["negative", "negative"]),
        ("false", ["negative", "negative"]),
        ("positive=True", ["positive", "positive"]),
        ("", ["positive", "positive"]),
    ],
)
async def test_the_label_of_a_batch_reaches_the_rows_that_are_trained_on(
    bot, discord_server, model, flag, labels
):
    texts = json.dumps([{"text": "About us"}, {"text": "Opening hours"}]).encode()
    async with a_worker(hurry=True):
        asked = await give(discord_server, f"!train {flag}", "pages.json", texts)
        await discord_server.wait_for_reply(to=asked, containing=STARTED, timeout_s=30.0)

    assert labels_of(model) == labels
    found = Example.objects.order_by("position").values_list("label", flat=True)
    assert [label async for label in found] == labels
    version = await DatasetVersion.objects.aget()
    lines = await database_sync_to_async(lambda: list(datasets.lines(version)))()
    assert [json.loads(line)["label"] for line in lines] == labels


@pytest.mark.origin(11)
@pytest.mark.parametrize(
    ("flag", "expected"), [("", ["positive", "negative"]), (" positive=True", ["positive"] * 2)]
)
async def test_the_label_chosen_with_a_dataset_is_that_of_texts_that_name_none(
    bot, discord_server, model, owner, flag, expected
):
    version = await a_dataset()
    await chose(owner, version.dataset, int(discord_server.world.general.id), positive=False)
    texts = json.dumps([{"text": "Buy", "label": "positive"}, {"text": "About us"}]).encode()

    async with a_worker(hurry=True):
        asked = await give(discord_server, f"!train{flag}", "pages.json", texts)
        await discord_server.wait_for_reply(to=asked, containing=STARTED, timeout_s=30.0)

    assert labels_of(model) == expected


@database_sync_to_async
def chose(user, dataset, channel_id: int, *, positive: bool) -> None:
    person = Person(Role.TRAINER, user.name, discord_user_id=int(user.id))
    place = {"guild_id": None, "channel_id": channel_id}
    choices.choose(dataset, who=person, positive=positive, **place)


# --- what is never announced ------------------------------------------------------------
@pytest.mark.origin(26)
async def test_no_id_is_told_before_the_endpoint_gave_one_and_none_at_all_if_it_refuses(
    bot, discord_server, model
):
    await a_dataset()
    asked = await discord_server.say(discord_server.world.owner, "!train rooms")
    shown = await discord_server.wait_for_reply(to=asked, containing="Starting to train on rooms")
    await discord_server.settle()
    assert {version.content for version in shown.versions} == {"Starting to train on rooms v1 …"}

    model.failures = [
        (200, {"id": "file-1", "object": "file"}),
        (200, {"object": "list", "data": [], "has_more": False}),
        (400, error_body("Too few examples.")),
    ]
    async with a_worker(hurry=True):
        await discord_server.wait_for_reply(to=asked, containing=FAILED, timeout_s=30.0)
        await discord_server.until(lambda: pings(discord_server), "the asker is told", 60.0)

    assert all(STARTED not in version.content for version in shown.versions)
    assert "Too few examples" in shown.content
    assert FAILED in pings(discord_server)[0][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("!train", "Attach a file, paste examples"),
        ("!train room", "There is no dataset of that name in the library. Did you mean rooms?"),
        ("!train /etc/passwd", "There is no dataset of that name in the library."),
        ("!train data_dir=../../etc", "There is no dataset of that name in the library."),
    ],
)
async def test_what_cannot_be_trained_on_is_said_in_words(bot, discord_server, words, said):
    await a_dataset()

    asked = await discord_server.say(discord_server.world.owner, words)

    answer = await discord_server.wait_for_reply(to=asked, containing=FAILED, timeout_s=30.0)
    assert answer.content.splitlines()[1].startswith(said)
    assert not await FineTuneJob.objects.aexists()


async def test_an_endpoint_that_is_away_is_said_in_words(bot, discord_server, model):
    await a_dataset()
    model.failures = [(401, error_body("Incorrect API key provided: sk-123"))] * 3

    asked = await discord_server.say(discord_server.world.owner, "!train rooms")

    answer = await discord_server.wait_for_reply(to=asked, containing=FAILED, timeout_s=30.0)
    assert "sk-123" not in answer.content
    assert not await FineTuneJob.objects.aexists()


# --- twice, and stopped -------------------------------------------------------------------
@pytest.mark.origin(29)
async def test_the_same_dataset_twice_at_once_is_one_job(bot, discord_server, model):
    await a_dataset(draft=True)
    first, second = await asyncio.gather(
        discord_server.say(discord_server.world.owner, "!train rooms"),
        discord_server.say(discord_server.world.owner, "!train rooms"),
    )
    await discord_server.wait_for_reply(containing="runs already, as job number", timeout_s=30.0)

    assert await FineTuneJob.objects.acount() == 1
    answered = {message.reply_to for message in discord_server.world.said_by_bot()}
    assert answered == {first, second}


@pytest.mark.origin(29)
async def test_the_same_file_twice_at_once_is_one_job(bot, discord_server, model):
    async with a_worker(hurry=True):
        await asyncio.gather(
            give(discord_server, "!train", "rooms.jsonl", LINES),
            give(discord_server, "!train", "rooms.jsonl", LINES),
        )
        await discord_server.wait_for_reply(
            containing="The same training runs already", timeout_s=30.0
        )
        await discord_server.wait_for_reply(containing=STARTED, timeout_s=30.0)

    assert await FineTuneJob.objects.acount() == 1
    assert len(model.jobs) == 1


async def test_its_asker_cancels_it_by_the_button(bot, discord_server, model, owner):
    await a_dataset()
    asked = await discord_server.say(owner, "!train rooms")
    shown = await discord_server.wait_for_reply(to=asked)
    await discord_server.until(lambda: shown.components, "there is a button")

    interaction_id = await press(discord_server, owner, shown)
    callbacks = discord_server.routes.callbacks
    await discord_server.until(lambda: interaction_id in callbacks, "the press is answered")

    async with a_worker(hurry=True):
        await discord_server.until(lambda: pings(discord_server), "the asker is told", 60.0)
    assert model.jobs == {}
    assert "cancelled" in shown.content
    assert (await FineTuneJob.objects.aget()).status == "cancelled"


async def test_others_may_not_cancel_it(bot, discord_server, model, owner):
    await a_dataset()
    eve = discord_server.add_user("Eve")
    asked = await discord_server.say(owner, "!train rooms")
    shown = await discord_server.wait_for_reply(to=asked)
    await discord_server.until(lambda: shown.components, "there is a button")

    interaction_id = await press(discord_server, eve, shown)

    callbacks = discord_server.routes.callbacks
    await discord_server.until(lambda: interaction_id in callbacks, "she is told")
    assert "may not start and cancel" in callbacks[interaction_id]["data"]["content"]
    assert not (await FineTuneJob.objects.aget()).cancel_requested


async def press(discord_server, user, message) -> str:
    [row] = message.components
    [button] = row["components"]
    data = {"custom_id": button["custom_id"], "component_type": 2}
    return await discord_server.interact(user, type=3, data=data, about=message)


# --- while the bot is away -----------------------------------------------------------------
async def test_a_job_that_ended_while_the_bot_was_away_is_told_at_its_start(
    aim, endpoint_in_use, discord_server, owner
):
    channel = discord_server.world.general
    shown = discord_server.world.add_message(channel, discord_server.bot, "Starting …")
    await ended_job(owner, shown)

    async with online(discord_server):
        await discord_server.until(lambda: pings(discord_server), "the asker is told", 60.0)
        await discord_server.settle()

    assert len(pings(discord_server)) == 1
    assert shown.content.startswith(f"{STARTED}ftjob-9")


async def test_a_bot_that_died_before_it_noted_the_ping_sends_no_second_one(
    bot, discord_server, owner
):
    channel = discord_server.world.general
    shown = discord_server.world.add_message(channel, discord_server.bot, "Starting …")
    job = await ended_job(owner, shown)
    watcher = bot.get_cog("Training").watcher
    await watcher.look()
    await FineTuneJob.objects.filter(pk=job.pk).aupdate(told_at=None)

    await watcher.look()

    assert len(pings(discord_server)) == 1
    assert await database_sync_to_async(standings.untold)() == []


async def test_a_channel_that_is_gone_ends_the_watching(bot, discord_server, owner):
    channel = discord_server.world.general
    shown = discord_server.world.add_message(channel, discord_server.bot, "Starting …")
    await ended_job(owner, shown)
    discord_server.fail_next(404, method="POST", path="/channels/.*")
    discord_server.fail_next(404, method="PATCH", path="/channels/.*")

    await bot.get_cog("Training").watcher.look()

    assert (await FineTuneJob.objects.aget()).told_at is not None


async def test_what_discord_did_not_take_is_tried_again(bot, discord_server, owner):
    channel = discord_server.world.general
    shown = discord_server.world.add_message(channel, discord_server.bot, "Starting …")
    await ended_job(owner, shown)
    discord_server.fail_next(400, method="POST", path="/channels/.*")

    await bot.get_cog("Training").watcher.look()
    assert pings(discord_server) == []
    await bot.get_cog("Training").watcher.look()

    assert len(pings(discord_server)) == 1


@database_sync_to_async
def ended_job(user, shown) -> FineTuneJob:
    version = LabelledVersionFactory(dataset__name="shops")
    person = Person(role=Role.TRAINER, name=user.name, discord_user_id=int(user.id))
    job = jobs.submit(
        dataset=version.dataset,
        base_model="small",
        on_discord=jobs.AskedOnDiscord(person, int(shown.channel.id), int(shown.id)),
    )
    Task.objects.all().delete()
    FineTuneJob.objects.filter(pk=job.pk).update(
        status="succeeded", remote_job_id="ftjob-9", fine_tuned_model="ft:shops"
    )
    job.refresh_from_db()
    return job
