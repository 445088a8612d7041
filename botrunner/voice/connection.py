"""discord.py's voice client, made to hear and to come back.

discord.py 2.7 sends voice and receives none; what this adds stands on its
`VoiceConnectionState`, whose private parts are pinned by the version in
pyproject.toml and by the tests.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import davey
import discord
import nacl.secret
from discord.errors import ConnectionClosed
from discord.gateway import DiscordVoiceWebSocket
from discord.voice_state import ConnectionFlowState, VoiceConnectionState

from botrunner.voice.packets import END_TO_END, Packet, Unreadable, is_voice, opened
from botrunner.voice.reader import Reader, ended

if TYPE_CHECKING:
    from discord.types.voice import GuildVoiceState

log = logging.getLogger(__name__)

OnPacket = Callable[[int, Packet], None]
IsHeard = Callable[[int], bool]

# Pauses before each try to be let in again, after what the connection did not survive.
PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0, 4.0)
LEAVE_WITHIN_S: Final = 2.0
# Frames that wait to learn whose they are: Discord names a speaker beside their voice, not before.
MOST_UNNAMED, MOST_UNNAMED_FRAMES = 16, 25
MICROPHONE: Final = 1  # of the flags with which Discord says that somebody speaks


class Code:
    """What Discord closes a voice connection with, where it is not a plain loss."""

    REMOVED_OR_MOVED = 4014
    SERVER_CRASHED = 4015
    RATE_LIMITED = 4021
    CALL_TERMINATED = 4022


class End(Enum):
    """Why a connection is over for good."""

    LEFT = "we left"
    REMOVED = "somebody removed us"
    LOST = "it could not be kept"


class Connection(VoiceConnectionState):
    """discord.py's connection, with its reader woken, resumed where it may be, ended once."""

    voice_client: ReceivingClient

    def __init__(self, client: ReceivingClient) -> None:
        super().__init__(client, hook=client.on_voice_event)
        ended(self._socket_reader)
        self._socket_reader = self._reader = Reader(self)
        self._reader.start()
        self._is_over = False
        self._is_resumed = asyncio.Event()

    # --- the socket -------------------------------------------------------------
    def _release_reader(self) -> None:
        """Let the reader thread rest until there is another socket."""
        self._reader.pause()
        self._reader.wake()

    def _create_socket(self) -> None:
        former = self.socket
        super()._create_socket()
        self._reader.wake()
        if former:  # of the channel that we were moved from; discord.py forgets it
            former.close()

    async def disconnect(
        self, *, force: bool = True, cleanup: bool = True, wait: bool = False
    ) -> None:
        if cleanup:
            self._is_over = True
            if self._runner and not self._inside_runner():
                self._runner.cancel()  # it may be about to connect again
            # Of how long Discord takes to confirm it, when it is asked to.
            self.timeout = min(self.timeout, LEAVE_WITHIN_S)
        self._release_reader()
        await super().disconnect(force=force, cleanup=cleanup, wait=wait)

    async def soft_disconnect(
        self, *, with_state: ConnectionFlowState = ConnectionFlowState.got_both_voice_updates
    ) -> None:
        self._release_reader()
        await super().soft_disconnect(with_state=with_state)

    # --- staying connected ----------------------------------------------------------
    async def _poll_voice_ws(self, reconnect: bool) -> None:
        """Follow the voice server until the connection is over."""
        while not self._is_over:
            try:
                await self.ws.poll_event()
            except ConnectionClosed as closed:
                code: int | None = closed.code
            except (TimeoutError, aiohttp.ClientError, OSError):
                code = None
            except Exception:
                # What a library cannot digest must not leave a call that looks alive.
                log.exception("An event of the voice server could not be read; connecting again.")
                code = 0
            else:
                continue
            if self._is_out:  # by our own doing, or a moderator's
                return
            log.info("The voice server closed the connection with %s.", code)
            if not await self._recovered(code):
                if not self._is_out:
                    await self.disconnect()
                return

    @property
    def _is_out(self) -> bool:
        return self.state is ConnectionFlowState.disconnected

    async def _recovered(self, code: int | None) -> bool:
        """Be connected again after the voice server ended it; False where that cannot be."""
        if code == Code.RATE_LIMITED:
            return False
        if code in (Code.REMOVED_OR_MOVED, Code.CALL_TERMINATED):
            # Moved, we are told of another server at once; removed, that we are nowhere.
            if await self._potential_reconnect():
                return True
            if code == Code.CALL_TERMINATED or self._is_out:
                return False
        elif code in (Code.SERVER_CRASHED, None, 1006) and await self._resumed():
            return True
        return await self._connected_anew()

    async def _resumed(self) -> bool:
        """Take the session up where it broke, with its keys. discord.py waits for a new one."""
        former = self.ws
        self._is_resumed.clear()
        try:
            async with asyncio.timeout(self.timeout):
                self.ws = await self._connect_websocket(True)
                while not self._is_resumed.is_set():
                    await self.ws.poll_event()
        except (ConnectionClosed, TimeoutError, aiohttp.ClientError, OSError) as error:
            log.info("The voice session could not be resumed: %s", error)
            return False
        finally:
            await former.close()
        self.ws.secret_key = self.secret_key
        self.state = ConnectionFlowState.connected
        return True

    def resumed(self) -> None:
        """The voice server has taken us back."""
        self._is_resumed.set()

    async def _connected_anew(self) -> bool:
        for pause_s in PAUSES_S:
            await asyncio.sleep(pause_s)
            # Asked before we leave: without a channel nobody knows how we were in it.
            before = self.self_voice_state or self
            try:
                await self.disconnect(cleanup=False)
                await self._connect(True, self.timeout, before.self_deaf, before.self_mute, False)
            except (ConnectionClosed, TimeoutError, aiohttp.ClientError, OSError) as error:
                log.warning("The voice server did not take us back: %r", error)
            else:
                # Else the next move looks like a removal to discord.py.
                self._disconnected.clear()
                return True
        return False

    async def _potential_reconnect(self) -> bool:
        self._disconnected.clear()
        return await super()._potential_reconnect()


