"""How an answer becomes Discord messages: cut where it must be, posted while it forms."""

import asyncio
import logging
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import aiohttp
import discord

log = logging.getLogger(__name__)

MAX_CHARACTERS = 2000
EDIT_INTERVAL_S = 1.2
# An answer that is whole within this time is posted once instead of posted and edited.
FIRST_POST_AFTER_S = 0.05
TYPING_AFTER_S = 0.2
# discord.py waits out rate limits and retries most server errors by itself, but
# neither a 503 nor a 429 that comes from the proxy before Discord.
RETRY_STATUSES = frozenset({429, 503})
RETRY_PAUSES_S = (0.5, 1.0, 2.0, 4.0)

FENCE = "```"
_LANGUAGE = re.compile(r"```([\w+\-.#]{1,20})\n")
_CLOSING_ROOM = len("\n" + FENCE)
_JOINERS = "\u200d\ufe0f"  # zero-width joiner, emoji variation: they belong to what is before

Result = TypeVar("Result")


# --- Cutting --------------------------------------------------------------------
def split(text: str, limit: int = MAX_CHARACTERS) -> list[str]:
    """Cut `text` into messages of at most `limit` characters, at line ends where it can.

    A code block that fits into one message stays whole. A longer one is
    closed at the end of a message and opened again, with its language, in the
    next. No message is blank. Characters are UTF-16 units, so that an emoji
    counts two: the strictest of the ways in which Discord counts.
    """
    parts, opening = [], ""
    while text.strip():
        whole = close_fence(opening + text)
        if width(whole) <= limit:
            parts.append(whole)
            break
        room = limit - width(opening) - _CLOSING_ROOM
        cut = _cut(text, room, limit, opening)
        part = opening + text[:cut]
        if text[:cut].strip():
            parts.append(close_fence(part))
        fence = _open_fence(part)
        opening, text = fence[1] if fence else "", text[cut:]
    return parts


def close_fence(text: str) -> str:
    """Return `text` with its last code block closed, if it was open."""
    if _open_fence(text) is None:
        return text
    return text + (FENCE if text.endswith("\n") else "\n" + FENCE)


