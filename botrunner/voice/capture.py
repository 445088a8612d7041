"""From the packets of a call to what each person says, in frames of 20 ms."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from discord.opus import OpusError

from botrunner.voice.connection import IsHeard, ReceivingClient
from botrunner.voice.jitter import DEPTH_S, Jitter, Lost
from botrunner.voice.opus import FRAME_BYTES, FRAME_MS, Decoder, silence
from botrunner.voice.packets import SILENCE, Packet
from trainerbot.speech import Pcm

log = logging.getLogger(__name__)

OnFrame = Callable[[int, Pcm], None]
FRAME_S: Final = FRAME_MS / 1000
# Who says nothing sends nothing: silence is put in, long enough for every end of speech.
FILLED_S: Final = 2.0
# A packet is that late at most; else nothing was said since the last one.
SILENT_AFTER_S: Final = DEPTH_S + FRAME_S
SAID_TO_END: Final = 5  # packets of silence, which Discord's clients send behind all that is said
MOST_GUESSED: Final = 5  # frames; what Opus guesses after 100 ms is silence anyway
MOST_QUEUED: Final = 2_000


class Speaker:
    """One person's voice: ordered, decoded, with what was lost guessed, and silence between.

    It knows no clock: `now` is seconds, and never goes back.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._jitter: Jitter[bytes] = Jitter()
        self._decoder = Decoder()
        self._rest = bytearray()
        self._heard_until: float | None = None  # the moment that the frames given have reached
        self._last_packet_at = 0.0
        self._n_filled = 0  # frames of silence since the last real one
        self._n_silent = 0  # packets of silence since the last one with sound

    def put(self, packet: Packet, now: float) -> list[Pcm]:
        """Return the frames that are due with this packet."""
        if self._heard_until is None:
            self._heard_until = now
        self._last_packet_at = now
        self._n_silent = self._n_silent + 1 if packet.is_silence else 0
        frames = list(self._decoded(self._jitter.put(packet.sequence, packet.frame, now)))
        return self._given(frames, now)

    def wait(self, now: float) -> list[Pcm]:
        """Return the frames that are due because time has passed."""
        frames = list(self._decoded(self._jitter.due(now)))
        given = self._given(frames, now)
        assert self._heard_until is not None
        if now >= self.silence_at:
            # As with a packet: a frame is given when its time begins, not when it is over.
            n_missing = 1 + int((now - self._heard_until) / FRAME_S)
            self._heard_until += n_missing * FRAME_S
            self._n_filled += n_missing
            given += [silence()] * n_missing
        return given

    @property
    def silence_at(self) -> float:
        """When the next frame of silence is due, unless a packet comes before."""
        assert self._heard_until is not None
        if self._n_silent >= SAID_TO_END:
            return self._heard_until  # nothing is on its way any more
        return max(self._heard_until, self._last_packet_at + SILENT_AFTER_S)

    def is_done(self, now: float) -> bool:
        """Whether they have been silent for so long that everybody has noticed."""
        return now - self._last_packet_at > FILLED_S

    def _given(self, frames: list[Pcm], now: float) -> list[Pcm]:
        """Move the moment forward. Frames that came in a heap do not run ahead of time."""
        assert self._heard_until is not None
        self._heard_until = min(self._heard_until + len(frames) * FRAME_S, now + FRAME_S)
        return frames

    def _decoded(self, ordered: list[bytes | Lost]) -> Iterator[Pcm]:
        n_lost = 0
        for each in ordered:
            if isinstance(each, Lost):
                n_lost = each.count
                continue
            if n_lost:
                # In the time that was lost, silence was given already.
                yield from self._concealed(max(0, n_lost - self._n_filled), following=each)
                n_lost = 0
            if each == SILENCE and self._n_filled:  # one more than there should be, and late
                self._n_filled -= 1
                continue
            self._n_filled = 0
            yield from self._pieces(self._heard(each))

    def _concealed(self, n_lost: int, *, following: bytes) -> Iterator[Pcm]:
        n_guessed = min(n_lost, MOST_GUESSED)
        self._counts["concealed"] += n_guessed
        for _ in range(n_guessed - 1):
            yield from self._pieces(self._decoder.guessed())
        for _ in range(n_lost - n_guessed):
            yield silence()
        if n_guessed:
            yield from self._pieces(self._recovered(following))

    def _heard(self, frame: bytes) -> bytes:
        try:
            sound = self._decoder.heard(frame)
        except OpusError:
            self._counts["broken"] += 1
            return self._decoder.guessed()
        # Opus clicks where speech turns into its frame of silence; that click is nobody's voice.
        return bytes(len(sound)) if frame == SILENCE else sound

    def _recovered(self, following: bytes) -> bytes:
        try:
            return self._decoder.recovered(following)
        except OpusError:
            return self._decoder.guessed()

    def _pieces(self, samples: bytes) -> Iterator[Pcm]:
        """Cut into frames of 20 ms: Opus has longer and shorter ones."""
        self._rest += samples
        while len(self._rest) >= FRAME_BYTES:
            yield Pcm(bytes(self._rest[:FRAME_BYTES]))
            del self._rest[:FRAME_BYTES]


