"""`!archive`, `!select_dataset` and `!getfile`: what comes along, what is kept, what is refused."""

import hashlib
import io
import zipfile

import pytest
from channels.db import database_sync_to_async

from botrunner.intake import Patience
from dashboard.models import AuditEvent, DatasetChoice, DatasetExport, FineTuneJob
from dashboard.services import library, tasks
from tests.botrunner.roles import add_member
from tests.botrunner.working import a_worker
from tests.factories import DatasetVersionFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30),
]


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
async def tess(simcord_env, channel):
    simcord_env.bot.get_cog("Library").patience = Patience(look_every_s=0.05)
    return await add_member(simcord_env, channel.guild, "tess", grants="trainer")


@pytest.fixture
async def adam(simcord_env, channel):
    return await add_member(simcord_env, channel.guild, "adam", grants="admin")


@database_sync_to_async
def a_dataset(name: str = "rooms", **fields) -> object:
    return DatasetVersionFactory(dataset__name=name, **fields)


@database_sync_to_async
def an_archive(version) -> DatasetExport:
    from dashboard.services.access import Person, Role

    exported = library.archive(version, actor=Person(Role.TRAINER, "tess"))
    tasks.run_next("a worker", pk=exported.task_id)
    exported.refresh_from_db()
    return exported


def last(channel):
    return [m for m in channel.history() if m.author.bot][-1]


def first_line(channel) -> str:
    return last(channel).content.splitlines()[0]


async def content_of(simcord_env, message) -> bytes:
    [file] = message.attachments
    return simcord_env.backend.cdn.get(file.url)


# --- archive ------------------------------------------------------------------------------
@pytest.mark.origin(19)
async def test_an_archive_tells_its_name_count_and_sum_and_comes_along(simcord_env, channel, tess):
    await a_dataset()

    async with a_worker():
        await tess.send(channel, "!archive rooms")
        await tess.send(channel, "!archive rooms")

    first, second = [e async for e in DatasetExport.objects.order_by("pk")]
    said = last(channel)
    assert said.content.splitlines()[0] == "Files in rooms have been archived."
    assert said.content.splitlines()[1].startswith(
        f"`archives/{second.key.hex[:8]}/rooms-v1.zip`: 12 rows, "
    )
    assert said.content.splitlines()[2] == f"SHA-256 `{second.sha256}`"
    assert "/tmp" not in said.content
    content = await content_of(simcord_env, said)
    assert hashlib.sha256(content).hexdigest() == second.sha256 == first.sha256
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert (await AuditEvent.objects.filter(action="dataset.export").afirst()).actor_name == "tess"


@pytest.mark.origin(18)
@pytest.mark.parametrize("name", ["/srv/pages", "../rooms", "roms", "@everyone"])
async def test_only_datasets_of_the_library_are_archived(channel, tess, name):
    await a_dataset()

    await tess.send(channel, f"!archive {name}")

    assert last(channel).content.startswith("There is no dataset of that name in the library.")
    assert not await DatasetExport.objects.aexists()


@pytest.mark.origin(19)
async def test_an_empty_set_is_reported(channel, tess):
    await a_dataset(draft=True, n_examples=0)

    await tess.send(channel, "!archive rooms")

    assert first_line(channel) == "rooms v1 holds no rows; there is nothing to archive."


async def test_members_may_not_archive(simcord_env, channel):
    eve = await add_member(simcord_env, channel.guild, "eve")

    await eve.send(channel, "!archive rooms")

    assert last(channel).content.startswith("A member may not add and delete datasets.")
    assert len(simcord_env.errors) == 1


async def test_slashed_it_is_the_same_and_offers_names(channel, tess):
    await a_dataset("shop talk")
    await a_dataset("rooms")

    offered = await tess.autocomplete(channel, "archive", "dataset", "TALK")
    async with a_worker():
        result = await tess.slash(channel, "archive", dataset="rooms")

    assert [each["value"] for each in offered] == ["shop talk"]
    assert result.response.content.startswith("Files in rooms have been archived.")
    assert len(result.response.attachments) == 1


