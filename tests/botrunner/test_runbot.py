"""`manage.py runbot` in a process of its own, against a Discord and a model over real sockets."""

import asyncio
import json
import signal
import sqlite3

import pytest

from tests.botrunner.running import Installation
from tests.fakes.openai_endpoint import Reply


def rows(installation: Installation, query: str) -> list[tuple]:
    with sqlite3.connect(installation.data / "trainerbot.sqlite3", timeout=10) as database:
        return database.execute(query).fetchall()


async def logged(installation: Installation, count: int) -> list[tuple]:
    """The words in the log, once there are as many messages.

    An answer is logged with the id of its message, so a moment after it was posted.
    """
    query = "SELECT content FROM dashboard_message ORDER BY id"
    async with asyncio.timeout(60):
        while len(said := rows(installation, query)) < count:  # noqa: ASYNC110 (rows wake nobody up)
            await asyncio.sleep(0.05)
    return said


def bot_row(installation: Installation) -> dict:
    [row] = rows(
        installation, "SELECT state, detail, holder FROM dashboard_processstate WHERE name = 'bot'"
    )
    return {"state": row[0], "detail": json.loads(row[1]), "holder": row[2]}


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@pytest.fixture
async def bot(start_bot, discord_server):
    running = await start_bot()
    await discord_server.wait_until_online()
    return running


# --- the loop: ask, wrong, corrected, right ----------------------------------------------
async def test_a_correction_made_elsewhere_is_the_next_answer(
    bot, discord_server, ada, installation, endpoint
):
    endpoint.replies = [Reply(pieces=("Ly", "on."))]
    question = f"{discord_server.bot.mention} What is the capital of France?"
    first = await discord_server.say(ada, question)
    wrong = await discord_server.wait_for_reply(to=first, containing="Lyon.")

    taught = await installation.manage(
        "correct", "What is the capital of France?", "Paris, on the Seine.", "--json"
    )
    second = await discord_server.say(ada, question)

    right = await discord_server.wait_for_reply(to=second, containing="corrected")
    number = json.loads(taught)["id"]
    assert right.content == f"Paris, on the Seine.\n-# corrected · #{number}"
    assert "corrected" not in wrong.content
    assert len(endpoint.chats) == 1
    said = await logged(installation, 4)
    assert [content for (content,) in said] == [
        "What is the capital of France?",
        "Lyon.",
        "What is the capital of France?",
        "Paris, on the Seine.",
    ]


# --- a dataset ---------------------------------------------------------------------------
async def test_a_file_given_to_the_bot_becomes_rows_by_the_worker(
    bot, discord_server, installation
):
    rooms = [
        {"messages": [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": n}]}
        for n in ("Left.", "Right.", "Upstairs.")
    ]
    lines = "".join(json.dumps(room) + "\n" for room in rooms).encode()
    file = discord_server.cdn.upload("rooms.jsonl", lines, "application/json")
    worker = await installation.start("worker")
    try:
        asked = await discord_server.say(
            discord_server.world.owner, "!import rooms", attachments=[file]
        )
        answer = await discord_server.wait_for_reply(to=asked, containing="draft", timeout_s=60.0)
    finally:
        await worker.kill()

    *_, found, where = answer.content.splitlines()
    assert found.startswith("rooms v1: 3 examples, a draft.")
    assert where == "Look at it, freeze and train it on the dashboard."
    stored = rows(
        installation,
        "SELECT e.answer, p.source, p.author, p.reference FROM dashboard_example e "
        "JOIN dashboard_provenance p ON p.id = e.provenance_id ORDER BY e.position",
    )
    came_from = ("discord_command", discord_server.world.owner.name, "rooms.jsonl")
    assert stored == [(said, *came_from) for said in ("Left.", "Right.", "Upstairs.")]


# --- the end -------------------------------------------------------------------------------
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_after_the_answer_in_flight(
    bot, discord_server, ada, installation, endpoint, number
):
    endpoint.default = Reply(pieces=("One", " two", " three."), delay_s=0.5)
    question = await discord_server.dm(ada, "Count to three.")
    await discord_server.until(lambda: endpoint.chats, "the model is asked")

    code = await bot.stop(number)

    answer = await discord_server.wait_for_reply(to=question)
    assert (code, answer.content) == (0, "One two three.")
    assert "Traceback" not in bot.output
    assert bot_row(installation)["state"] == "stopped"


# --- refused in words ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DISCORD_TOKEN": ""}, "No DISCORD_TOKEN is set."),
        ({"DISCORD_TOKEN": "MTA.wrong.token"}, "Discord refused the token."),
        ({"DISCORD_API_BASE": "http://discord.example/api/v10"}, "this machine only"),
    ],
)
async def test_settings_that_cannot_work_are_refused_in_words(start_bot, settings, words):
    running = await start_bot(**settings)

    code = await running.end()

    assert code == 78
    assert words in running.output
    assert "Traceback" not in running.output
    assert "MTA.wrong.token" not in running.output


@pytest.mark.origin(2)
async def test_the_token_stands_in_no_log_and_in_no_row(
    bot, discord_server, ada, installation, endpoint
):
    endpoint.default = Reply(pieces=("Fine.",))
    await discord_server.dm(ada, "How are you?")
    await discord_server.wait_for_reply(containing="Fine.")
    await bot.stop()

    stored = (installation.data / "trainerbot.sqlite3").read_bytes()
    assert discord_server.token not in bot.output
    assert discord_server.token.encode() not in stored


async def test_shards_that_cannot_be_are_refused_in_words(start_bot):
    running = await start_bot("--shard-ids", "5-9", "--shard-count", "4")

    assert await running.end() == 78
    assert "is not within the 4 shards" in running.output


# --- one at a time --------------------------------------------------------------------------
async def test_the_second_bot_waits_and_takes_over(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    second = await start_bot()
    await second.until_it_says("Another runbot is running.")
    await discord_server.dm(ada, "Who answers?")
    await discord_server.wait_for_reply()

    await bot.stop()

    await discord_server.until(lambda: len(discord_server.gateway.identifies) == 2, "takes over")
    assert len(discord_server.world.said_by_bot()) == 1
    assert await second.stop() == 0


async def test_the_second_bot_takes_over_within_seconds_of_a_kill(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    second = await start_bot()
    await second.until_it_says("Another runbot is running.")

    await bot.kill()

    await discord_server.until(
        lambda: len(discord_server.gateway.identifies) == 2, "the second one connects", 15.0
    )
    await discord_server.dm(ada, "Who answers?")
    await discord_server.wait_for_reply()
    assert await second.stop() == 0


async def test_the_place_of_a_killed_bot_is_taken_at_once(
    bot, start_bot, discord_server, installation
):
    await bot.kill()

    await start_bot()

    await discord_server.until(
        lambda: len(discord_server.gateway.identifies) == 2, "another one connects", 10.0
    )
