"""The whole system as a person starts it, with a Discord and a model over real sockets."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import requests

from tests.botrunner.running import Installation, Running
from tests.fakes.openai_endpoint import Reply
from tests.ports import free_port

QUESTION = "What is the capital of France?"


class Dashboard:
    """An admin's browser without JavaScript."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    async def get(self, path: str) -> str:
        answer = await asyncio.to_thread(self._session.get, f"{self.url}{path}", timeout=60)
        answer.raise_for_status()
        return answer.text

    async def post(self, path: str, **data: Any) -> str:
        token = {"X-CSRFToken": self._session.cookies["trainerbot_csrf"]}
        answer = await asyncio.to_thread(
            self._session.post, f"{self.url}{path}", data=data, headers=token, timeout=60
        )
        answer.raise_for_status()
        return answer.text

    async def until(self, path: str, words: str) -> str:
        async with asyncio.timeout(60):
            while words not in (page := await self.get(path)):  # noqa: ASYNC110 (a page is asked)
                await asyncio.sleep(0.1)
        return page


@pytest.fixture
async def system(installation: Installation) -> AsyncIterator[Running]:
    ports = {"TRAINERBOT_PORT": str(free_port()), "MODELSERVER_PORT": str(free_port())}
    running = await installation.start("up", **ports)
    yield running
    await running.stop()


@pytest.fixture
async def dashboard(system: Running) -> Dashboard:
    await system.until_it_says("/start/", timeout_s=60.0)
    found = re.search(r"(http://[^/\s]+)(/start/\S+/)", system.output)
    assert found
    dashboard = Dashboard(found[1])
    await dashboard.get(found[2])
    return dashboard


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@pytest.mark.origin(4)
async def test_the_bot_is_seen_taught_restarted_and_made_to_speak_from_the_dashboard(
    dashboard, discord_server, ada, installation, endpoint, system
):
    # It is online, and the page says so.
    await discord_server.wait_until_online(timeout_s=60.0)
    page = await dashboard.until("/bot/", "online")
    assert "TrainerBot" in page

    # What an admin approves there is the very next answer.
    endpoint.replies = [Reply(pieces=("Ly", "on."))]
    asked = f"{discord_server.bot.mention} {QUESTION}"
    await discord_server.wait_for_reply(to=await discord_server.say(ada, asked), containing="Lyon.")
    await installation.manage(
        *("shell", "-v0", "-c"),
        "from dashboard.services import corrections\n"
        f"corrections.propose(question={QUESTION!r}, better_answer='Paris.')",
    )
    await dashboard.get("/corrections/")
    await dashboard.post("/corrections/1/approve/", state="proposed")
    second = await discord_server.say(ada, asked)
    right = await discord_server.wait_for_reply(to=second, containing="corrected")
    assert right.content.startswith("Paris.")
    assert len(endpoint.chats) == 1

    # A test message arrives, once, and the page tells where.
    page = await dashboard.get("/bot/")
    channel = re.search(r'<option value="(\d+)">#general', page)
    assert channel
    await dashboard.post("/bot/say/", channel=channel[1], text="Hello from the dashboard")
    await discord_server.wait_for_reply(containing="Hello from the dashboard")
    await dashboard.until("/bot/said/", ">sent<")
    said = [message.content for message in discord_server.world.said_by_bot()]
    assert said.count("Hello from the dashboard") == 1

    # A restart is another process, and one bot.
    await dashboard.post("/bot/order/", order="restart")
    await discord_server.until(
        lambda: len(discord_server.gateway.identifies) == 2, "it comes back", 60.0
    )
    await discord_server.wait_until_online()
    third = await discord_server.say(ada, asked)
    await discord_server.wait_for_reply(to=third, containing="Paris.")

    # Stopped, it stays away; started, it is back.
    await dashboard.post("/bot/order/", order="stop")
    await discord_server.until(lambda: not discord_server.gateway.is_connected, "it leaves", 60.0)
    await dashboard.until("/bot/state/", "Stopped on the dashboard")
    await dashboard.post("/bot/order/", order="start")
    await dashboard.post("/bot/order/", order="start")
    await discord_server.wait_until_online(timeout_s=60.0)
    await dashboard.until("/bot/state/", "online")
    assert len(discord_server.gateway.connections) == 1
    assert "Traceback" not in system.output
