"""The whole bot in this process, against a Discord and a model over real sockets."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.utils.timezone import now

from botrunner.process import BotProcess, LoginRefused
from dashboard.models import Message, OutboxEvent, ProcessState
from dashboard.services import conversations, leftovers, outbox, processes
from tests.fakes.openai_endpoint import Reply
from trainerbot.errors import Conflict

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("identifies_at_once"),
]


publish = database_sync_to_async(outbox.publish)


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@database_sync_to_async
def said() -> list[tuple[str, str, str]]:
    return list(Message.objects.order_by("pk").values_list("role", "content", "error"))


@database_sync_to_async
def row() -> ProcessState:
    return ProcessState.objects.get(name="bot")


@database_sync_to_async
def take_place_of(process: BotProcess) -> None:
    processes.release("bot", process.holder)
    assert processes.hold("bot", "elsewhere:1")


# --- an answer as it forms ----------------------------------------------------------------
async def test_a_slow_answer_is_posted_early_and_edited_at_most_every_1_2_seconds(
    bot, discord_server, ada, model
):
    words = tuple(f"word{number} " for number in range(30))
    model.default = Reply(pieces=words, delay_s=0.1)

    await discord_server.dm(ada, "Count slowly.")

    answer = await discord_server.wait_for_reply(containing="word29")
    times = [version.at_s for version in answer.versions]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert answer.versions[0].content.startswith("word0")
    assert "word29" not in answer.versions[0].content
    assert 3 <= len(answer.versions) <= 4
    assert all(gap >= 1.15 for gap in gaps[:-1])  # the last one does not wait
    assert discord_server.world.typing


async def test_under_a_rate_limit_the_latest_words_win(bot, discord_server, ada, model):
    discord_server.limit_messages(1, window_s=1.5)
    model.default = Reply(pieces=tuple(f"word{n} " for n in range(20)), delay_s=0.1)

    await discord_server.dm(ada, "Count slowly.")

    answer = await discord_server.wait_for_reply(containing="word19")
    assert len(answer.versions) <= 3
    assert not [r for r in discord_server.rest.requests if r.status == 429]


async def test_an_answer_removed_while_it_formed_is_not_put_back(bot, discord_server, ada, model):
    model.default = Reply(pieces=("One", " two", " three."), delay_s=0.5)
    await discord_server.dm(ada, "Count to three.")
    answer = await discord_server.wait_for_reply(containing="One")

    answer.is_deleted = True

    await discord_server.until(
        lambda: any(r.status == 404 for r in discord_server.rest.requests), "an edit fails"
    )
    await discord_server.settle(1.5)
    assert discord_server.world.said_by_bot() == []


@pytest.mark.parametrize(("status", "via"), [(429, True), (429, False), (502, True), (503, True)])
async def test_what_discord_refuses_for_a_moment_is_sent_again(
    bot, discord_server, ada, model, status, via
):
    discord_server.fail_next(status, method="POST", path=".*/messages", via=via)

    question = await discord_server.dm(ada, "Hello?")

    answer = await discord_server.wait_for_reply(to=question)
    assert answer.content == "Hello there."


async def test_an_answer_whose_receipt_was_lost_is_posted_once(bot, discord_server, ada, model):
    discord_server.fail_next(503, method="POST", path=".*/messages", took_effect=True)

    await discord_server.dm(ada, "Hello?")

    await discord_server.wait_for_reply()
    await discord_server.settle(1.0)
    assert len(discord_server.world.said_by_bot()) == 1


async def test_the_answer_to_a_question_that_was_removed_still_comes(
    bot, discord_server, ada, model
):
    model.default = Reply(pieces=("Hello", " there."), delay_s=0.2)
    question = await discord_server.dm(ada, "Hello?")

    question.is_deleted = True

    answer = await discord_server.wait_for_reply(containing="there.")
    assert answer.reply_to is None


async def test_an_answer_whose_end_is_refused_counts_as_none_and_its_asker_is_told(
    bot, discord_server, ada, model
):
    model.default = Reply(pieces=("One", " two"), delay_s=0.3)
    question = await discord_server.say(ada, f"{discord_server.bot.mention} Count.")
    begun = await discord_server.wait_for_reply(to=question, containing="One")
    discord_server.fail_next(403, method="PATCH")

    sentence = "Discord did not take my answer to you, or not all of it. Ask again."
    told = await discord_server.wait_for_reply(containing=sentence)

    assert told.channel is discord_server.world.direct_channel(ada)
    assert begun.content == "One"
    async with asyncio.timeout(60):
        while len(log := await said()) < 2:  # noqa: ASYNC110 (rows wake nobody up)
            await asyncio.sleep(0.02)
    assert log[1][1] == "One two"
    assert log[1][2].startswith(sentence)
    answer = await Message.objects.aget(role="assistant")
    assert answer.discord_message_id == int(begun.id)
    assert answer.completion_tokens


# --- the connection -------------------------------------------------------------------------
async def test_a_dropped_gateway_is_resumed_and_the_missed_question_answered_once(
    bot, discord_server, ada, model
):
    await discord_server.gateway.drop()
    question = await discord_server.dm(ada, "Are you still there?")

    await discord_server.wait_for_reply(to=question, containing="there.")

    await discord_server.settle()
    assert len(discord_server.gateway.resumes) == 1
    assert len(discord_server.world.said_by_bot()) == 1


async def test_a_first_handshake_that_fails_is_tried_again(run_bot, discord_server, model):
    discord_server.gateway.handshakes_to_refuse = 1

    run_bot()

    await discord_server.wait_until_online()


async def test_a_discord_that_is_down_at_first_is_tried_again(
    run_bot, discord_server, model, caplog
):
    discord_server.fail_next(503, path="/users/@me")
    discord_server.fail_next(403, path="/users/@me")

    run_bot()

    await discord_server.wait_until_online()
    assert "Discord answered 503" in caplog.text
    assert "Discord cannot be reached" in caplog.text


async def test_without_the_message_content_intent_it_goes_on_and_says_so(
    run_bot, discord_server, ada, model, caplog
):
    discord_server.gateway.allows_privileged_intents = False

    run_bot()
    await discord_server.wait_until_online()
    question = await discord_server.say(ada, f"{discord_server.bot.mention} hello")

    answer = await discord_server.wait_for_reply(to=question, containing="there.")
    assert "did not grant the message content intent" in caplog.text
    silent = await discord_server.say(ada, "hidden words", reply_to=answer, pings_author=False)
    sentence = await discord_server.wait_for_reply(to=silent)
    assert "mention" in sentence.content


async def test_malformed_events_are_borne(bot, discord_server, ada, model):
    for event in ("MESSAGE_CREATE", "NEVER_HEARD_OF"):
        await discord_server.gateway.send_raw(f'{{"op": 0, "t": "{event}", "s": 99, "d": {{}}}}')

    question = await discord_server.dm(ada, "Hello?")

    await discord_server.wait_for_reply(to=question, containing="there.")


# --- what happens elsewhere ---------------------------------------------------------------
async def test_what_happens_elsewhere_reaches_the_cogs_in_order(run_bot, discord_server, model):
    process, _ = run_bot()
    await discord_server.wait_until_online()
    heard: list[int] = []

    async def on_outbox(event: OutboxEvent) -> None:
        heard.append(event.payload["number"])

    process.bot.add_listener(on_outbox)
    for number in range(30):
        await publish("settings", "test.counted", number=number)

    async with asyncio.timeout(60):
        while len(heard) < 30:  # noqa: ASYNC110 (a listener wakes nobody up)
            await asyncio.sleep(0.02)
    assert heard == list(range(30))


# --- the end ----------------------------------------------------------------------------------
GOES_ON = "-# The bot is being restarted. It goes on with this answer by itself."


async def test_an_answer_that_takes_too_long_at_the_end_is_handed_over_to_the_next_process(
    run_bot, discord_server, ada, model
):
    model.replies = [Reply(pieces=("One", " two", " three."), delay_s=2.0)]
    model.default = Reply(pieces=("One", " two", " three."))
    process, end = run_bot(drain_s=0.1)
    await discord_server.wait_until_online()
    question = await discord_server.dm(ada, "Count to three.")
    answer = await discord_server.wait_for_reply(to=question, containing="One")

    process.wishes.ask_to_stop()
    await end
    left = answer.content
    run_bot()
    await discord_server.until(lambda: answer.content == "One two three.", "it goes on", 20.0)

    assert left == f"One\n{GOES_ON}"
    assert len(discord_server.world.said_by_bot()) == 1
    async with asyncio.timeout(60):
        while len(await said()) < 2:  # noqa: ASYNC110 (rows wake nobody up)
            await asyncio.sleep(0.02)
    assert await said() == [("user", "Count to three.", ""), ("assistant", "One two three.", "")]


async def test_asked_twice_it_does_not_wait_for_answers(run_bot, discord_server, ada, model):
    model.default = Reply(pieces=("One", " two", " three."), delay_s=2.0)
    process, end = run_bot(drain_s=60.0)
    await discord_server.wait_until_online()
    await discord_server.dm(ada, "Count to three.")
    await discord_server.until(lambda: model.chats, "the model is asked")

    process.wishes.ask_to_stop()
    process.wishes.ask_to_stop()
    await end

    [sentence] = discord_server.world.said_by_bot()
    assert sentence.content == GOES_ON
    assert await said() == [("user", "Count to three.", "")]


async def test_an_answer_that_was_handed_over_too_long_ago_is_ended_in_words(
    run_bot, discord_server, ada, model
):
    shown = discord_server.world.add_message(
        discord_server.world.direct_channel(ada), discord_server.bot, f"One\n{GOES_ON}"
    )
    await left_long_ago(ada, shown)

    run_bot()

    await discord_server.until(lambda: GOES_ON not in shown.content, "it is ended")
    assert shown.content == f"One\n\n{leftovers.STOPPED}"
    assert model.chats == []


@database_sync_to_async
def left_long_ago(user, shown) -> None:
    talk = conversations.for_discord(
        guild_id=None,
        guild_name="",
        channel_id=int(shown.channel.id),
        channel_name="Ada",
        discord_user_id=int(user.id),
        user_name="Ada",
    )
    conversations.log_question(conversation=talk, text="Count.", discord_message_id=7)
    long_ago = now() - timedelta(minutes=11)
    Message.objects.update(created_at=long_ago, begun_discord_message_id=int(shown.id))


async def test_a_question_by_slash_that_is_cut_off_at_the_end_says_so(
    run_bot, discord_server, ada, model
):
    model.default = Reply(pieces=("One", " two", " three."), delay_s=2.0)
    process, end = run_bot(drain_s=0.1)
    await discord_server.wait_until_online()
    option = {"type": 3, "name": "question", "value": "Count."}
    data = {"id": "1", "name": "ask", "type": 1, "options": [option]}
    await discord_server.interact(ada, type=2, data=data)
    await discord_server.until(lambda: model.chats, "the model is asked")

    process.wishes.ask_to_stop()
    await end

    [sentence] = [each.content for each in discord_server.world.said_by_bot() if each.content]
    assert sentence.partition("\n-# ")[0].endswith("Ask again in a moment.")


async def test_a_wrong_token_is_refused_in_words(discord_server, model, aim):
    process = BotProcess(token="MTA.wrong", api_base=discord_server.api_base, drain_s=1.0)

    with pytest.raises(LoginRefused, match="Set DISCORD_TOKEN"):
        await process.run()


async def test_a_token_that_is_withdrawn_later_ends_the_bot_in_words(bot, discord_server):
    _, end = bot

    await discord_server.gateway.drop(code=4004)

    with pytest.raises(LoginRefused, match="Set DISCORD_TOKEN"):
        await end


# --- what the dashboard knows -------------------------------------------------------------------
async def test_the_dashboard_is_told_how_the_bot_is(bot):
    process, end = bot
    async with asyncio.timeout(60):
        while (await row()).state != "running":  # noqa: ASYNC110 (rows wake nobody up)
            await asyncio.sleep(0.05)

    told = await row()
    process.wishes.ask_to_stop()
    await end

    assert told.detail["guilds"] == 1
    assert told.detail["user"].startswith("TrainerBot")
    assert (await row()).state == "stopped"


async def test_a_bot_whose_place_was_taken_ends(bot):
    process, end = bot
    await take_place_of(process)

    process.beat_now()

    with pytest.raises(Conflict, match="took over"):
        await end
    assert (await row()).holder == "elsewhere:1"
