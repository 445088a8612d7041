"""What Discord's REST API refuses for a moment, against a Discord over real sockets."""

import asyncio
import time

import aiohttp
import discord
import pytest

from botrunner import gateway, rest
from botrunner.bot import TrainerBot
from botrunner.rest import Patience, shape
from tests.fakes.discord import FakeDiscord

MESSAGES = ".*/messages"


@pytest.fixture
async def client(aim, discord_server: FakeDiscord, monkeypatch: pytest.MonkeyPatch):
    """A bot that has logged in and needs no gateway; its pauses are short."""
    monkeypatch.setattr(rest, "PAUSES_S", (0.02, 0.04, 0.08, 0.16))
    bot = TrainerBot()
    gateway.point_at(bot, discord_server.api_base)
    async with bot:
        await bot.http.static_login(discord_server.token)
        yield bot


@pytest.fixture
def general(client: TrainerBot, discord_server: FakeDiscord) -> discord.PartialMessageable:
    return client.get_partial_messageable(int(discord_server.world.general.id))


def statuses(discord_server: FakeDiscord, method: str) -> list[int]:
    return [r.status for r in discord_server.rest.requests if r.method == method]


# --- asked again where it does no harm ------------------------------------------------------
@pytest.mark.parametrize("status", [429, 503])
async def test_a_message_with_a_nonce_is_sent_again(discord_server, general, status):
    discord_server.fail_next(status, method="POST", path=MESSAGES, via=False, times=2)

    await general.send("once", nonce="7")

    assert statuses(discord_server, "POST") == [status, status, 200]


async def test_a_message_whose_receipt_was_lost_is_posted_once(discord_server, general):
    discord_server.fail_next(503, method="POST", path=MESSAGES, took_effect=True)

    await general.send("once", nonce="7")

    assert [m.content for m in discord_server.world.said_by_bot()] == ["once"]


async def test_what_discord_would_do_twice_is_not_asked_twice(discord_server, client, general):
    sent = await general.send("one")
    discord_server.fail_next(503, method="POST", path=".*/threads", took_effect=True)

    with pytest.raises(discord.DiscordServerError):
        await client.http.start_thread_with_message(
            sent.channel.id, sent.id, name="talk", auto_archive_duration=60
        )

    threads = [r for r in discord_server.rest.requests if r.path.endswith("/threads")]
    assert [r.status for r in threads] == [503]


async def test_a_429_of_the_proxy_carried_nothing_out_so_anything_is_sent_again(
    discord_server, general
):
    discord_server.fail_next(429, method="POST", path=MESSAGES, via=False)

    await general.send("once")

    assert statuses(discord_server, "POST") == [429, 200]


async def test_a_file_is_whole_at_the_second_try(discord_server, general, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"all of it")
    discord_server.fail_next(503, method="POST", path=MESSAGES)

    await general.send("here", file=discord.File(path), nonce="7")

    [message] = discord_server.world.said_by_bot()
    assert [each.content for each in message.attachments] == [b"all of it"]


async def test_reads_edits_and_deletes_are_asked_again(discord_server, general):
    sent = await general.send("one")
    for method in ("GET", "PATCH", "DELETE"):
        discord_server.fail_next(503, method=method, path=f"{MESSAGES}/.*")

    await general.fetch_message(sent.id)
    await sent.edit(content="two")
    await sent.delete()

    for method in ("GET", "PATCH", "DELETE"):
        assert statuses(discord_server, method)[-2] == 503
    assert discord_server.world.said_by_bot() == []


async def test_a_delete_whose_receipt_was_lost_has_happened(discord_server, general):
    sent = await general.send("one")
    discord_server.fail_next(503, method="DELETE", path=f"{MESSAGES}/.*", took_effect=True)

    await sent.delete()

    assert statuses(discord_server, "DELETE") == [503, 404]


