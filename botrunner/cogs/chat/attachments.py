"""What comes with a message: texts to read, pictures to look at, a sound to hear, and the rest.

What a file is, its bytes tell: a name, a type and a size that came with it
are only believed where they make it smaller.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import discord

from botrunner import gateway
from botrunner.sounds import Listener, is_sound
from dashboard.services.utterances import Sound
from trainerbot.errors import NotAllowed, TrainerBotError
from trainerbot.messages import Image

MAX_TEXT_BYTES: Final = 256 * 1024
MAX_TEXT_CHARACTERS: Final = 20_000  # of all files of a message together
MAX_IMAGE_BYTES: Final = 8 * 1024 * 1024
MAX_IMAGES_BYTES: Final = 16 * 1024 * 1024  # of all pictures of a message together
MAX_FILES: Final = 5

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_SOUNDS: Final = (b"OggS", b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\x1aE\xdf\xa3")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS: Final = frozenset(map(chr, range(32))) - set("\t\n\r\f\x1b")


@dataclass
class Read:
    """What was found in the files of a message.

    texts: blocks for the model to read. sound: the one that was listened to.
    notes: sentences about what could not be used. rows: as
    `Message.attachments` keeps them.
    """

    texts: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    sound: Sound | None = None
    sound_name: str = ""
    notes: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_useful(self) -> bool:
        return bool(self.texts or self.images or self.transcript)

    @property
    def transcript(self) -> str:
        """What was made out in the sound, or ""."""
        return self.sound.text if self.sound else ""

    def question(self, words: str) -> str:
        """Return what is asked: the words of the message, then the texts and the sound beside it.

        What is said where nothing is written is the question itself.
        """
        written = [part for part in (words, *self.texts) if part]
        said = self.transcript
        if written and said:
            said = f"Sound {self.sound_name}:\n{said}"
        return "\n\n".join([*written, *filter(None, [said])])


NOTHING: Final = Read()


async def read(files: Sequence[discord.Attachment], *, listener: Listener | None = None) -> Read:
    """Read the files of a message, each only as far as it may go. Raises nothing of theirs.

    listener: hears the first sound; None where it was heard before. Raises
    NotAllowed when the listener may not listen to this person now.
    """
    found = Read()
    for number, file in enumerate(files):
        name = shown_name(file.filename)
        use, n_bytes = "ignored", file.size
        if number >= MAX_FILES:
            found.notes.append(f"I read {MAX_FILES} files at once, so not `{name}`.")
        else:
            try:
                use, n_bytes = await _read(found, file, name, listener)
            except NotAllowed:
                raise
            except TrainerBotError as error:
                found.notes.append(f"`{name}`: {error}")
        found.rows.append(
            {
                "name": name,
                "content_type": (file.content_type or "")[:100],
                "n_bytes": n_bytes,
                "use": use,
            }
        )
    return found


async def _read(
    found: Read, file: discord.Attachment, name: str, listener: Listener | None
) -> tuple[str, int]:
    """Take one file in. Returns what became of it, and how many bytes of it were read."""
    if is_sound(file):
        return await _listen(found, file, name, listener)
    data = await _bytes(file, MAX_IMAGE_BYTES + 1)
    if sniff(data) == "sound":
        return await _listen(found, file, name, listener)
    return _look(found, name, data)


async def _listen(
    found: Read, file: discord.Attachment, name: str, listener: Listener | None
) -> tuple[str, int]:
    """Hear a file, unless it is no sound at all."""
    if listener is None:
        return "sound", file.size
    if found.sound is not None:
        found.notes.append(f"I hear one sound at once, so not `{name}`.")
        return "ignored", file.size
    data = await listener.fetch(file)
    if sniff(data).startswith("image/") or (not sniff(data) and decoded(data) is not None):
        return _look(found, name, data)
    found.sound, found.sound_name = await listener.hear(data), name
    if found.sound.problem:
        found.notes.append(f"`{name}`: {found.sound.problem}")
    return "sound", len(data)


def _look(found: Read, name: str, data: bytes) -> tuple[str, int]:
    """Take in what is a picture or a text."""
    kind = sniff(data)
    if kind.startswith("image/"):
        if len(data) > MAX_IMAGE_BYTES:
            found.notes.append(f"The picture `{name}` is too large: 8 MiB is the most.")
            return "ignored", len(data)
        if sum(len(each.data) for each in found.images) + len(data) > MAX_IMAGES_BYTES:
            found.notes.append(f"There was no room left for `{name}`: 16 MiB of pictures.")
            return "ignored", len(data)
        found.images.append(Image(kind, data))
        return "image", len(data)
    if len(data) > MAX_TEXT_BYTES:
        found.notes.append(f"`{name}` is too large to read: 256 KiB of text is the most.")
        return "ignored", len(data)
    text = decoded(data)
    if text is None:
        found.notes.append(f"`{name}` is neither text nor a picture, so I cannot read it.")
        return "ignored", len(data)
    room = MAX_TEXT_CHARACTERS - sum(map(len, found.texts))
    if room <= 0:
        found.notes.append(f"There was no room left for `{name}`.")
        return "ignored", len(data)
    if len(text) > room:
        found.notes.append(f"Of `{name}` I read the first {room:,} characters only.")
        text = text[:room]
    found.texts.append(f"File {name}:\n{text}")
    return "text", len(data)


async def _bytes(file: discord.Attachment, most: int) -> bytes:
    """Fetch the beginning of a file, about `most` bytes, whatever size it says it has."""
    data = bytearray()
    async with aclosing(gateway.download(file.url)) as pieces:
        async for piece in pieces:
            data += piece
            if len(data) >= most:
                break
    return bytes(data[:most])


def sniff(data: bytes) -> str:
    """Return the media type of a picture, "sound" for what is heard or filmed, else ""."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF":
        return "image/webp" if data[8:12] == b"WEBP" else "sound"
    if data.startswith(_SOUNDS) or data[4:8] == b"ftyp":
        return "sound"
    return ""


def decoded(data: bytes) -> str | None:
    """Return `data` as text; None if it is none."""
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    if not text.strip() or _CONTROLS.intersection(text):
        return None
    return text


def shown_name(filename: str) -> str:
    """Return a file's name so that it can be shown in one line of code."""
    name = "".join(each for each in filename if each.isprintable() and each != "`")
    return name[-80:] or "file"
