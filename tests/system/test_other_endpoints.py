"""The whole system with somebody else's model and with a Discord token, over real sockets."""

import asyncio
import shutil
from contextlib import ExitStack

import pytest

from tests.fakes.discord import FakeDiscord
from tests.fakes.openai_endpoint import API_KEY, FakeOpenAI, Reply
from tests.system.running import manage, rows, system

QUESTION = "What is the capital of France?"


@pytest.fixture
def endpoint():
    with FakeOpenAI() as fake:
        yield fake


async def test_one_correction_reaches_command_and_discord_with_any_endpoint(
    tmp_path, migrated_database, endpoint
):
    shutil.copy(migrated_database, tmp_path)
    model = {"OPENAI_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": API_KEY}
    async with FakeDiscord() as discord:
        ada = discord.add_user("Ada")
        with ExitStack() as stack:
            running = await asyncio.to_thread(
                stack.enter_context, system(tmp_path, **model, **discord.environ)
            )
            parts = (await asyncio.to_thread(running.wait_until_ready))["parts"]
            assert parts["modelserver"]["state"].startswith("not needed")
            assert parts["bot"]["state"] == "running"

            endpoint.replies = [Reply(pieces=("Ly", "on."))]
            asked = await discord.say(ada, f"{discord.bot.mention} {QUESTION}")
            await discord.wait_for_reply(to=asked, containing="Lyon.")
            await asyncio.to_thread(manage, running.env, "correct", QUESTION, "Paris.")
            again = await discord.say(ada, f"{discord.bot.mention} {QUESTION}")
            await discord.wait_for_reply(to=again, containing="Paris.")
            told = await asyncio.to_thread(manage, running.env, "ask", QUESTION, "--json")

            assert rows(told)[0]["answer"] == "Paris."
            assert len(endpoint.chats) == 1
            assert await asyncio.to_thread(running.stop) == 0, running.output()
    assert API_KEY not in running.output()
    assert discord.token not in running.output()
