"""From samples to a file's bytes."""

import io
import struct
from typing import Final

import av
from av.container import OutputContainer

from trainerbot.errors import InvalidInput
from trainerbot.speech.audio.reading import as_frame, resampled
from trainerbot.speech.contracts import SAMPLE_BYTES, Pcm

CONTENT_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
# Container, codec and the rate that the codec wants (None: the sound's own).
_FILES: Final = {
    "mp3": ("mp3", "libmp3lame", 24_000),
    "opus": ("ogg", "libopus", 48_000),
    "aac": ("adts", "aac", 24_000),
    "flac": ("flac", "flac", None),
}
_BIT_RATES: Final = {"mp3": 64_000, "opus": 32_000, "aac": 64_000}


def encode(sound: Pcm, format: str) -> bytes:
    """Return `sound` as a file: wav, mp3, opus (in Ogg), flac or aac; pcm is its bare samples.

    Raises InvalidInput for another format. Blocks: about 3 ms a second of sound.
    """
    if format == "pcm":
        return sound.data
    if format == "wav":
        return _wav(sound)
    if format not in _FILES:
        raise InvalidInput(f"Sound cannot be made as {format}. Use {', '.join(CONTENT_TYPES)}.")
    container_name, codec, rate_hz = _FILES[format]
    sound = resampled(sound, rate_hz or sound.rate_hz)
    file = io.BytesIO()
    with av.open(file, "w", format=container_name) as container:
        _write(container, codec, sound, bit_rate=_BIT_RATES.get(format))
    return file.getvalue()


def _write(container: OutputContainer, codec: str, sound: Pcm, *, bit_rate: int | None) -> None:
    stream = container.add_stream(codec, rate=sound.rate_hz, layout="mono")
    assert isinstance(stream, av.AudioStream)
    if bit_rate is not None:
        stream.bit_rate = bit_rate
    if sound.data:
        container.mux(stream.encode(as_frame(sound)))
    container.mux(stream.encode(None))


def _wav(sound: Pcm) -> bytes:
    size = len(sound.data)
    rate = sound.rate_hz
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + size, b"WAVE",
        b"fmt ", 16, 1, 1, rate, rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES,
        b"data", size,
    )  # fmt: skip
    return head + sound.data
