"""Files given to `train` that are faulty, hostile or oddly named."""

import io
import zipfile

import pytest

from botrunner.cogs.training import watching
from dashboard.models import DatasetVersion, FineTuneJob
from dashboard.services import providers
from tests.botrunner.test_training import FAILED, LINES, STARTED
from tests.botrunner.working import a_worker, give

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bot(connected_bot, model, monkeypatch):
    monkeypatch.setattr(watching, "SPACING_S", 0.05)
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.05)
    yield connected_bot
    providers.close_finetune_provider()


async def test_a_faulty_file_is_refused_with_its_errors_and_trains_nothing(bot, discord_server):
    async with a_worker(hurry=True):
        asked = await give(discord_server, "!train", "rooms.jsonl", LINES + b'{"messages": 1}\n')
        answer = await discord_server.wait_for_reply(to=asked, containing=FAILED, timeout_s=30.0)

    assert "12 examples, 1 error." in answer.content
    assert not await FineTuneJob.objects.aexists()
    assert not await DatasetVersion.everything.aexists()


def a_bomb() -> bytes:
    """Some hundred kilobytes that unpack to a hundred megabytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rooms.jsonl", b" " * (100 * 2**20))
    return packed.getvalue()


async def test_a_zip_bomb_is_refused_in_words_and_trains_nothing(bot, discord_server):
    async with a_worker(hurry=True):
        asked = await give(discord_server, "!train", "rooms.zip", a_bomb())
        answer = await discord_server.wait_for_reply(to=asked, containing=FAILED, timeout_s=30.0)

    assert "a zip bomb" in answer.content
    assert not await FineTuneJob.objects.aexists()
    assert not await DatasetVersion.everything.aexists()


async def test_a_file_whose_name_is_two_thousand_emoji_is_trained_on(bot, discord_server, model):
    async with a_worker(hurry=True):
        file = discord_server.cdn.upload("rooms.jsonl", LINES, "application/json")
        file.extra["filename"] = f"{'🎉' * 2_000}.jsonl"
        asked = await discord_server.say(discord_server.world.owner, "!train", attachments=[file])
        shown = await discord_server.wait_for_reply(to=asked, containing=STARTED, timeout_s=30.0)

    version = await DatasetVersion.objects.select_related("dataset").aget()
    assert version.dataset.name == "🎉" * 120
    assert all(len(each.content) <= 2_000 for each in shown.versions)
