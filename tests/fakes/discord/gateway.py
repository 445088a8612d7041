"""The gateway of the fake: websocket v10 with zlib-stream, sessions, resume and replay."""

import asyncio
import json
import os
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.discord import payloads
from tests.fakes.discord.payloads import Payload
from tests.fakes.discord.world import ChannelType, Message, World

GUILD_MESSAGES = 1 << 9
DIRECT_MESSAGES = 1 << 12
MESSAGE_CONTENT = 1 << 15
PRIVILEGED = 1 << 1 | 1 << 8 | MESSAGE_CONTENT  # members, presences, message content


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class CloseCode(IntEnum):
    UNKNOWN_ERROR = 4000
    AUTHENTICATION_FAILED = 4004
    DISALLOWED_INTENTS = 4014


@dataclass(eq=False)
class Session:
    """What a bot may come back to: its events since READY, numbered."""

    intents: int
    shard: tuple[int, int]
    id: str = field(default_factory=lambda: os.urandom(8).hex())
    sequence: int = 0
    replay: deque[Payload] = field(default_factory=lambda: deque(maxlen=500))

    def event(self, name: str, data: Payload) -> Payload:
        self.sequence += 1
        event = {"op": Op.DISPATCH, "t": name, "s": self.sequence, "d": data}
        self.replay.append(event)
        return event

    def hears(self, guild_id: str | None) -> bool:
        """A guild's events go to its shard, direct messages to shard 0."""
        shard, count = self.shard
        return (int(guild_id) >> 22) % count == shard if guild_id else shard == 0


@dataclass(eq=False)
class Connection:
    socket: web.WebSocketResponse
    compressor: Any  # zlib has no public name for its compressor's type
    session: Session | None = None

    async def send(self, payload: Payload) -> None:
        await self.send_raw(json.dumps(payload))

    async def send_raw(self, text: str) -> None:
        if self.compressor is None:
            await self.socket.send_str(text)
            return
        packed = self.compressor.compress(text.encode())
        await self.socket.send_bytes(packed + self.compressor.flush(zlib.Z_SYNC_FLUSH))


