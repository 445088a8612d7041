"""Sound in and out of files: every kind that people send, and what is none."""

import ctypes
import math
import struct
from pathlib import Path

import av
import pytest

from tests.trainerbot.speech.recordings import (
    KINDS,
    RATE_HZ,
    locked,
    loudest_hz,
    recorded,
    silence,
    tone,
    video,
)
from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.speech import Pcm, UnreadableAudio
from trainerbot.speech.audio import (
    CONTENT_TYPES,
    decode,
    encode,
    levelled,
    load_opus,
    resampled,
    trimmed,
    waveform,
)


@pytest.mark.origin(42)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_recording_is_read_as_16_khz_mono(kind):
    sound = decode(recorded(kind, tone(1.0, hz=500)), most_s=10)

    assert sound.rate_hz == 16_000
    assert sound.duration_s == pytest.approx(1.0, abs=0.1)
    assert loudest_hz(sound) == pytest.approx(500, abs=10)


@pytest.mark.parametrize("format", CONTENT_TYPES)
def test_what_is_written_is_read_again(format):
    written = encode(tone(1.0, hz=500), format)

    sound = Pcm(written, RATE_HZ) if format == "pcm" else decode(written, most_s=10)

    assert sound.duration_s == pytest.approx(1.0, abs=0.15)
    assert loudest_hz(sound) == pytest.approx(500, abs=10)


@pytest.mark.parametrize("format", CONTENT_TYPES)
def test_no_sound_at_all_can_be_written_too(format):
    assert isinstance(encode(Pcm(b""), format), bytes)


def test_a_format_that_nobody_reads_is_refused():
    with pytest.raises(InvalidInput, match="Use mp3, opus"):
        encode(tone(0.1), "midi")


def test_the_sound_of_a_video_is_heard():
    assert decode(video(sound=tone(1.0)), most_s=10).duration_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.origin(42)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"no sound " * 500, "no audio file", id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(500), "no audio file", id="picture"),
        pytest.param(recorded("m4a", tone(1.0))[:4000], "no audio file", id="cut before its index"),
        pytest.param(b"OggS" + bytes(range(256)) * 20, "no audio file|0 seconds", id="corrupt"),
        pytest.param(encode(Pcm(b""), "wav"), "0 seconds", id="0 seconds"),
        pytest.param(video(), "video or picture without sound", id="silent film"),
        pytest.param(locked(), "locked", id="DRM"),
        pytest.param(
            recorded("webm", tone(0.5)).replace(b"A_OPUS", b"A_ZZZZ"), "not known", id="codec"
        ),
    ],
)
def test_what_holds_no_sound_is_said_in_words(data, words):
    with pytest.raises(UnreadableAudio, match=words):
        decode(data, most_s=10)


def test_three_hours_are_refused_after_the_first_seconds_that_are_too_many():
    head = encode(tone(0.1), "wav")[:44]
    hours = head[:40] + struct.pack("<I", 3 * 3600 * 2 * RATE_HZ) + bytes(3 * 2 * RATE_HZ)

    with pytest.raises(UnreadableAudio, match="longer than 2 seconds"):
        decode(hours, most_s=2)


def test_a_header_that_claims_three_hours_does_not_hide_the_two_seconds_that_are_there():
    head = encode(tone(0.1), "wav")[:44]
    lying = head[:40] + struct.pack("<I", 3 * 3600 * 2 * RATE_HZ) + tone(2.0).data

    assert decode(lying, most_s=600).duration_s == pytest.approx(2.0, abs=0.05)


def test_a_recording_that_was_cut_off_is_read_as_far_as_it_goes():
    whole = recorded("ogg", tone(4.0))

    assert 1 < decode(whole[: len(whole) // 2], most_s=10).duration_s < 3


def test_damage_in_the_middle_costs_only_the_middle():
    whole = bytearray(recorded("mp3", tone(4.0)))
    whole[len(whole) // 2 : len(whole) // 2 + 400] = bytes(400)

    assert decode(bytes(whole), most_s=10).duration_s == pytest.approx(4.0, abs=0.5)


def test_two_recordings_joined_into_one_file_are_read_both():
    joined = recorded("ogg", tone(1.0)) + recorded("ogg", tone(1.0))

    assert decode(joined, most_s=10).duration_s == pytest.approx(2.0, abs=0.1)


def test_a_playlist_opens_no_other_file(tmp_path):
    inner = tmp_path / "secret.mp3"
    inner.write_bytes(recorded("mp3", tone(1.0)))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{inner.as_uri()}\n#EXT-X-ENDLIST\n"

    for made in (playlist, f"ffconcat version 1.0\nfile '{inner}'\n"):
        with pytest.raises(UnreadableAudio, match="no audio file"):
            decode(made.encode(), most_s=10)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_another_rate_keeps_the_tone_and_the_time(rate_hz):
    sound = resampled(tone(1.0, hz=500), rate_hz)

    assert sound.rate_hz == rate_hz
    assert sound.duration_s == pytest.approx(1.0, abs=0.01)
    assert loudest_hz(sound) == pytest.approx(500, abs=5)


def test_the_same_rate_is_the_same_sound():
    sound = tone(0.1)

    assert resampled(sound, RATE_HZ) is sound
    assert resampled(Pcm(b"", 8_000), 16_000) == Pcm(b"", 16_000)


def test_quiet_is_trimmed_from_both_ends_with_a_margin():
    said = Pcm(silence(1.0).data + tone(0.5).data + silence(1.0).data, RATE_HZ)

    assert trimmed(said).duration_s == pytest.approx(0.7, abs=0.05)


def test_silence_is_neither_trimmed_away_nor_made_louder():
    for nothing in (silence(0.5), Pcm(b"")):
        assert trimmed(nothing) == nothing
        assert levelled(nothing) == nothing


def test_a_whisper_is_levelled_to_just_below_the_limit():
    loud = levelled(tone(0.2, peak=300))

    samples = struct.unpack(f"<{len(loud.data) // 2}h", loud.data)
    assert 20 * math.log10(max(samples) / 32_768) == pytest.approx(-1.0, abs=0.3)


def test_the_picture_of_a_sound_shows_when_it_was_loud():
    said = Pcm(silence(1.0).data + tone(1.0).data, RATE_HZ)

    bars = waveform(said)

    assert len(bars) == 20
    assert max(bars[:9]) == 0
    assert min(bars[11:]) > 240


@pytest.mark.parametrize(("seconds", "n_bars"), [(0.0, 1), (0.01, 1), (120.0, 256)])
def test_a_picture_has_between_1_and_256_bars(seconds, n_bars):
    assert len(waveform(silence(seconds, rate_hz=8_000))) == n_bars


@pytest.fixture
def without_a_systems_opus(monkeypatch):
    monkeypatch.setattr("trainerbot.speech.audio.opus.find_library", lambda _: None)
    load_opus.cache_clear()
    yield
    load_opus.cache_clear()


def test_a_libopus_is_found_and_loads():
    assert ctypes.CDLL(load_opus()).opus_get_version_string


def test_where_the_system_has_no_libopus_pyavs_is_taken(without_a_systems_opus):
    assert Path(load_opus()).is_relative_to(Path(av.__file__).parent.parent)


@pytest.mark.origin(3)
def test_where_there_is_no_libopus_at_all_it_is_said_what_to_install(
    without_a_systems_opus, monkeypatch, tmp_path
):
    monkeypatch.setattr(av, "__file__", str(tmp_path / "av" / "__init__.py"))

    with pytest.raises(ProviderUnavailable, match="libopus is missing"):
        load_opus()