class ReceivingClient(discord.VoiceClient):
    """A voice client that also hears.

    `channel.connect(cls=ReceivingClient)`, then `listen`. Whose voice a frame
    is, Discord says on the websocket; the frames themselves come on discord.py's
    reader thread, are unsealed there and end-to-end decrypted on the event
    loop, which alone may touch the session of davey.

    counts: packets by what became of them. `received` all voice that came,
    `heard` what `listen`'s function got, `silent` those of it that only end
    speech, which is never encrypted; the others were dropped: `unsealed`
    (broken, or not sealed with our key), `unnamed` (nobody said whose it is),
    `unheard` (of those who do not want to be listened to), `no_key` (between
    two keys of the end-to-end encryption), `undecryptable`, `plain` (not
    end-to-end encrypted, where it must be).
    """

    # The only one of Discord's modes that is neither gone nor hidden in old discord.py versions.
    supported_modes = ("aead_xchacha20_poly1305_rtpsize",)
    _connection: Connection

    def __init__(self, client: discord.Client, channel: discord.abc.Connectable) -> None:
        # Those that other threads count are there from the start, so that none is added in a copy.
        self.counts: Counter[str] = Counter(received=0, heard=0, unsealed=0)
        self.n_begun = 0  # how often Discord has said that somebody begins to speak
        self.end: End | None = None
        self.ended = asyncio.Event()
        self.speakers: dict[int, int] = {}  # ssrc -> discord user id
        self._unnamed: dict[int, deque[Packet]] = {}
        self._box: nacl.secret.Aead | None = None
        self._on_packet: OnPacket | None = None
        self._is_heard: IsHeard = lambda discord_user_id: True
        self._n_kept_open = 0
        super().__init__(client, channel)

    def create_connection_state(self) -> Connection:
        return Connection(self)

    # --- hearing ----------------------------------------------------------------
    def listen(self, on_packet: OnPacket, *, is_heard: IsHeard | None = None) -> None:
        """Call `on_packet(discord_user_id, packet)` for each frame, decrypted, on the event loop.

        is_heard: whether somebody may be listened to. What the others say is
        dropped before it is decrypted.
        """
        self.unlisten()
        self._on_packet = on_packet
        if is_heard is not None:
            self._is_heard = is_heard
        self._connection.add_socket_listener(self._on_datagram)

    def unlisten(self) -> None:
        if self._on_packet is not None:
            self._on_packet = None
            self._connection.remove_socket_listener(self._on_datagram)

    @property
    def is_end_to_end(self) -> bool:
        """Whether what is said here is encrypted from end to end now."""
        return bool(self._connection.dave_protocol_version and self._connection.can_encrypt)

    @property
    def is_locked(self) -> bool:
        """Whether what is said is encrypted from end to end, and we have no key to it."""
        return bool(self._connection.dave_protocol_version and not self._connection.can_encrypt)

    async def begin_anew(self) -> None:
        """Leave the voice server and be let in again, with new keys; returns before that."""
        await self._connection.ws.ws.close(code=4000)

    def keep_path_open(self) -> None:
        """Send a datagram that says nothing, so that no router forgets where voice goes to.

        Whoever only listens sends nothing else. Due every five seconds.
        """
        self._n_kept_open += 1
        with suppress(OSError, AttributeError):  # no socket just now: there is no path to keep
            self._connection.socket.send(self._n_kept_open.to_bytes(8, "little"))

    def _on_datagram(self, datagram: bytes) -> None:
        """On discord.py's reader thread."""
        if not is_voice(datagram):
            return
        self.counts["received"] += 1
        box = self._box
        try:
            if box is None:
                raise Unreadable("no key yet")
            packet = opened(datagram, box)
        except Unreadable:
            self.counts["unsealed"] += 1
            return
        with suppress(RuntimeError):  # the loop has ended before this thread
            self.loop.call_soon_threadsafe(self._take, packet)

    def _take(self, packet: Packet) -> None:
        discord_user_id = self.speakers.get(packet.ssrc)
        if discord_user_id is not None:
            self._hand_on(discord_user_id, packet)
            return
        waiting = self._unnamed.get(packet.ssrc)
        if waiting is None:
            if len(self._unnamed) >= MOST_UNNAMED:  # the oldest is nobody's by now
                self.counts["unnamed"] += len(self._unnamed.pop(next(iter(self._unnamed))))
            waiting = self._unnamed[packet.ssrc] = deque()
        if len(waiting) >= MOST_UNNAMED_FRAMES:
            self.counts["unnamed"] += 1
        else:
            waiting.append(packet)

    def _hand_on(self, discord_user_id: int, packet: Packet) -> None:
        if self._on_packet is None:
            return
        if not self._is_heard(discord_user_id):
            self.counts["unheard"] += 1
            return
        frame = self._decrypted(discord_user_id, packet)
        if frame:
            self.counts["heard"] += 1
            self.counts["silent"] += packet.is_silence
            told = Packet(packet.ssrc, packet.sequence, packet.timestamp, frame)
            self._on_packet(discord_user_id, told)

    def _decrypted(self, discord_user_id: int, packet: Packet) -> bytes | None:
        """Return the Opus frame, or count why there is none. Only on the event loop."""
        session = self._connection.dave_session
        is_plain = not self._connection.dave_protocol_version and packet.frame[-2:] != END_TO_END
        if session is None or is_plain or packet.is_silence:
            return packet.frame  # silence is never encrypted
        try:
            return bytes(session.decrypt(discord_user_id, davey.MediaType.audio, packet.frame))
        except ValueError as error:  # davey has no other
            self.counts[_kind(str(error))] += 1
            return None

    # --- what the voice server says -----------------------------------------------
    async def on_voice_event(self, ws: DiscordVoiceWebSocket, event: dict[str, Any]) -> None:
        """Follow who speaks from which source, and which key seals what they say."""
        op, data = event["op"], event.get("d") or {}
        if op == ws.READY:
            self.speakers.clear()
            self._unnamed.clear()
            self._box = None
        elif op == ws.SESSION_DESCRIPTION:
            self._box = nacl.secret.Aead(bytes(data["secret_key"]))
        elif op == ws.SPEAKING and "user_id" in data:
            self.n_begun += int(data.get("speaking") or 0) & MICROPHONE
            self._name(int(data["ssrc"]), int(data["user_id"]))
        elif op == ws.CLIENT_CONNECT and data.get("audio_ssrc"):
            self._name(int(data["audio_ssrc"]), int(data["user_id"]))
        elif op == ws.CLIENT_DISCONNECT:
            gone = int(data["user_id"])
            self.speakers = {ssrc: who for ssrc, who in self.speakers.items() if who != gone}
        elif op == ws.RESUMED:
            self._connection.resumed()

    def _name(self, ssrc: int, discord_user_id: int) -> None:
        self.speakers[ssrc] = discord_user_id
        for packet in self._unnamed.pop(ssrc, ()):
            self._hand_on(discord_user_id, packet)

    # --- the end ------------------------------------------------------------------
    async def on_voice_state_update(self, data: GuildVoiceState) -> None:
        is_ours = self._connection._expecting_disconnect
        if not data["channel_id"] and not is_ours and self.end is None:
            self.end = End.REMOVED
        await super().on_voice_state_update(data)

    async def disconnect(self, *, force: bool = False) -> None:
        self.end = self.end or End.LEFT
        await super().disconnect(force=force)

    async def hang_up(self) -> None:
        """Leave without waiting until Discord confirms it: nobody listens to it any more."""
        self.end = self.end or End.LEFT
        self.stop()
        await self._connection.disconnect()

    def abandon(self) -> None:
        """Forget a connection that Discord has forgotten, without a word to it."""
        self.end = self.end or End.LOST
        connection = self._connection
        connection._is_over = True
        if connection._runner:
            connection._runner.cancel()
        connection._release_reader()
        connection._socket_reader.stop()
        if connection.socket:
            connection.socket.close()
        if heartbeat := getattr(connection.ws, "_keep_alive", None):
            heartbeat.stop()
        connection.state = ConnectionFlowState.disconnected
        self.stop()
        self.ended.set()

    def cleanup(self) -> None:
        self.end = self.end or End.LOST
        self.unlisten()
        super().cleanup()
        self.ended.set()


def _kind(error: str) -> str:
    """Which count a refusal of davey's belongs to."""
    if "NoValidCryptorFound" in error or "NoDecryptorForUser" in error:
        return "no_key"
    return "plain" if "Unencrypted" in error else "undecryptable"