class Gateway:
    """Serves every connection that a bot opens, and remembers what it did there."""

    def __init__(self, world: World, *, token: str, heartbeat_ms: int) -> None:
        self.world = world
        self.token = token
        self.heartbeat_ms = heartbeat_ms
        self.address = ""  # known once the server listens
        self.allows_privileged_intents = True
        self.handshakes_to_refuse = 0
        self.n_heartbeats = 0
        self.identifies: list[Payload] = []
        self.resumes: list[Payload] = []
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.sockets: list[web.WebSocketResponse] = []  # every one that was ever opened
        self.on_voice_state: Callable[[Payload], Any] | None = None
        # An event that happens while a session is being replayed waits its turn;
        # else it would be in neither the replay nor the live stream.
        self._sending = asyncio.Lock()

    # --- what a test may do ---------------------------------------------------
    @property
    def is_connected(self) -> bool:
        return any(c.session for c in self.connections)

    async def drop(self, code: int = CloseCode.UNKNOWN_ERROR) -> None:
        """Cut every connection. With 4000, a bot resumes."""
        for connection in list(self.connections):
            self.connections.remove(connection)
            await connection.socket.close(code=code)

    async def ask_to_reconnect(self) -> None:
        await self._tell_all({"op": Op.RECONNECT, "t": None, "s": None, "d": None})

    async def invalidate_sessions(self) -> None:
        """Forget every session, so that only a new IDENTIFY helps."""
        self.sessions.clear()
        await self._tell_all({"op": Op.INVALID_SESSION, "t": None, "s": None, "d": False})

    async def send_raw(self, text: str) -> None:
        """Send any text as a frame: malformed events, for one."""
        for connection in list(self.connections):
            await connection.send_raw(text)

    # --- events ---------------------------------------------------------------
    async def dispatch(self, name: str, data: Payload, *, intent: int = 0) -> None:
        """Send one event to each session that asked for its kind, or keep it for its resume."""
        for session in list(self.sessions.values()):
            if session.hears(data.get("guild_id")) and session.intents & intent == intent:
                await self._send(session, name, data)

    async def dispatch_message(self, name: str, message: Message) -> None:
        """Send MESSAGE_CREATE or MESSAGE_UPDATE, without the words where Discord hides them."""
        direct = message.channel.type is ChannelType.DIRECT
        intent = DIRECT_MESSAGES if direct else GUILD_MESSAGES
        for session in list(self.sessions.values()):
            data = payloads.message(message, self.world)
            if not session.hears(data.get("guild_id")) or not session.intents & intent:
                continue
            may_read = (
                direct
                or session.intents & MESSAGE_CONTENT
                or message.author is self.world.bot
                or self.world.bot in payloads.mentioned(message, self.world)
            )
            if not may_read:
                data |= {"content": "", "attachments": [], "components": []}
            await self._send(session, name, data)

    async def _send(self, session: Session, name: str, data: Payload) -> None:
        async with self._sending:
            event = session.event(name, data)
            for connection in list(self.connections):
                if connection.session is session and not connection.socket.closed:
                    await connection.send(event)

    async def _tell_all(self, payload: Payload) -> None:
        for connection in list(self.connections):
            await connection.send(payload)

    # --- the socket -----------------------------------------------------------
    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.handshakes_to_refuse:
            self.handshakes_to_refuse -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        self.sockets.append(socket)
        self.world.touch()
        compressed = request.query.get("compress") == "zlib-stream"
        connection = Connection(socket, zlib.compressobj() if compressed else None)
        hello = {"heartbeat_interval": self.heartbeat_ms}
        await connection.send({"op": Op.HELLO, "t": None, "s": None, "d": hello})
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    break
                payload = json.loads(frame.data)
                await self._receive(connection, payload["op"], payload["d"])
        finally:
            if connection in self.connections:
                self.connections.remove(connection)
            self.world.touch()
        return socket

    async def _receive(self, connection: Connection, op: int, data: Any) -> None:
        match op:
            case Op.HEARTBEAT:
                self.n_heartbeats += 1
                await connection.send({"op": Op.HEARTBEAT_ACK, "t": None, "s": None, "d": None})
            case Op.IDENTIFY:
                await self._identify(connection, data)
            case Op.RESUME:
                await self._resume(connection, data)
            case Op.VOICE_STATE if self.on_voice_state:
                await self.on_voice_state(data)
            case Op.REQUEST_MEMBERS:
                await self.dispatch("GUILD_MEMBERS_CHUNK", self._members(data.get("nonce")))
            case Op.PRESENCE:
                pass  # nobody on the fake looks at who is online
            case _:
                self.world.complaints.append(f"The fake gateway does not know op {op}.")

    async def _identify(self, connection: Connection, data: Payload) -> None:
        self.identifies.append(data)
        if data["token"] != self.token:
            await connection.socket.close(code=CloseCode.AUTHENTICATION_FAILED)
            return
        if data["intents"] & PRIVILEGED and not self.allows_privileged_intents:
            await connection.socket.close(code=CloseCode.DISALLOWED_INTENTS)
            return
        shard, count = data.get("shard", (0, 1))
        session = Session(data["intents"], (shard, count))
        self.sessions[session.id] = session
        ready = {
            "v": 10,
            "user": payloads.user(self.world.bot),
            "guilds": [{"id": self.world.guild.id, "unavailable": True}],
            "session_id": session.id,
            "resume_gateway_url": self.address,
            "application": {
                "id": self.world.bot.id,
                "flags": payloads.MESSAGE_CONTENT_LIMITED,
            },
            "shard": [shard, count],
            "private_channels": [],
        }
        async with self._sending:
            await connection.send(session.event("READY", ready))
            if session.hears(self.world.guild.id):
                await connection.send(session.event("GUILD_CREATE", payloads.guild(self.world)))
            connection.session = session
            self.connections.append(connection)
        self.world.touch()

    async def _resume(self, connection: Connection, data: Payload) -> None:
        self.resumes.append(data)
        session = self.sessions.get(data["session_id"])
        if session is None or data["token"] != self.token:
            await connection.send({"op": Op.INVALID_SESSION, "t": None, "s": None, "d": False})
            return
        async with self._sending:
            for event in list(session.replay):
                if event["s"] > data["seq"]:
                    await connection.send(event)
            await connection.send(session.event("RESUMED", {}))
            connection.session = session
            self.connections.append(connection)
        self.world.touch()

    def _members(self, nonce: str | None) -> Payload:
        return {
            "guild_id": self.world.guild.id,
            "members": [payloads.member(who) for who in self.world.users.values()],
            "chunk_index": 0,
            "chunk_count": 1,
            "nonce": nonce,
        }
