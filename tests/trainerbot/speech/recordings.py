"""Recordings made for tests: tones in every container that people send."""

import io
import itertools
import math
import struct
from typing import Any

import av

from trainerbot.speech import Pcm

RATE_HZ = 24_000
# Container, codec, rate, layout, options: what phones, browsers and Discord make.
KINDS: dict[str, tuple[str, str, int, str, dict[str, str]]] = {
    "ogg": ("ogg", "libopus", 48_000, "mono", {}),
    "vorbis": ("ogg", "vorbis", 48_000, "stereo", {"strict": "experimental"}),
    "mp3": ("mp3", "libmp3lame", 24_000, "mono", {}),
    "m4a": ("ipod", "aac", 24_000, "stereo", {}),
    "wav": ("wav", "pcm_s16le", 44_100, "stereo", {}),
    "webm": ("webm", "libopus", 48_000, "mono", {}),
    "flac": ("flac", "flac", 24_000, "mono", {}),
}


def tone(seconds: float = 1.0, hz: float = 440.0, rate_hz: int = RATE_HZ, peak: int = 8_000) -> Pcm:
    """A plain tone."""
    step = 2 * math.pi * hz / rate_hz
    samples = (round(peak * math.sin(step * i)) for i in range(int(seconds * rate_hz)))
    return Pcm(b"".join(struct.pack("<h", sample) for sample in samples), rate_hz)


def silence(seconds: float = 1.0, rate_hz: int = RATE_HZ) -> Pcm:
    """Nothing at all, for a while."""
    return Pcm(bytes(2 * int(seconds * rate_hz)), rate_hz)


def recorded(kind: str, sound: Pcm) -> bytes:
    """`sound` as a file of one of the KINDS."""
    container, codec, rate_hz, layout, options = KINDS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate_hz, layout=layout, options=options)
        out.mux(stream.encode(frame_of(sound)))
        out.mux(stream.encode(None))
    return file.getvalue()


def video(*, seconds: float = 1.0, sound: Pcm | None = None) -> bytes:
    """A film of black pictures, with or without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        pictures: Any = out.add_stream("mpeg4", rate=5, width=32, height=32, pix_fmt="yuv420p")
        heard: Any = out.add_stream("aac", rate=RATE_HZ, layout="mono") if sound else None
        for _ in range(int(5 * seconds)):
            out.mux(pictures.encode(av.VideoFrame(32, 32, "yuv420p")))
        out.mux(pictures.encode(None))
        if heard is not None and sound is not None:
            out.mux(heard.encode(frame_of(sound)))
            out.mux(heard.encode(None))
    return file.getvalue()


def locked() -> bytes:
    """A song as a shop sells it: AAC under Apple's mark for protected tracks."""
    return recorded("m4a", tone(0.5)).replace(b"mp4a", b"drms")


def frame_of(sound: Pcm) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(sound.data) // 2)
    frame.sample_rate = sound.rate_hz
    frame.planes[0].update(sound.data)
    return frame


def loudest_hz(sound: Pcm) -> float:
    """The frequency of a tone, counted by the times that it crosses zero."""
    samples = struct.unpack(f"<{len(sound.data) // 2}h", sound.data)
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    crossings = sum(1 for a, b in itertools.pairwise(middle) if (a < 0) != (b < 0))
    return crossings / 2 / (len(middle) / sound.rate_hz)