def width(text: str) -> int:
    """Return the length of `text` in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _open_fence(text: str) -> tuple[int, str] | None:
    """Return where the code block begins that is open at the end, and the line that opens it."""
    begins: int | None = None
    for fence in re.finditer(FENCE, text):
        begins = fence.start() if begins is None else None
    if begins is None:
        return None
    language = _LANGUAGE.match(text, begins)
    return begins, f"{FENCE}{language[1] if language else ''}\n"


def _cut(text: str, room: int, limit: int, opening: str) -> int:
    """Return how much of `text` goes into this message: at least 1, at most `room` wide.

    opening: the line that opens again the code block in which `text` begins, or "".
    """
    most = _fitting(text, room)
    fence = _open_fence(opening + text[:most])
    if fence:
        begins = fence[0] - len(opening)
        if begins > 0 and text[:begins].strip() and _moves_whole(text, begins, most, limit):
            return begins
    for end in ("\n", " "):
        found = text.rfind(end, most // 2, most)
        if found > 0:
            return found + 1
    return _between_characters(text, most)


def _moves_whole(text: str, begins: int, most: int, limit: int) -> bool:
    """Whether the block at `begins` is better begun in the next message.

    It is if it fits there whole, or if this message would show no line of it.
    """
    ends = text.find(FENCE, begins + len(FENCE))
    block = text[begins:] if ends < 0 else text[begins : ends + len(FENCE)]
    shows_a_line = text.count("\n", begins, most) > 1
    return width(close_fence(block)) <= limit or not shows_a_line


def _fitting(text: str, room: int) -> int:
    """Return how many characters of `text` are at most `room` UTF-16 units wide together."""
    taken = 0
    for index, character in enumerate(text):
        taken += 2 if ord(character) > 0xFFFF else 1
        if taken > room:
            return index
    return len(text)


def _between_characters(text: str, most: int) -> int:
    """Return the last place up to `most` that tears no fence and no composed character apart."""
    for cut in range(most, most // 2, -1):
        tears_fence = text[cut - 1] == text[cut] == "`"
        tears_character = (
            text[cut] in _JOINERS
            or text[cut - 1] == _JOINERS[0]
            or unicodedata.combining(text[cut])
        )
        if not tears_fence and not tears_character:
            return cut
    return most


# --- Posting ----------------------------------------------------------------------
class LiveReply:
    """One answer in Discord: posted when its first words are there, edited while it grows.

    Edits are `interval_s` apart and show the latest text, whatever came in
    between; the last one does not wait. It answers `question` without
    mentioning anybody.
    """

    def __init__(self, question: discord.Message, *, interval_s: float = EDIT_INTERVAL_S) -> None:
        self._question = question
        self._interval_s = interval_s
        self._text = ""
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._posted: list[discord.Message] = []
        self._shown: list[str] = []

    def show(self, text: str) -> None:
        """Let `text`, the whole answer so far, be seen soon. Never blocks."""
        self._text = text
        self._news.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_along())

    async def finish(self, text: str) -> list[discord.Message]:
        """Let `text` be the answer, and return the messages that carry it.

        Raises discord.HTTPException when Discord does not take it.
        """
        async with self._writing:  # a request on its way is never cut off
            if self._writer is not None:
                self._writer.cancel()
            await self._write(text, insisting=True)
        return self._posted

    async def _write_along(self) -> None:
        await asyncio.sleep(FIRST_POST_AFTER_S)
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                async with self._writing:
                    await self._write(self._text, insisting=False)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.info("An answer could not be shown as it formed; its end will be: %s", error)
            await asyncio.sleep(self._interval_s)

    async def _write(self, text: str, *, insisting: bool) -> None:
        """Make the messages in Discord say `text`, with as few requests as that takes."""
        pauses_s = RETRY_PAUSES_S if insisting else ()
        parts = split(text)
        for number, part in enumerate(parts):
            if number == len(self._posted):
                self._posted.append(await attempt(partial(self._post, number, part), pauses_s))
                self._shown.append(part)
            elif self._shown[number].strip() != part.strip():  # Discord strips them, too
                await attempt(partial(self._edit, number, part), pauses_s)
                self._shown[number] = part
        while len(self._posted) > len(parts):
            await attempt(self._posted[-1].delete, pauses_s)
            self._posted.pop()
            self._shown.pop()

    async def _post(self, number: int, part: str) -> discord.Message:
        # With a nonce Discord posts a message once, even if its answer to the
        # first attempt was lost.
        nonce = f"{self._question.id}-{number}"
        if number:
            return await self._question.channel.send(part, nonce=nonce)
        # The question may be gone by now; its answer still belongs here.
        reference = self._question.to_reference(fail_if_not_exists=False)
        return await self._question.channel.send(
            part, nonce=nonce, reference=reference, mention_author=False
        )

    async def _edit(self, number: int, part: str) -> None:
        try:
            await self._posted[number].edit(content=part)
        except discord.NotFound:
            log.info("An answer was removed while it formed; it is not put back.")


async def attempt(call: Callable[[], Awaitable[Result]], pauses_s: Sequence[float]) -> Result:
    """Return what `call` returns, tried again after each pause while Discord cannot be reached."""
    for pause_s in pauses_s:
        try:
            return await call()
        except discord.HTTPException as error:
            if error.status not in RETRY_STATUSES:
                raise
            log.warning("Discord answered %s; trying again in %s s.", error.status, pause_s)
        except (aiohttp.ClientError, OSError) as error:
            log.warning("Discord was not reached (%s); trying again in %s s.", error, pause_s)
        await asyncio.sleep(pause_s)
    return await call()


@asynccontextmanager
async def typing(channel: discord.abc.Messageable) -> AsyncIterator[None]:
    """Show that the bot is typing, if this takes longer than a moment."""
    shown = asyncio.create_task(_show_typing(channel))
    try:
        yield
    finally:
        shown.cancel()


async def _show_typing(channel: discord.abc.Messageable) -> None:
    await asyncio.sleep(TYPING_AFTER_S)
    try:
        async with channel.typing():
            await asyncio.Event().wait()
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.info("Typing could not be shown: %s", error)
