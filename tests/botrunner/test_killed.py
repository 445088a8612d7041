"""A bot that is killed in the middle of an answer: in the end there is one answer, logged once."""

import asyncio
import json

import pytest

from tests.botrunner.running import Installation
from tests.botrunner.test_runbot import rows
from tests.fakes.openai_endpoint import Reply

WORDS = ("One", " two", " three.")


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@pytest.fixture
async def bot(start_bot, discord_server):
    running = await start_bot()
    await discord_server.wait_until_online()
    return running


def log_of(installation: Installation) -> list[tuple[str, str, str]]:
    query = "SELECT role, content, error FROM dashboard_message ORDER BY id"
    return rows(installation, query)


async def until_logged(installation: Installation, count: int) -> list[tuple[str, str, str]]:
    async with asyncio.timeout(60):
        while len(log := log_of(installation)) < count:  # noqa: ASYNC110 (rows wake nobody up)
            await asyncio.sleep(0.05)
    return log


async def the_end(discord_server, installation, question, endpoint, start_bot):
    """Start the next bot and return what stands in Discord and in the log in the end."""
    endpoint.default = Reply(pieces=WORDS)
    await start_bot()
    await discord_server.wait_for_reply(to=question, containing="three.")
    log = await until_logged(installation, 2)
    await discord_server.settle(1.0)
    said = [message.content for message in discord_server.world.said_by_bot()]
    return said, log_of(installation) or log


ONE_ANSWER = (
    ["One two three."],
    [("user", "Count.", ""), ("assistant", "One two three.", "")],
)


