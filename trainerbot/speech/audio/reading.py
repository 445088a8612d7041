"""From a file's bytes, of whatever kind they turn out to be, to samples."""

import io
from collections.abc import Iterator
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from trainerbot.speech.contracts import HEARD_RATE_HZ, SAMPLE_BYTES, Pcm, UnreadableAudio

# Containers that hold recordings. Others, playlists above all, could make the
# reader open further files and addresses.
_CONTAINERS: Final = "ogg,mp3,mov,mp4,m4a,wav,matroska,webm,flac,aac,aiff,w64,amr,caf"
_OPTIONS: Final = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
_LOCKED: Final = frozenset({"drms", "enca"})
_MANY_FAULTS: Final = 50  # packets in a row that a damaged file may cost before it is given up


def decode(data: bytes, *, rate_hz: int = HEARD_RATE_HZ, most_s: float) -> Pcm:
    """Return the sound in a file: ogg, mp3, m4a, wav, webm, flac, whatever its name says.

    Of a video it is the sound. What is cut off or damaged in places is read as
    far as it goes. Raises UnreadableAudio, in words, when there is no sound, it
    is locked, or lasts longer than `most_s` seconds. Blocks: about 2 ms a
    second of sound.
    """
    if not data:
        raise UnreadableAudio("This file is empty. Record it again.")
    try:
        with av.open(
            io.BytesIO(data), "r", options=_OPTIONS, metadata_errors="ignore"
        ) as container:
            stream = _stream(container, data)
            samples = _samples(container, stream, rate_hz=rate_hz, most_s=most_s)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise UnreadableAudio(
            "This is no audio file that can be read. Send ogg, mp3, m4a, wav, webm or flac."
        ) from error
    if not samples:
        raise UnreadableAudio("There is no sound in this file: it lasts 0 seconds.")
    return Pcm(samples, rate_hz)


def resampled(sound: Pcm, rate_hz: int) -> Pcm:
    """Return the same sound at another rate; the very same object where it has it already."""
    if sound.rate_hz == rate_hz or not sound.data:
        return sound if sound.rate_hz == rate_hz else Pcm(b"", rate_hz)
    resampler = AudioResampler(format="s16", layout="mono", rate=rate_hz)
    pieces = [_bytes(each) for each in resampler.resample(as_frame(sound))]
    pieces += [_bytes(each) for each in resampler.resample(None)]
    return Pcm(b"".join(pieces), rate_hz)


def as_frame(sound: Pcm) -> AudioFrame:
    """Return `sound` as one frame of PyAV's."""
    frame = AudioFrame(format="s16", layout="mono", samples=len(sound.data) // SAMPLE_BYTES)
    frame.sample_rate = sound.rate_hz
    frame.planes[0].update(sound.data[: frame.samples * SAMPLE_BYTES])
    return frame


def _stream(container: InputContainer, data: bytes) -> AudioStream:
    """Return what to listen to. Raises UnreadableAudio where there is nothing, or it is locked."""
    if not container.streams.audio:
        kind = "video or picture without sound" if container.streams.video else "file without sound"
        raise UnreadableAudio(f"This is a {kind}. Send a recording.")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise UnreadableAudio("This sound is in a format that is not known here. Send mp3 or ogg.")
    is_mp4 = "mp4" in container.format.name
    if is_mp4 and (
        stream.codec_context.codec_tag in _LOCKED or (b"sinf" in data and b"frma" in data)
    ):
        raise UnreadableAudio(
            "This file is locked by its seller (DRM), so it cannot be read. Send a recording of "
            "your own."
        )
    return stream


def _samples(
    container: InputContainer, stream: AudioStream, *, rate_hz: int, most_s: float
) -> bytes:
    # A header may claim any duration, so what counts is what comes.
    most_bytes = int(most_s * rate_hz) * SAMPLE_BYTES
    samples = bytearray()
    resampler = AudioResampler(format="s16", layout="mono", rate=rate_hz)
    shape: tuple[str, str, int] | None = None
    for frame in _frames(container, stream):
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape not in (None, now):
            # Joined recordings may change in the middle; a resampler may not.
            samples += b"".join(map(_bytes, resampler.resample(None)))
            resampler = AudioResampler(format="s16", layout="mono", rate=rate_hz)
        shape = now
        frame.pts = None  # gaps of a damaged file are no reason to stop
        for piece in resampler.resample(frame):
            samples += _bytes(piece)
        if len(samples) > most_bytes:
            raise UnreadableAudio(
                f"This recording is longer than {in_words(most_s)}. Send a shorter one."
            )
    if shape is not None:
        samples += b"".join(map(_bytes, resampler.resample(None)))
    return bytes(samples)


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Yield what can be made out; damaged packets are passed over, but not without end."""
    n_faults = 0
    has_sound = False
    packets = container.demux(stream)
    while n_faults < _MANY_FAULTS:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            for frame in packet.decode():
                if isinstance(frame, AudioFrame):
                    has_sound = True
                    n_faults = 0
                    yield frame
        except av.FFmpegError:
            n_faults += 1
            if not has_sound and n_faults == _MANY_FAULTS:
                raise


def _bytes(frame: AudioFrame) -> bytes:
    # A plane is longer than its samples: it is padded for the processor.
    return bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]


def in_words(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < 120:
        return f"{seconds:g} seconds"
    return f"{seconds / 60:g} minutes"
