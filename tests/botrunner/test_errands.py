"""What the dashboard asks of the bot: done once, whatever dies, and answered in words."""

import asyncio

import pytest
from channels.db import database_sync_to_async

from botrunner import rest
from dashboard.models import DiscordChannel, DiscordGuild, Task
from dashboard.services import bot as bots
from dashboard.services.tasks import queue
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@database_sync_to_async
def ask(discord_server, text: str = "Hello", *, channel_id: str = "") -> Task:
    guild = DiscordGuild.objects.create(
        discord_guild_id=int(discord_server.world.guild.id), name="Testers"
    )
    channel = DiscordChannel.objects.create(
        discord_channel_id=int(channel_id or discord_server.world.general.id),
        guild=guild,
        name="general",
    )
    return bots.say(channel_id=channel.pk, text=text, actor=UserFactory(admin=True))


@database_sync_to_async
def killed_while_it_did(task: Task) -> None:
    """Let it look as if a bot had claimed the task and died long ago."""
    assert queue.claim("a dead bot", of_bot=True) == task
    Task.objects.update(lease_until="2020-01-01T00:00Z")


async def end_of(task: Task) -> Task:
    async with asyncio.timeout(60):
        while not task.is_finished:
            await asyncio.sleep(0.05)
            await task.arefresh_from_db()
    return task


async def test_a_test_message_is_posted_and_the_task_says_where(bot, discord_server):
    done = await end_of(await ask(discord_server, "Hello @everyone"))

    [message] = discord_server.world.said_by_bot()
    assert message.content == "Hello @everyone"
    assert message.request["allowed_mentions"] == {"parse": []}
    assert done.state == "succeeded"
    assert done.result["message_id"] == message.id


async def test_the_link_to_a_test_message_leads_to_its_server(bot, discord_server):
    done = await end_of(await ask(discord_server))

    world = discord_server.world
    where = f"{world.guild.id}/{world.general.id}/{done.result['message_id']}"
    assert done.result["url"] == f"https://discord.com/channels/{where}"


async def test_what_waited_for_the_bot_is_done_when_it_comes(run_bot, discord_server, model):
    task = await ask(discord_server)

    run_bot()

    assert (await end_of(task)).state == "succeeded"


async def test_a_bot_killed_after_it_posted_does_not_post_again(run_bot, discord_server, model):
    task = await ask(discord_server)
    await killed_while_it_did(task)
    said = discord_server.world.add_message(
        discord_server.world.general, discord_server.bot, "Hello"
    )
    discord_server.routes.remember_nonce(discord_server.world.general, f"task-{task.pk}", said)

    run_bot()

    done = await end_of(task)
    assert done.result["message_id"] == said.id
    assert len(discord_server.world.said_by_bot()) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "may not write there"), (404, "channel is gone"), (400, "does not take this message")],
)
async def test_a_refusal_is_told_in_words(bot, discord_server, status, words):
    discord_server.fail_next(status, method="POST", path=".*/messages")

    done = await end_of(await ask(discord_server))

    assert done.state == "failed"
    assert words in done.error


async def test_an_errand_that_this_bot_does_not_know_fails_in_words(bot):
    task = await database_sync_to_async(queue.submit)("bot.dance", args={})

    done = await end_of(task)

    assert "does not know how to do that" in done.error


async def test_a_discord_that_is_away_is_tried_again_later(bot, discord_server, monkeypatch):
    monkeypatch.setattr(rest, "PAUSES_S", (0.02, 0.04, 0.08, 0.16))
    discord_server.fail_next(503, method="POST", path=".*/messages", times=5)

    task = await ask(discord_server)

    await discord_server.until(
        lambda: [r.status for r in discord_server.rest.requests].count(503) == 5, "all is tried"
    )
    async with asyncio.timeout(60):
        while task.attempts == 0:
            await asyncio.sleep(0.05)
            await task.arefresh_from_db()
    assert (task.state, task.error) == ("ready", "Discord cannot be reached yet.")


# --- orders of admins, with nobody to supervise ------------------------------------------------
@database_sync_to_async
def order(what: str) -> None:
    bots.order(bots.orders.Order(what), actor=UserFactory(admin=True))


async def test_a_lone_bot_ends_to_start_anew_when_an_admin_asks(run_bot, discord_server, model):
    _, end = run_bot(obeys=True)
    await discord_server.wait_until_online()

    await order("restart")

    assert await end is True


async def test_a_lone_bot_that_is_stopped_waits_until_it_is_started(run_bot, discord_server, model):
    _, end = run_bot(obeys=True)
    await discord_server.wait_until_online()
    await order("stop")
    assert await end is True

    run_bot(obeys=True)  # as the command does
    await discord_server.settle(0.5)
    assert not discord_server.gateway.is_connected
    await order("start")

    await discord_server.wait_until_online()


async def test_a_supervised_bot_leaves_orders_to_its_supervisor(run_bot, discord_server, model):
    _, end = run_bot()
    await discord_server.wait_until_online()

    await order("restart")
    await discord_server.settle(0.5)

    assert not end.done()
    assert discord_server.gateway.is_connected