class Capture:
    """Hears a call: `on_frame(discord_user_id, sound)` for each 20 ms of each person.

    `on_frame` is called on a thread of the capture's own, one frame after the
    other, never two at once; `sound` is mono at 16 kHz. While somebody speaks,
    and for two seconds after, their frames follow each other without a gap:
    what was lost is guessed, and silence is put in. After that none come until
    they speak again.

    counts: frames `concealed`, `broken` (not Opus), `overrun` (this machine
    was too slow).
    """

    def __init__(
        self, client: ReceivingClient, on_frame: OnFrame, *, is_heard: IsHeard | None = None
    ) -> None:
        self.counts: Counter[str] = Counter(concealed=0, broken=0)
        self._client = client
        self._on_frame = on_frame
        self._is_heard = is_heard
        self._queue: queue.SimpleQueue[tuple[int, Packet] | None] = queue.SimpleQueue()
        self._speakers: dict[int, Speaker] = {}
        self._n_failed = 0
        self._thread = threading.Thread(target=self._work, name="voice-capture", daemon=True)

    def start(self) -> None:
        """Begin to hear. Call it on the event loop, once."""
        self._thread.start()
        self._client.listen(self._put, is_heard=self._is_heard)

    def stop(self) -> None:
        """Hear no more. The thread ends by itself, after the frame that it is at."""
        self._client.unlisten()
        self._queue.put(None)

    def join(self) -> None:
        """Wait for the thread; blocks, so not on the event loop."""
        self._thread.join()

    def _put(self, discord_user_id: int, packet: Packet) -> None:
        if self._queue.qsize() > MOST_QUEUED:
            self.counts["overrun"] += 1
        else:
            self._queue.put((discord_user_id, packet))

    def _work(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=self._patience_s())
            except queue.Empty:
                self._pass_time(time.monotonic())
                continue
            if item is None:
                return
            discord_user_id, packet = item
            speaker = self._speakers.get(discord_user_id)
            if speaker is None:
                if packet.is_silence:  # the end of what nobody heard
                    continue
                speaker = self._speakers[discord_user_id] = Speaker(self.counts)
            now = time.monotonic()
            self._give(discord_user_id, speaker.put(packet, now))
            if len(self._speakers) > 1:
                self._pass_time(now)

    def _patience_s(self) -> float | None:
        """How long to wait for a packet: until somebody's silence is due, 20 ms at most."""
        if not self._speakers:
            return None
        due_at = min(speaker.silence_at for speaker in self._speakers.values())
        return min(FRAME_S, max(0.0, due_at - time.monotonic()))

    def _pass_time(self, now: float) -> None:
        for discord_user_id, speaker in list(self._speakers.items()):
            self._give(discord_user_id, speaker.wait(now))
            if speaker.is_done(now):
                del self._speakers[discord_user_id]

    def _give(self, discord_user_id: int, frames: list[Pcm]) -> None:
        for frame in frames:
            try:
                self._on_frame(discord_user_id, frame)
            except Exception:
                # One who cannot take a frame must not make the bot deaf; fifty
                # a second would fill the log.
                self._n_failed += 1
                if self._n_failed & (self._n_failed - 1) == 0:
                    log.exception("What was heard could not be used (%d times).", self._n_failed)