async def test_a_refusal_that_stays_is_raised_after_five_tries(discord_server, general):
    discord_server.fail_next(503, method="POST", path=MESSAGES, times=9)

    with pytest.raises(discord.DiscordServerError):
        await general.send("never", nonce="7")

    assert statuses(discord_server, "POST") == [503] * 5


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_real_refusal_is_raised_at_once(discord_server, general, status):
    discord_server.fail_next(status, method="POST", path=MESSAGES)

    with pytest.raises(discord.HTTPException):
        await general.send("never", nonce="7")

    assert statuses(discord_server, "POST") == [status]


# --- silence -----------------------------------------------------------------------------------
async def test_while_the_proxy_wants_silence_nothing_else_is_sent(
    discord_server, client, general, monkeypatch
):
    monkeypatch.setattr(rest, "PAUSES_S", (0.4, 0.4, 0.4, 0.4))
    discord_server.fail_next(429, method="POST", path=MESSAGES, via=False)
    first = asyncio.create_task(general.send("first"))
    await discord_server.until(lambda: 429 in statuses(discord_server, "POST"), "it is refused")
    async with asyncio.timeout(60):
        while not client.patience._silent_until:  # noqa: ASYNC110 (the refusal is on its way)
            await asyncio.sleep(0.005)

    await client.http.get_channel(int(discord_server.world.general.id))
    await first

    refused = next(r for r in discord_server.rest.requests if r.status == 429)
    later = [r for r in discord_server.rest.requests if r.at_s > refused.at_s]
    assert min(r.at_s for r in later) - refused.at_s >= 0.25


async def test_a_long_ban_is_not_waited_for_and_not_worsened(discord_server, general):
    banned = {"Retry-After": "3600"}
    discord_server.fail_next(429, method="POST", path=MESSAGES, via=False, headers=banned)

    for _ in range(3):
        with pytest.raises(discord.HTTPException):
            await general.send("never")

    assert statuses(discord_server, "POST") == [429]


async def test_the_limit_of_invalid_requests_is_never_reached(
    discord_server, client, general, monkeypatch
):
    monkeypatch.setattr(rest, "INVALID_MOST", 3)
    discord_server.fail_next(403, method="POST", path=MESSAGES, times=9)

    for _ in range(6):
        with pytest.raises(discord.HTTPException):
            await general.send("never")

    assert statuses(discord_server, "POST") == [403] * 3


async def test_invalid_requests_count_for_ten_minutes_only(monkeypatch):
    patience = Patience()
    monkeypatch.setattr(rest, "INVALID_MOST", 1)
    patience._invalid.append(time.monotonic() - rest.INVALID_WINDOW_S - 1)

    assert patience._silent_for_s() <= 0


# --- what the dashboard is told -------------------------------------------------------------------
async def test_every_rate_limit_is_counted_also_those_that_discord_py_waits_out(
    discord_server, client, general
):
    discord_server.fail_next(429, method="POST", path=MESSAGES, retry_after_s=0.01)
    discord_server.fail_next(429, method="POST", path=MESSAGES, via=False)

    await general.send("once")

    assert client.patience.n_limited == 2
    assert client.patience.last_limited == "POST /channels/…/messages"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/v10/channels/123456789/messages/987654321", "/channels/…/messages/…"),
        (
            "/api/v10/webhooks/123456789/se-cr_et/messages/@original",
            "/webhooks/…/…/messages/@original",
        ),
        ("/api/v10/interactions/123456789/se-cr_et/callback", "/interactions/…/…/callback"),
    ],
)
def test_neither_ids_nor_tokens_are_shown(path, shown):
    assert shape(path) == shown


# --- interactions ---------------------------------------------------------------------------------
async def test_an_answer_to_an_interaction_is_sent_again_after_a_429_of_the_proxy(
    discord_server, client
):
    rest.async_context.set(rest.PatientWebhooks(client.patience))
    discord_server.fail_next(429, method="POST", path="/interactions/.*", via=False)
    route = rest.Route(
        "POST",
        "/interactions/{webhook_id}/{webhook_token}/callback",
        webhook_id=1,
        webhook_token="t",
    )

    async with aiohttp.ClientSession() as session:
        adapter = rest.async_context.get()
        await adapter.request(route, session, payload={"type": 5})

    posts = [r.status for r in discord_server.rest.requests if r.path.startswith("/interactions")]
    assert posts == [429, 200]
