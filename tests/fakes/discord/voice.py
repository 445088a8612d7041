"""Voice on the fake: websocket v8, UDP with RTP, and the people who speak there.

Transport encryption is `aead_xchacha20_poly1305_rtpsize`; DAVE on top of it is
in `dave.py`.
"""

import asyncio
import json
import struct
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

import davey
import nacl.exceptions
import nacl.secret
from aiohttp import WSMsgType, web

from tests.fakes.discord import payloads
from tests.fakes.discord.call import Call, Frame, Op
from tests.fakes.discord.dave import APPEND, DaveGroup
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.payloads import Payload
from tests.fakes.discord.world import Channel, User, World

MODE = "aead_xchacha20_poly1305_rtpsize"
OPUS_PAYLOAD_TYPE = 0x78
SILENCE = b"\xf8\xff\xfe"  # Opus; never end-to-end encrypted
BOT_SSRC = 1001


class VoiceServer:
    """Serves the bot's voice connection, and lets people speak to it."""

    def __init__(self, world: World, gateway: Gateway, *, dave_version: int) -> None:
        self.world = world
        self.gateway = gateway
        self.dave_version = dave_version
        self.call: Call | None = None
        self.n_calls = 0
        self.n_kept_open = 0
        self.allows_resume = True
        self.is_silent = False  # as a voice server that is overloaded
        # Who enters every connection of the bot by themselves, with their RTP sources.
        self.callers: dict[User, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sequences: dict[str, int] = {}
        self._endpoint = ""
        self._udp: asyncio.DatagramTransport | None = None
        gateway.on_voice_state = self._on_voice_state

    async def start(self, endpoint: str) -> None:
        """Listen for RTP. `endpoint` is host and port of the websocket."""
        self._endpoint = endpoint
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Udp(self), local_addr=("127.0.0.1", 0)
        )

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self.call:
            await self.call.socket.close()
        if self._udp:
            self._udp.close()

    @property
    def udp(self) -> asyncio.DatagramTransport:
        assert self._udp is not None
        return self._udp

    async def _on_voice_state(self, wanted: Payload) -> None:
        """Answer the bot's wish to be in a channel, or in none."""
        if wanted["channel_id"]:  # discord.py sends a number, Discord a string
            wanted = {**wanted, "channel_id": str(wanted["channel_id"])}
        before = self.world.voice_states.get(self.world.bot.id, {}).get("channel_id")
        own = {"self_deaf": wanted["self_deaf"], "self_mute": wanted["self_mute"]}
        await self._tell_of(self.world.bot, wanted["channel_id"], **own)
        if wanted["channel_id"]:
            await self.change_server()
            if before not in (None, wanted["channel_id"]):
                await self.end(4014)  # the old channel's

    async def sit(self, user: User, channel: Channel | None) -> None:
        """Let a person be in a voice channel, or in none, without a word."""
        await self._tell_of(user, channel.id if channel else None)
        if channel is None and self.call and self.call.ssrcs.pop(user.id, None):
            self.callers.pop(user, None)
            await self.call.tell(Op.CLIENT_DISCONNECT, {"user_id": user.id})

    async def _tell_of(
        self,
        user: User,
        channel_id: str | None,
        **flags: bool,
    ) -> None:
        state: Payload = {
            "guild_id": self.world.guild.id,
            "channel_id": channel_id,
            "user_id": user.id,
            "member": payloads.member(user),
            "session_id": "voice-session",
            **dict.fromkeys(("deaf", "mute", "self_deaf", "self_mute"), False),
            **dict.fromkeys(("self_video", "suppress"), False),
            "request_to_speak_timestamp": None,
            **flags,
        }
        self.world.voice_states.pop(user.id, None)
        if channel_id:
            self.world.voice_states[user.id] = {
                key: value for key, value in state.items() if key not in ("guild_id", "member")
            }
        await self.gateway.dispatch("VOICE_STATE_UPDATE", state)

    # --- what Discord and its moderators do to the bot ----------------------------
    async def end(self, code: int) -> None:
        """Close the bot's voice connection: 4006 session gone, 4015 server crashed, ..."""
        assert self.call is not None
        await self.call.socket.close(code=code)

    async def kick(self) -> None:
        await self._tell_of(self.world.bot, None)
        await self.end(4014)

    async def move_bot(self, channel: Channel) -> None:
        await self._tell_of(self.world.bot, channel.id)
        await self.change_server()
        await self.end(4014)

    async def change_server(self) -> None:
        """Let the call go on at another voice server, as when its region is changed."""
        server = {
            "guild_id": self.world.guild.id,
            "token": f"voice-token-{self.n_calls}",
            "endpoint": self._endpoint,
        }
        await self.gateway.dispatch("VOICE_SERVER_UPDATE", server)

    async def hamper_bot(self, **flags: bool) -> None:
        """Let a moderator do to the bot what voice states tell of: deaf, mute, suppress."""
        channel_id = self.world.voice_states[self.world.bot.id]["channel_id"]
        assert isinstance(channel_id, str)
        await self._tell_of(self.world.bot, channel_id, **flags)

    # --- the websocket ----------------------------------------------------------
    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        former, self.call = self.call, Call(socket)
        call = self.call
        if self.is_silent:
            await asyncio.sleep(30)
        await call.tell(Op.HELLO, {"v": 8, "heartbeat_interval": 2000})
        async for frame in socket:
            if frame.type is WSMsgType.BINARY:
                self._receive_binary(call, frame.data[0], frame.data[1:])
            elif frame.type is WSMsgType.TEXT:
                payload = json.loads(frame.data)
                if payload["op"] == Op.RESUME:
                    if former is None or not self.allows_resume:
                        await socket.close(code=4006)
                        break
                    self.call = call = former
                    former.socket = socket
                    former.n_resumed += 1
                await self._receive(call, payload["op"], payload["d"])
            self.world.touch()
        return socket

    def _receive_binary(self, call: Call, op: int, data: bytes) -> None:
        if op == Op.KEY_PACKAGE:
            call.key_package = data
        elif op == Op.COMMIT_WELCOME:
            call.commits.append(data)

    async def _receive(self, call: Call, op: int, data: Any) -> None:
        match op:
            case Op.IDENTIFY:
                call.identity = data
                self.n_calls += 1
                host, port = self.udp.get_extra_info("sockname")
                ready = {"ssrc": BOT_SSRC, "ip": host, "port": port, "modes": [MODE]}
                await call.tell(Op.READY, {**ready, "heartbeat_interval": 1})
            case Op.SELECT_PROTOCOL:
                version = min(self.dave_version, call.identity["max_dave_protocol_version"])
                description = {
                    "mode": data["data"]["mode"],
                    "secret_key": list(call.key),
                    "dave_protocol_version": version,
                    "audio_codec": "opus",
                    "media_session_id": "media",
                }
                await call.tell(Op.SESSION_DESCRIPTION, description)
                call.is_described = True
                task = asyncio.create_task(self._bring_callers(call))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case Op.HEARTBEAT:
                call.n_heartbeats += 1
                await call.tell(Op.HEARTBEAT_ACK, {"t": data["t"]})
            case Op.SPEAKING:
                call.speaking.append(data)
            case Op.RESUME:
                await call.tell(Op.RESUMED, None)
            case Op.TRANSITION_READY:
                await call.tell(Op.EXECUTE_TRANSITION, {"transition_id": data["transition_id"]})
            case Op.INVALID_COMMIT_WELCOME:
                call.n_invalid_commits += 1
            case _:
                self.world.complaints.append(f"The fake's voice does not know op {op}.")

    # --- people -----------------------------------------------------------------
    async def _current(self) -> Call:
        """Return the call once the bot knows its key."""
        return await self.world.until(
            lambda: self.call if self.call and self.call.is_described else None, timeout_s=60.0
        )

    async def enter(self, user: User, *, ssrc: int) -> None:
        """Let a person be where the bot is, in this connection of it and in all that follow."""
        self.callers[user] = ssrc
        await self.sit(user, self.world.voice)
        if self.call and self.call.is_described:
            await self._bring(user, ssrc)

    async def _bring_callers(self, call: Call) -> None:
        for user, ssrc in list(self.callers.items()):
            if call is self.call:
                await self._bring(user, ssrc)

    async def _bring(self, user: User, ssrc: int) -> None:
        await self.join(user, ssrc=ssrc)
        assert self.call is not None
        if self.dave_version and self.call.group is None:
            await self.encrypt_with(user)
        elif self.dave_version:
            await self.encrypt_also_with(user, transition_id=len(self.call.ssrcs))

    async def join(self, user: User, *, ssrc: int) -> None:
        """Let a person enter the voice channel and start to speak, from RTP source `ssrc`."""
        call = await self._current()
        call.ssrcs[user.id] = ssrc
        await call.tell(Op.CLIENTS_CONNECT, {"user_ids": [user.id]})
        await call.tell(Op.SPEAKING, {"user_id": user.id, "ssrc": ssrc, "speaking": 1})

    async def encrypt_with(self, user: User) -> None:
        """Let `user` found the end-to-end encrypted group and take the bot into it."""
        call = await self._current()
        channel_id = self.world.voice_states[self.world.bot.id]["channel_id"]
        call.group = DaveGroup(int(str(channel_id)))
        await call.tell_binary(Op.EXTERNAL_SENDER, call.group.sender.package)
        package = await self.world.until(lambda: call.key_package, timeout_s=60.0)
        welcome = call.group.add_first(user.id, package)
        await call.tell_binary(Op.WELCOME, struct.pack(">H", 0) + welcome)

    async def encrypt_also_with(self, user: User, *, transition_id: int = 2) -> None:
        """Let one more person into the group; the bot has to change its keys."""
        call = await self._current()
        assert call.group is not None
        newcomer, proposals = call.group.propose(user.id)
        await call.tell_binary(Op.PROPOSALS, APPEND + proposals)
        commit = call.group.commit(user.id, newcomer, proposals)
        await call.tell_binary(Op.ANNOUNCE_COMMIT, struct.pack(">H", transition_id) + commit)

    async def speak(
        self,
        user: User,
        frames: Iterable[bytes],
        *,
        lost: Collection[int] = (),
        swapped: Collection[int] = (),
        pace_s: float = 0.001,
    ) -> None:
        """Let a person say these Opus frames, a third of them padded, 20 ms of RTP's time apart.

        lost: places of frames that never arrive; swapped: of those that come
        after the one that follows them.
        """
        first = self._sequences.get(user.id, 65_500)  # soon around the corner
        there = [(place, opus) for place, opus in enumerate(frames)]
        self._sequences[user.id] = first + len(there)
        for place in swapped:
            there[place], there[place + 1] = there[place + 1], there[place]
        for place, opus in there:
            if place not in lost:
                number = first + place
                padding = 7 if number % 3 == 0 else 0
                self.send_opus(
                    user, opus, sequence=number, timestamp=number * 960, n_padding=padding
                )
            await asyncio.sleep(pace_s)

    def send_opus(
        self, user: User, opus: bytes, *, sequence: int, timestamp: int, n_padding: int = 0
    ) -> None:
        """Send one frame of a person's voice, as Discord's clients do.

        With a header extension of two words, which lies inside the encrypted
        part, and `n_padding` bytes of RTP padding.
        """
        assert self.call is not None
        assert self.call.address is not None
        call, member = self.call, self._member(user)
        if member and opus != SILENCE:
            opus = member.encrypt_opus(opus)
        flags = 0x80 | 0x10 | (0x20 if n_padding else 0)
        header = struct.pack(
            ">BBHII",
            flags,
            OPUS_PAYLOAD_TYPE,
            sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            call.ssrcs[user.id],
        ) + struct.pack(">HH", 0xBEDE, 2)
        padding = bytes(n_padding - 1) + bytes([n_padding]) if n_padding else b""
        nonce = struct.pack(">I", call.nonce)
        call.nonce += 1
        box = nacl.secret.Aead(call.key)
        sealed = box.encrypt(bytes(8) + opus + padding, header, nonce + bytes(20)).ciphertext
        self.udp.sendto(header + sealed + nonce, call.address)

    def _member(self, user: User) -> davey.DaveSession | None:
        group = self.call.group if self.call else None
        member = group.members.get(user.id) if group else None
        return member if member and member.ready else None

    # --- UDP --------------------------------------------------------------------
    def on_datagram(self, data: bytes, address: tuple[str, int]) -> None:
        call = self.call
        if call is None:
            return
        is_discovery = len(data) == 74 and data[1] == 1
        if is_discovery:
            call.address = address
            where = address[0].encode().ljust(64, b"\0") + struct.pack(">H", address[1])
            self.udp.sendto(struct.pack(">HHI", 2, 70, BOT_SSRC) + where, address)
        elif len(data) > 12 and data[1] & 0x7F == OPUS_PAYLOAD_TYPE:
            self._on_rtp(call, data)
        elif len(data) == 8:
            self.n_kept_open += 1
        self.world.touch()

    def _on_rtp(self, call: Call, packet: bytes) -> None:
        header, sealed, nonce = packet[:12], packet[12:-4], packet[-4:]
        sequence, timestamp, _ = struct.unpack_from(">HII", packet, 2)
        opus: bytes | None = None
        with suppress(nacl.exceptions.CryptoError):
            opus = nacl.secret.Aead(call.key).decrypt(sealed, header, nonce + bytes(20))
        if opus is not None and opus != SILENCE and call.group:
            opus = self._decrypted(call.group, opus)
        if opus is None:
            call.n_undecryptable += 1
            return
        at_s = asyncio.get_running_loop().time()
        call.frames.append(Frame(sequence, timestamp, opus, at_s))

    def _decrypted(self, group: DaveGroup, opus: bytes) -> bytes | None:
        listener = next(iter(group.members.values()))
        try:
            return listener.decrypt(int(self.world.bot.id), davey.MediaType.audio, opus)
        except ValueError:
            return None


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: VoiceServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.on_datagram(data, addr)