async def test_names_are_offered_to_trainers_only(simcord_env, channel, tess):
    await a_dataset()
    eve = await add_member(simcord_env, channel.guild, "eve")

    assert await eve.autocomplete(channel, "archive", "dataset", "r") == []


# --- select_dataset -----------------------------------------------------------------------
@pytest.mark.origin(18)
@pytest.mark.origin(10)
@pytest.mark.parametrize(
    ("flag", "label", "positive"),
    [
        ("", "", True),
        (" positive=True", ", meant as positive", True),
        (" false", ", meant as negative", False),
    ],
)
async def test_a_dataset_is_chosen_and_archived(channel, tess, flag, label, positive):
    await a_dataset()

    async with a_worker():
        await tess.send(channel, f"!select_dataset rooms{flag}")

    lines = last(channel).content.splitlines()
    assert lines[0] == f"Dataset selected and archived. Dataset: rooms v1 (12 examples{label})"
    assert lines[2] == "Files in rooms have been archived."
    choice = await DatasetChoice.objects.select_related("dataset", "discord_user").aget()
    assert (choice.dataset.name, choice.positive) == ("rooms", positive)
    assert (choice.discord_user.discord_user_id, choice.discord_channel_id) == (tess.id, channel.id)


@pytest.mark.origin(18)
async def test_what_is_no_dataset_is_not_chosen(channel, tess):
    await tess.send(channel, "!select_dataset /srv/pages")

    assert last(channel).content.startswith("Failed to select dataset.\nThere is no dataset")
    assert not await DatasetChoice.objects.aexists()


@pytest.mark.origin(10)
async def test_a_flag_that_is_none_gives_the_usage(simcord_env, channel, tess):
    await tess.send(channel, "!select_dataset rooms positive=perhaps")

    assert first_line(channel) == (
        "Use it like this: `!select_dataset <dataset> [positive=True|False]`"
    )
    assert len(simcord_env.errors) == 1


async def test_what_was_chosen_is_trained_on_without_a_name(channel, tess, model):
    version = await a_dataset()
    async with a_worker():
        await tess.send(channel, "!select_dataset rooms")

    await tess.send(channel, "!train")

    job = await FineTuneJob.objects.aget()
    assert job.version_id == version.pk


# --- getfile ------------------------------------------------------------------------------
@pytest.mark.origin(17)
async def test_an_admin_fetches_a_file_by_its_name(simcord_env, channel, adam):
    exported = await an_archive(await a_dataset())

    await adam.send(channel, f"!getfile archives/{exported.key.hex[:8]}/rooms-v1.zip")

    content = await content_of(simcord_env, last(channel))
    assert hashlib.sha256(content).hexdigest() == exported.sha256
    event = await AuditEvent.objects.filter(action="library.fetch").aget()
    assert (event.actor_name, event.detail) == ("adam", {"discord_user_id": adam.id})


@pytest.mark.origin(17)
@pytest.mark.parametrize(
    "name",
    [
        "nothing.zip",
        "../secret_key",
        "/etc/passwd",
        "..",
        ".",
        "archives",
        "C:\\win.ini",
        "@everyone",
    ],
)
async def test_whatever_is_missing_or_forbidden_gets_the_same_words(channel, adam, name):
    await an_archive(await a_dataset())

    await adam.send(channel, f"!getfile {name}")

    said = last(channel)
    escaped = name.replace("_", r"\_").replace("\\w", "\\\\w").replace("@", "@\u200b")
    assert said.content == f"File not found: {escaped}"
    assert said.attachments == []


@pytest.mark.origin(17)
async def test_a_trainer_may_not_fetch_files(simcord_env, channel, tess):
    exported = await an_archive(await a_dataset())

    await tess.send(channel, f"!getfile {exported.filename}")

    assert last(channel).content.startswith("A trainer may not fetch files of the library.")
    assert await AuditEvent.objects.filter(action="access.deny").acount() == 1
    assert len(simcord_env.errors) == 1


async def test_files_are_offered_to_admins_only(channel, tess, adam):
    exported = await an_archive(await a_dataset())

    offered = await adam.autocomplete(channel, "getfile", "file", "ROOMS")

    assert [each["value"] for each in offered] == [library.entry(exported).name]
    assert await tess.autocomplete(channel, "getfile", "file", "rooms") == []
