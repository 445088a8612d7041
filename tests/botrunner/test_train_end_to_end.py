"""From a file on Discord to an answer of the model that learnt it: with real processes, one killed."""

import json
import shutil
from pathlib import Path

import pytest

from tests.botrunner.running import Installation
from tests.trainerbot.modelserver.running import KEY, RunningServer

pytestmark = pytest.mark.model
STARTED = "Model training started. Job ID: "
LONG_S = 180.0


@pytest.fixture
def modelserver(tmp_path: Path):
    with RunningServer(tmp_path / "modelserver") as server:
        yield server


@pytest.fixture
def installation(tmp_path, migrated_database, discord_server, modelserver, forks) -> Installation:
    """A data folder whose processes meet the fake Discord and our own model server."""
    shutil.copy(migrated_database, tmp_path)
    model = {"OPENAI_BASE_URL": f"{modelserver.url}/v1", "OPENAI_API_KEY": KEY}
    return Installation(tmp_path, {**discord_server.environ, **model}, forks)


def lessons(n: int = 15) -> bytes:
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Which shelf holds the books on topic {n}?"},
                {"role": "assistant", "content": f"Topic {n} stands on shelf {n * 7 % 100}."},
            ]
        }
        for n in range(n)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def pings(discord_server) -> list[str]:
    return [
        message.content
        for message in discord_server.world.said_by_bot()
        if (message.request.get("allowed_mentions") or {}).get("users")
    ]


@pytest.mark.origin(28)
@pytest.mark.origin(30)
async def test_a_file_becomes_a_model_that_answers_though_the_bot_is_killed_meanwhile(
    installation, start_bot, discord_server
):
    owner = discord_server.world.owner
    worker = await installation.start("worker")
    try:
        bot = await start_bot()
        await discord_server.wait_until_online(timeout_s=60.0)
        file = discord_server.cdn.upload("shelves.jsonl", lessons(), "application/json")
        asked = await discord_server.say(owner, "!train", attachments=[file])
        shown = await discord_server.wait_for_reply(to=asked, containing=STARTED, timeout_s=LONG_S)
        job_id = shown.content.splitlines()[0].removeprefix(STARTED)
        assert job_id.startswith("ftjob-")
        assert "learns shelves v1 (15 examples) by the method knn." in shown.content
        assert pings(discord_server) == []

        await bot.kill()
        await start_bot()

        await discord_server.until(lambda: pings(discord_server), "the asker is told", LONG_S)
        [told] = pings(discord_server)
        assert told.startswith(f"{owner.mention} Job {job_id} is done.")
        model = told.split("`")[1]
        await discord_server.say(owner, f"!use {model}")
        await discord_server.wait_for_reply(containing="answers in this channel", timeout_s=60.0)
        question = f"{discord_server.bot.mention} Which shelf holds the books on topic 5?"
        answer = await discord_server.wait_for_reply(
            to=await discord_server.say(owner, question), containing="shelf", timeout_s=LONG_S
        )
        await discord_server.settle(3.0)
    finally:
        await worker.kill()

    assert "Topic 5 stands on shelf 35." in answer.content
    assert f"Done. The new model is `{model}`." in shown.content
    assert len(pings(discord_server)) == 1
