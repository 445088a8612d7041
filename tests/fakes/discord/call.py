"""One voice connection of the bot at the fake, and what travels on it."""

import json
import os
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from aiohttp import web

from tests.fakes.discord.dave import DaveGroup
from tests.fakes.discord.payloads import Payload


class Op(IntEnum):
    IDENTIFY = 0
    SELECT_PROTOCOL = 1
    READY = 2
    HEARTBEAT = 3
    SESSION_DESCRIPTION = 4
    SPEAKING = 5
    HEARTBEAT_ACK = 6
    RESUME = 7
    HELLO = 8
    RESUMED = 9
    CLIENTS_CONNECT = 11
    CLIENT_DISCONNECT = 13
    EXECUTE_TRANSITION = 22
    TRANSITION_READY = 23
    EXTERNAL_SENDER = 25
    KEY_PACKAGE = 26
    PROPOSALS = 27
    COMMIT_WELCOME = 28
    ANNOUNCE_COMMIT = 29
    WELCOME = 30
    INVALID_COMMIT_WELCOME = 31


@dataclass(frozen=True)
class Frame:
    """One Opus frame that the bot sent, decrypted; `timestamp` counts samples at 48 kHz."""

    sequence: int
    timestamp: int
    opus: bytes
    at_s: float


@dataclass(eq=False)
class Call:
    """One voice connection of the bot, from its IDENTIFY on."""

    socket: web.WebSocketResponse
    key: bytes = field(default_factory=lambda: os.urandom(32))
    address: tuple[str, int] | None = None  # where the bot hears
    identity: Payload = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    n_undecryptable: int = 0
    n_heartbeats: int = 0
    n_invalid_commits: int = 0
    n_resumed: int = 0
    speaking: list[Payload] = field(default_factory=list)
    commits: list[bytes] = field(default_factory=list)
    key_package: bytes = b""
    is_described: bool = False
    group: DaveGroup | None = None
    ssrcs: dict[str, int] = field(default_factory=dict)  # user id -> RTP source
    sent: int = 0
    nonce: int = 0

    async def tell(self, op: Op, data: Any) -> None:
        self.sent += 1
        await self.socket.send_str(json.dumps({"op": op, "d": data, "seq": self.sent}))

    async def tell_binary(self, op: Op, data: bytes) -> None:
        self.sent += 1
        await self.socket.send_bytes(struct.pack(">HB", self.sent, op) + data)