async def test_killed_between_the_question_and_its_answer(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    endpoint.default = Reply(pieces=WORDS, delay_s=60.0)
    question = await discord_server.dm(ada, "Count.")
    await until_logged(installation, 1)

    await bot.kill()

    assert await the_end(discord_server, installation, question, endpoint, start_bot) == ONE_ANSWER


async def test_killed_in_the_middle_of_its_words(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    endpoint.default = Reply(pieces=(*WORDS[:2], " and so on"), delay_s=1.5)
    question = await discord_server.dm(ada, "Count.")
    begun = await discord_server.wait_for_reply(to=question, containing="One")

    await bot.kill()

    assert await the_end(discord_server, installation, question, endpoint, start_bot) == ONE_ANSWER
    assert begun.content == "One two three."


async def test_killed_after_the_post_and_before_the_log(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    endpoint.default = Reply(pieces=("Something else.",))
    question = await discord_server.dm(ada, "Count.")
    posted = await discord_server.wait_for_reply(to=question)
    await bot.kill()
    # As if the kill had come a moment earlier: nothing tells of the answer but Discord.
    await installation.manage(
        "shell",
        "--no-imports",
        "-c",
        "from dashboard.models import Message\n"
        "Message.objects.filter(role='assistant').delete()\n"
        "Message.objects.update(begun_discord_message_id=None)",
    )

    assert await the_end(discord_server, installation, question, endpoint, start_bot) == ONE_ANSWER
    assert posted.content == "One two three."


async def test_what_was_asked_while_it_was_down_is_answered_once(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    first = await discord_server.dm(ada, "Hello?")
    await discord_server.wait_for_reply(to=first, containing="there.")
    await until_logged(installation, 2)
    await bot.kill()
    discord_server.gateway.sessions.clear()
    endpoint.default = Reply(pieces=WORDS)
    missed = await discord_server.dm(ada, "Count.")

    await start_bot()

    await discord_server.wait_for_reply(to=missed, containing="three.")
    log = await until_logged(installation, 4)
    await discord_server.settle(1.0)
    assert [content for _, content, _ in log] == [
        "Hello?",
        "Hello there.",
        "Count.",
        "One two three.",
    ]
    assert len(discord_server.world.said_by_bot()) == 2


async def test_an_old_question_is_closed_in_the_log_and_not_answered(
    start_bot, discord_server, ada, installation, endpoint
):
    await installation.manage(
        "shell",
        "--no-imports",
        "-c",
        "from datetime import timedelta\n"
        "from django.utils.timezone import now\n"
        "from dashboard.models import Message\n"
        "from dashboard.services import conversations\n"
        "talk = conversations.for_discord(guild_id=None, guild_name='', channel_id=5,\n"
        "    channel_name='Ada', discord_user_id=6, user_name='Ada')\n"
        "conversations.log_question(conversation=talk, text='Old?', discord_message_id=7)\n"
        "Message.objects.update(created_at=now() - timedelta(minutes=11))",
    )

    await start_bot()

    log = await until_logged(installation, 2)
    assert log[1][2] == "The system was stopped while it was answering. Ask again."
    assert json.dumps(endpoint.chats) == "[]"


async def test_who_waited_for_their_turn_is_answered_though_others_were_logged_after_them(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    grace, mention = discord_server.add_user("Grace"), discord_server.bot.mention
    endpoint.default = Reply(pieces=WORDS, delay_s=60.0)
    first = await discord_server.say(ada, f"{mention} First.")
    await until_logged(installation, 1)
    waiting = await discord_server.say(ada, f"{mention} Second.")
    other = await discord_server.say(grace, f"{mention} Third.")
    await until_logged(installation, 2)
    await bot.kill()
    discord_server.gateway.sessions.clear()
    endpoint.default = Reply(pieces=WORDS)

    await start_bot()

    for question in (first, waiting, other):
        await discord_server.wait_for_reply(to=question, containing="three.")
    log = await until_logged(installation, 6)
    await discord_server.settle(1.0)
    assert sorted(words for role, words, _ in log if role == "user") == [
        "First.",
        "Second.",
        "Third.",
    ]
    assert len(log) == 6
    assert len(discord_server.world.said_by_bot()) == 3


async def test_an_answer_by_slash_that_had_begun_is_ended_in_words(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    endpoint.default = Reply(pieces=(*WORDS[:2], " and so on"), delay_s=1.5)
    command = {"id": "1", "name": "ask", "type": 1}
    question = {"type": 3, "name": "question", "value": "Count."}
    await discord_server.interact(ada, type=2, data={**command, "options": [question]})
    begun = await discord_server.wait_for_reply(containing="One")
    query = "SELECT begun_discord_message_id FROM dashboard_message"
    async with asyncio.timeout(60):
        while rows(installation, query) == [(None,)]:  # noqa: ASYNC110 (rows wake nobody up)
            await asyncio.sleep(0.02)

    await bot.kill()
    await start_bot()

    [_, (role, said, error)] = await until_logged(installation, 2)
    sentence = "The system was stopped while it was answering. Ask again."
    assert (role, error) == ("assistant", sentence)
    assert begun.content == f"{said}\n\n{sentence}"


async def killed_thinking(bot, discord_server, ada, installation, endpoint) -> None:
    """Kill the bot while Discord shows that it thinks about a command."""
    endpoint.default = Reply(pieces=WORDS, delay_s=60.0)
    option = {"type": 3, "name": "question", "value": "Count."}
    command = {"id": "1", "name": "ask", "type": 1, "options": [option]}
    await discord_server.interact(ada, type=2, data=command)
    async with asyncio.timeout(60):
        query = "SELECT question_id FROM dashboard_openinteraction"
        while not rows(installation, query):  # noqa: ASYNC110 (rows wake nobody up)
            await asyncio.sleep(0.02)
    await discord_server.until(discord_server.world.said_by_bot, "it thinks")
    await bot.kill()


STOPPED = "The system was stopped while it was answering. Ask again."


async def test_a_question_by_slash_that_was_killed_before_its_first_word_is_ended_where_it_thinks(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    await killed_thinking(bot, discord_server, ada, installation, endpoint)
    [thinking] = discord_server.world.said_by_bot()
    assert thinking.content == ""
    [(sealed,)] = rows(installation, "SELECT sealed FROM dashboard_openinteraction")
    assert b"interaction-" not in sealed

    await start_bot()

    [_, (_, _, error)] = await until_logged(installation, 2)
    assert error == thinking.content == STOPPED
    assert len(discord_server.world.said_by_bot()) == 1


async def test_where_a_command_can_no_longer_be_ended_its_channel_is_told(
    bot, start_bot, discord_server, ada, installation, endpoint
):
    await killed_thinking(bot, discord_server, ada, installation, endpoint)
    await installation.manage(
        "shell",
        "--no-imports",
        "-c",
        "from dashboard.models import OpenInteraction\n"
        "from django.utils.timezone import now\n"
        "OpenInteraction.objects.update(expires_at=now())",
    )

    await start_bot()

    await until_logged(installation, 2)
    told = [message.content for message in discord_server.world.said_by_bot()]
    assert f"Ada: {STOPPED}" in told
