"""Gateway, shards and commands of the bot, against a Discord over real sockets."""

import asyncio
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async

from botrunner import bot as bot_module
from botrunner import gateway
from botrunner.process import tree
from dashboard.models import IdentifySlot, ProcessState, SyncedCommands
from dashboard.services import bot as bots
from dashboard.services.bot import ShardRange
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@database_sync_to_async
def states() -> dict[str, str]:
    return dict(ProcessState.objects.values_list("name", "state"))


@database_sync_to_async
def synced() -> int:
    return SyncedCommands.objects.count()


def puts(discord_server) -> list[int]:
    return [r.status for r in discord_server.rest.requests if r.path.endswith("/commands")]


# --- sessions ---------------------------------------------------------------------------------
@pytest.mark.origin(4)
async def test_an_invalid_session_is_begun_anew_by_one_bot_that_answers_once(
    identifies_at_once, bot, discord_server, ada, model
):
    await discord_server.gateway.invalidate_sessions()

    await discord_server.until(
        lambda: len(discord_server.gateway.identifies) == 2, "it introduces itself again", 20.0
    )
    await discord_server.wait_until_online()
    question = await discord_server.dm(ada, "Hello?")
    await discord_server.wait_for_reply(to=question, containing="there.")
    await discord_server.settle()
    assert len(discord_server.world.said_by_bot()) == 1


async def test_a_request_to_reconnect_is_resumed_and_the_missed_question_answered(
    bot, discord_server, ada, model
):
    await discord_server.gateway.ask_to_reconnect()
    await discord_server.until(lambda: discord_server.gateway.resumes, "it resumes")

    question = await discord_server.dm(ada, "Hello?")

    await discord_server.wait_for_reply(to=question, containing="there.")
    assert len(discord_server.gateway.identifies) == 1


async def test_a_storm_of_drops_is_met_with_pauses(
    bot, discord_server, ada, model, monkeypatch, caplog
):
    monkeypatch.setattr(gateway, "CONNECTIONS_FREE", 2)
    monkeypatch.setattr(gateway, "LONGEST_CONNECTION_PAUSE_S", 0.3)
    for n in range(4):
        await discord_server.gateway.drop()
        await discord_server.until(
            lambda n=n: len(discord_server.gateway.resumes) > n, "it resumes"
        )

    question = await discord_server.dm(ada, "Still there?")

    await discord_server.wait_for_reply(to=question, containing="there.")
    assert "Discord ends our connections early" in caplog.text


def test_pauses_between_connections_grow_to_half_a_minute():
    pauses = [gateway.connection_pause_s(n) for n in (0, 3, 4, 5, 8, 9, 1000)]

    assert pauses == [0.0, 0.0, 1.0, 2.0, 16.0, 30.0, 30.0]


async def test_handshakes_that_fail_one_after_the_other_are_borne(run_bot, discord_server, model):
    discord_server.gateway.handshakes_to_refuse = 2

    run_bot()

    await discord_server.wait_until_online()


# --- the turn to identify ----------------------------------------------------------------------
def test_one_turn_in_five_seconds_is_given_for_each_bucket():
    first, second, other = (bots.try_identify(bucket) for bucket in (0, 0, 1))

    assert (first, other) == (0, 0)
    assert 4 < second <= 5


def test_a_bot_that_identifies_without_end_slows_down_before_discord_resets_its_token():
    bots.try_identify(0)
    IdentifySlot.objects.update(n_in_day=300, free_at="2020-01-01T00:00Z")
    bots.try_identify(0)

    assert bots.try_identify(0) > 100


async def test_shards_identify_in_turns_over_all_processes(
    run_bot, discord_server, model, monkeypatch
):
    pace = timedelta(seconds=0.3)
    monkeypatch.setattr("dashboard.services.bot.gateway.PACE", pace)
    heard = discord_server.gateway.identifies

    run_bot(shards=ShardRange(0, 0, 2))
    run_bot(shards=ShardRange(1, 1, 2))
    await discord_server.until(lambda: len(heard) == 2, "both shards identify")

    assert sorted(each["shard"] for each in heard) == [[0, 2], [1, 2]]
    slot = await IdentifySlot.objects.aget()
    assert (slot.bucket, slot.n_in_day) == (0, 2)
    # From the first turn on it was taken for one pace, and by the second for one more.
    assert slot.free_at - slot.counted_from >= 2 * pace


# --- shards ---------------------------------------------------------------------------------------
async def test_two_processes_with_a_shard_each_answer_each_thing_once(
    run_bot, discord_server, ada, model, monkeypatch
):
    monkeypatch.setattr("dashboard.services.bot.gateway.PACE", bots.gateway.timedelta(0))
    run_bot(shards=ShardRange(0, 0, 2))
    run_bot(shards=ShardRange(1, 1, 2))
    await discord_server.until(lambda: len(discord_server.gateway.connections) == 2, "both come")

    direct = await discord_server.dm(ada, "Hello?")
    in_guild = await discord_server.say(ada, f"{discord_server.bot.mention} hello")

    for question in (direct, in_guild):
        await discord_server.wait_for_reply(to=question, containing="there.")
    await discord_server.settle()
    assert len(discord_server.world.said_by_bot()) == 2
    assert {"bot:0-0/2", "bot:1-1/2"} <= set(await states())


