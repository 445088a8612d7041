"""Which Discord the bot talks to, what it bears from it, and what it fetches there."""

import asyncio
import json
import logging
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

import aiohttp
import discord
import msgspec
import yarl
from discord import utils
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

from trainerbot.errors import InvalidInput, TrainerBotError

log = logging.getLogger(__name__)

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
CDN_ORIGINS = frozenset(
    {yarl.URL("https://cdn.discordapp.com"), yarl.URL("https://media.discordapp.net")}
)
PIECE_BYTES = 4 * 1024 * 1024
SILENCE_S = 30.0
# Connections to the gateway that may follow each other at once, then the window they count in.
CONNECTIONS_FREE = 4
CONNECTIONS_WINDOW_S = 120.0
LONGEST_CONNECTION_PAUSE_S = 30.0


class AttachmentUnavailable(TrainerBotError):
    """Discord's file server did not hand out an attachment, or not all of it."""


def point_at(client: discord.Client, api_base: str) -> None:
    """Aim REST, gateway, CDN and voice of `client` at the server behind `api_base`.

    `api_base` is what comes before every REST path, such as
    `http://127.0.0.1:4000/api/v10`; the gateway is then at `/gateway` and the
    CDN at `/cdn` of the same server. It counts for the whole process.

    Raises InvalidInput unless the host is this machine, since the bot's token
    goes wherever this points.
    """
    server = checked(api_base)
    Route.BASE = api_base.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = server.with_scheme("ws").with_path("/gateway")
    Asset.BASE = str(server.with_path("/cdn"))
    connect = client.http.ws_connect

    async def connect_in_clear(url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        # discord.py always dials voice with TLS, which a loopback server has not.
        address = yarl.URL(url)
        if address.scheme == "wss" and address.host in LOOPBACK_HOSTS:
            address = address.with_scheme("ws")
        return await connect(str(address), compress=compress)

    # discord.py offers no setting for it, and makes the HTTP client itself.
    client.http.ws_connect = connect_in_clear  # type: ignore[method-assign]


def checked(api_base: str) -> yarl.URL:
    """Return the server's address. Raises InvalidInput if it is not on this machine."""
    try:
        server = yarl.URL(api_base)
        is_local = server.scheme == "http" and server.host in LOOPBACK_HOSTS and not server.user
    except ValueError:
        is_local = False
    if not is_local:
        raise InvalidInput(
            "DISCORD_API_BASE is for test servers on this machine only, such as "
            "http://127.0.0.1:4000/api/v10. Remove it to use Discord itself."
        )
    return server


def is_cdn(address: str) -> bool:
    """Whether files at `address` lie with Discord, or with the server that `point_at` named."""
    try:
        url = yarl.URL(address)
        origin = url.origin()
    except ValueError:
        return False
    return not url.user and origin in CDN_ORIGINS | {yarl.URL(Asset.BASE).origin()}


async def download(address: str) -> AsyncGenerator[bytes]:
    """Yield the bytes at `address`, an attachment's, in pieces of about 4 MiB.

    Follows no redirect. Raises InvalidInput when the address is not one of
    Discord's file servers, and AttachmentUnavailable when that one does not
    hand the file out, is silent for 30 s, or breaks off.
    """
    if not is_cdn(address):
        raise InvalidInput("This attachment does not lie with Discord. Attach the file itself.")
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE_S, sock_read=SILENCE_S)
    try:
        async with (
            # The bytes as they are: an answer unpacked on the way could grow without bounds.
            aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as session,
            session.get(
                yarl.URL(address, encoded=True),
                allow_redirects=False,
                headers={"Accept-Encoding": "identity"},
            ) as response,
        ):
            if response.status != 200:
                log.warning("Discord's file server answered %s.", response.status)
                raise AttachmentUnavailable(
                    "Discord does not hand this file out (any more). Attach it to a new message."
                )
            piece = bytearray()
            async for some in response.content.iter_any():
                piece += some
                if len(piece) >= PIECE_BYTES:
                    yield bytes(piece)
                    piece.clear()
            if piece:
                yield bytes(piece)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise AttachmentUnavailable(
            "Discord's file server broke off. Nothing was stored; send the file again."
        ) from error


