"""From samples to a file's bytes."""

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
PCM_RATE_HZ: Final = 24_000  # of OpenAI's pcm
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
    encoder = Encoder(format)
    return encoder.feed(sound) + encoder.end()


class Encoder:
    """Makes one file of sounds that come one after the other, at any rates.

    What `feed` and `end` return, joined, is the file. A wav comes whole at the
    end, for its head tells its length; pcm is at 24 kHz.
    """

    def __init__(self, format: str) -> None:
        """Raise InvalidInput for a format that is not in CONTENT_TYPES."""
        if format not in CONTENT_TYPES:
            raise InvalidInput(f"Sound cannot be made as {format}. Use {', '.join(CONTENT_TYPES)}.")
        self._format = format
        self._samples = bytearray()
        self._file = _Growing()
        self._container: OutputContainer | None = None
        self._stream: av.AudioStream | None = None

    def feed(self, sound: Pcm) -> bytes:
        """Add `sound`, and return what of the file is ready."""
        if self._format == "pcm":
            return resampled(sound, PCM_RATE_HZ).data
        if self._format == "wav":
            self._samples += resampled(sound, PCM_RATE_HZ).data
            return b""
        if self._container is None or self._stream is None:
            name, codec, rate_hz = _FILES[self._format]
            self._container = av.open(self._file, "w", format=name)
            stream = self._container.add_stream(codec, rate=rate_hz or sound.rate_hz, layout="mono")
            assert isinstance(stream, av.AudioStream)
            if (bit_rate := _BIT_RATES.get(self._format)) is not None:
                stream.bit_rate = bit_rate
            self._stream = stream
        if sound.data:
            frame = as_frame(resampled(sound, self._stream.rate))
            self._container.mux(self._stream.encode(frame))
        return self._file.take()

    def end(self) -> bytes:
        """Return the rest of the file. Nothing may be fed afterwards."""
        if self._format == "wav":
            return encode(Pcm(bytes(self._samples), PCM_RATE_HZ), "wav")
        if self._container is not None and self._stream is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        return self._file.take()


class _Growing:
    """A file that can only be written on, as one that is sent can."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data, self._data = bytes(self._data), bytearray()
        return data


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