async def test_each_process_takes_up_only_what_its_shards_hear():
    def bot(*shard_ids: int) -> bot_module.ShardedBot:
        return bot_module.ShardedBot(shard_ids=list(shard_ids), shard_count=4)

    guild_of_shard_2 = 2 << 22

    assert [bot(0, 1).serves(guild_of_shard_2), bot(2, 3).serves(guild_of_shard_2)] == [False, True]
    assert [bot(0, 1).serves(None), bot(2, 3).serves(None)] == [True, False]
    assert bot_module.TrainerBot().serves(guild_of_shard_2)


async def test_a_range_that_overlaps_another_waits(
    run_bot, discord_server, model, monkeypatch, caplog
):
    run_bot(shards=ShardRange(0, 1, 4))
    await discord_server.wait_until_online()
    second, _ = run_bot(shards=ShardRange(1, 2, 4))
    second.holder = f"{second.holder.rpartition(':')[0]}:1"  # another living process

    async with asyncio.timeout(60):
        while "Another runbot is running" not in caplog.text:  # noqa: ASYNC110 (the log wakes nobody up)
            await asyncio.sleep(0.05)

    assert [each["shard"] for each in discord_server.gateway.identifies] == [[0, 4]]


async def test_a_stop_closes_a_connection_that_waits_for_its_turn_to_identify(
    run_bot, discord_server, model
):
    process, end = run_bot(shards=ShardRange(0, 1, 4))
    sockets = discord_server.gateway.sockets
    await discord_server.until(lambda: len(sockets) == 2, "both shards are connected")

    process.wishes.ask_to_stop()
    await end

    await discord_server.until(lambda: all(each.closed for each in sockets), "both are closed")
    assert [each.close_code for each in sockets] == [1000, 1000]


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        (ShardRange(), ShardRange(), True),
        (ShardRange(), ShardRange(0, 0, 2), True),
        (ShardRange(0, 3, 8), ShardRange(4, 7, 8), False),
        (ShardRange(0, 3, 8), ShardRange(3, 7, 8), True),
        (ShardRange(0, 3, 8), ShardRange(8, 15, 16), True),
        (ShardRange(0, 7, 8), ShardRange(4, 7, 8), True),
    ],
)
def test_ranges_overlap_when_a_server_may_be_served_by_both(mine, theirs, both):
    assert mine.overlaps(theirs) is both
    assert ShardRange.of(mine.name) is not None


@pytest.mark.parametrize(
    ("ids", "count", "read"),
    [
        ("", 0, ShardRange()),
        ("", 4, ShardRange(0, 3, 4)),
        ("2", 4, ShardRange(2, 2, 4)),
        ("0-3", 8, ShardRange(0, 3, 8)),
    ],
)
def test_shards_are_read_as_a_person_writes_them(ids, count, read):
    assert ShardRange.parse(ids, count) == read


@pytest.mark.parametrize(
    ("ids", "count"), [("0-3", 0), ("3-1", 8), ("0-8", 8), ("x", 8), ("1,2", 8), ("", -1)]
)
def test_shards_that_cannot_be_are_refused_in_words(ids, count):
    with pytest.raises(InvalidInput, match="shard"):
        ShardRange.parse(ids, count)


# --- commands ---------------------------------------------------------------------------------------
async def test_commands_are_sent_to_discord_only_when_they_changed(
    identifies_at_once, run_bot, discord_server, model
):
    first, end = run_bot()
    await discord_server.until(lambda: puts(discord_server), "the commands are sent")
    async with asyncio.timeout(60):
        while not await synced():  # noqa: ASYNC110 (rows wake nobody up)
            await asyncio.sleep(0.02)
    first.wishes.ask_to_stop()
    await end

    run_bot()
    await discord_server.until(lambda: len(discord_server.gateway.identifies) == 2, "again", 60.0)
    await discord_server.settle(0.5)

    assert puts(discord_server) == [200]
    assert {"hi", "join", "leave"} <= {each["name"] for each in discord_server.routes.commands}


async def test_commands_that_discord_refuses_are_sent_again_later(
    run_bot, discord_server, model, monkeypatch
):
    monkeypatch.setattr(tree, "PAUSES_S", (0.05,))
    discord_server.fail_next(400, method="PUT", path=".*/commands")

    run_bot()

    await discord_server.until(lambda: puts(discord_server) == [400, 200], "they are taken")


def test_the_digest_follows_the_commands_and_nothing_else():
    async def digests() -> tuple[str, str, str]:
        one, other = bot_module.TrainerBot(), bot_module.TrainerBot()
        for each in (one, other):
            await each.setup_hook()
        before = tree.digest(other)

        @other.hybrid_command(name="new", description="Something new")
        async def new(context: object) -> None: ...

        return tree.digest(one), before, tree.digest(other)

    one, other, changed = asyncio.run(digests())

    assert one == other
    assert changed != one


async def test_webhooks_command_nothing(bot, discord_server, ada):
    # Discord does not promise to call a webhook's author a bot.
    await discord_server.say(ada, "!hi", webhook_id="123456789012345678")

    await discord_server.say(ada, "!hi")

    await discord_server.wait_for_reply(containing="HI!")
    await discord_server.settle()
    assert [message.content for message in discord_server.world.said_by_bot()] == ["HI!"]
