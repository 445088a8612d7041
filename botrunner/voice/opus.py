"""Opus: where its library is, and a decoder that gives what recognisers expect."""

from __future__ import annotations

from typing import Final

import discord.opus

from trainerbot.speech import Pcm
from trainerbot.speech.audio import load_opus
from trainerbot.speech.contracts import HEARD_RATE_HZ

FRAME_MS: Final = 20
FRAME_SAMPLES: Final = HEARD_RATE_HZ * FRAME_MS // 1000
FRAME_BYTES: Final = 2 * FRAME_SAMPLES


def load() -> None:
    """Let discord.py use Opus. Raises ProviderUnavailable, with what to install, where there is none.

    The first call takes a tenth of a second.
    """
    if not discord.opus.is_loaded():
        discord.opus.load_opus(load_opus())


class Decoder(discord.opus.Decoder):
    """Decodes one speaker's frames, straight to mono at 16 kHz.

    Opus resamples and mixes down by itself, for less than decoding all of
    48 kHz stereo costs. Blocks for about 0.1 ms a frame, without the GIL.
    """

    SAMPLING_RATE = HEARD_RATE_HZ
    CHANNELS = 1
    SAMPLES_PER_FRAME = FRAME_SAMPLES

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # discord.py left it without types

    def heard(self, frame: bytes) -> bytes:
        """Return the samples of a frame. Raises discord.opus.OpusError for what is none."""
        return self.decode(frame, fec=False) if frame else b""

    def recovered(self, following: bytes) -> bytes:
        """Return the lost frame before `following`, from the copy that this may carry."""
        return self.decode(following, fec=True)

    def guessed(self) -> bytes:
        """Return what a lost frame may have sounded like."""
        return self.decode(None, fec=False)


def silence(n_frames: int = 1) -> Pcm:
    return Pcm(bytes(FRAME_BYTES * n_frames))
