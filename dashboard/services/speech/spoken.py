"""What was spoken, kept on disk: the same sentence in the same voice is made once.

Any process may read, write and forget here at any time: files come whole, by
a rename, and one that is gone was never there.
"""

import contextlib
import hashlib
import logging
import math
import os
import tempfile
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from trainerbot.speech import Pcm

log = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_OF_ONE: Final = MOST_BYTES // 16
KEPT_S: Final = 7 * 24 * 3600.0  # since it was last spoken
ENDING: Final = ".wav"
HALF_WRITTEN: Final = ".part"


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two spoken texts the same."""

    provider: str
    voice: str
    language: str
    text: str

    @property
    def path(self) -> Path:
        said = "\x00".join((self.provider, self.voice, self.language, self.text))
        return _folder() / (hashlib.sha256(said.encode("utf-8", "replace")).hexdigest() + ENDING)


def find(key: Key) -> Pcm | None:
    """What was spoken for `key`, or None. It counts as spoken again."""
    path = key.path
    try:
        with wave.open(str(path), "rb") as file:
            sound = Pcm(file.readframes(file.getnframes()), file.getframerate())
        os.utime(path)
    except FileNotFoundError:
        return None
    except (wave.Error, EOFError, OSError):
        # Of a disk that failed; it is spoken anew.
        path.unlink(missing_ok=True)
        return None
    return sound


def keep(key: Key, sound: Pcm, *, asked_at: float) -> None:
    """Keep what was spoken for `key`, and forget the oldest where there is no room.

    asked_at: time.time() when somebody asked for what it answers. Nothing is
    kept if all that was spoken was forgotten since: they may be who was
    erased. A disk that does not take it only costs the next speaker time.
    """
    if not sound.data or len(sound.data) > MOST_OF_ONE or asked_at <= _forgotten_at():
        return
    try:
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=folder, suffix=HALF_WRITTEN)
        try:
            with open(handle, "wb") as raw, wave.open(raw, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(sound.rate_hz)
                file.writeframes(sound.data)
            os.replace(made, key.path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(made)
            raise
        if asked_at <= _forgotten_at():  # just now, and perhaps before it lay there
            key.path.unlink(missing_ok=True)
        prune()
    except OSError as error:
        log.warning("A spoken sentence could not be kept: %s", error)


def prune() -> int:
    """Forget what nobody asked for in a week, then the oldest beyond the bound; how many."""
    files, moment = [], time.time()
    for entry in _entries():
        with contextlib.suppress(FileNotFoundError):
            about = entry.stat()
            files.append((about.st_mtime, about.st_size, entry.path))
    files.sort(reverse=True)
    n_bytes, n_forgotten = 0, 0
    for used_at, size, path in files:
        n_bytes += size
        if n_bytes > MOST_BYTES or used_at < moment - KEPT_S:
            n_forgotten += 1
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    return n_forgotten


def forget_spoken() -> None:
    """Forget all that was spoken, as when somebody wants nothing of theirs kept.

    What is being spoken now, in any process, is not kept later either.
    """
    try:
        _stamp().parent.mkdir(parents=True, exist_ok=True)
        _stamp().touch()
        os.utime(_stamp(), (time.time(),) * 2)
    except OSError as error:
        log.error("That all that was spoken is to be forgotten could not be noted: %s", error)
    for entry in _entries():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(entry.path)


def _entries() -> list[os.DirEntry[str]]:
    try:
        with os.scandir(_folder()) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "spoken"


def _stamp() -> Path:
    return _folder().with_suffix(".forgotten")


def _forgotten_at() -> float:
    """When all that was spoken was forgotten last, as time.time(); -inf if never."""
    try:
        return _stamp().stat().st_mtime
    except FileNotFoundError:
        return -math.inf