def read_json_quickly() -> None:
    """Let discord.py read and write JSON as msgspec does, three and ten times as fast.

    It would do so by orjson by itself, were that installed. What msgspec does
    not take, as half of a surrogate pair, goes Python's own way. It counts for
    the whole process.
    """
    utils._from_json = _read_json
    utils._to_json = _write_json


def _read_json(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return json.loads(text)


def _write_json(obj: Any) -> str:
    try:
        return msgspec.json.encode(obj).decode()
    except (TypeError, ValueError):
        return json.dumps(obj, separators=(",", ":"))


def pace_connections(client: discord.Client, *, n_shards: int = 1) -> None:
    """Let each new connection to the gateway wait longer, once there were many in two minutes.

    discord.py resumes at once, however often it is thrown out.
    """
    connect = client.http.ws_connect
    opened: deque[float] = deque()

    async def connect_with_patience(
        url: str, *, compress: int = 0
    ) -> aiohttp.ClientWebSocketResponse:
        if "encoding" in yarl.URL(url).query:  # else it is voice's
            while opened and opened[0] < time.monotonic() - CONNECTIONS_WINDOW_S:
                opened.popleft()
            pause_s = connection_pause_s(len(opened) - n_shards)
            opened.append(time.monotonic() + pause_s)
            if pause_s:
                log.warning("Discord ends our connections early; the next one in %.1f s.", pause_s)
                await asyncio.sleep(pause_s * random.uniform(0.8, 1.0))
        return await connect(url, compress=compress)

    # discord.py offers no setting for it, and makes the HTTP client itself.
    client.http.ws_connect = connect_with_patience  # type: ignore[method-assign]


def close_unfinished(client: discord.Client) -> None:
    """Let connections that were still being made be closed with the client.

    discord.py forgets those: one that waits for its turn to identify would
    stay open, and Discord be left to find out.
    """
    connect, close = client.http.ws_connect, client.http.close
    opened: list[aiohttp.ClientWebSocketResponse] = []

    async def connect_and_remember(
        url: str, *, compress: int = 0
    ) -> aiohttp.ClientWebSocketResponse:
        opened[:] = [each for each in opened if not each.closed]
        opened.append(await connect(url, compress=compress))
        return opened[-1]

    async def close_all() -> None:
        # By now discord.py has closed those that it knows.
        await asyncio.gather(*(each.close(code=1000) for each in opened))
        await close()

    # discord.py offers no setting for it, and makes the HTTP client itself.
    client.http.ws_connect = connect_and_remember  # type: ignore[method-assign]
    client.http.close = close_all  # type: ignore[method-assign]


def connection_pause_s(n_again: int) -> float:
    """Return the pause before a connection, after `n_again` others than the first ones lately."""
    over = n_again - CONNECTIONS_FREE
    return 0.0 if over < 0 else min(2.0 ** min(over, 10), LONGEST_CONNECTION_PAUSE_S)


def bear_malformed_events(client: discord.Client) -> None:
    """Let an event that discord.py cannot read be logged and skipped, where it would end the bot."""
    parsers = client._connection.parsers
    for name, parse in parsers.items():
        parsers[name] = _forgiving(name, parse)


def _forgiving(name: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
    def parse_or_skip(data: Any) -> None:
        try:
            parse(data)
        except Exception:
            # Only its name: what people said stays out of the log.
            log.exception("An event from Discord could not be read and was skipped: %s", name)

    return parse_or_skip


def leave_bots_aside(client: discord.Client) -> None:
    """Make no objects of what bots say, our own answers among it: nobody here listens to them."""
    parsers = client._connection.parsers
    parse = parsers["MESSAGE_CREATE"]

    def parse_of_people(data: Any) -> None:
        if not data["author"].get("bot"):
            parse(data)

    parsers["MESSAGE_CREATE"] = parse_of_people
