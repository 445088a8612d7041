"""Speech in the browser: hear a sound, say a text, say an answer, play a recording."""

import asyncio
import json
import mimetypes
import re
from collections.abc import AsyncIterator
from typing import Final

from asgiref.sync import sync_to_async
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET, require_POST

from dashboard.models import DiscordGuild, Message
from dashboard.services import (
    access,
    conversations,
    dictation,
    languages,
    providers,
    speech,
    tries,
    voices,
)
from dashboard.services.access import Permission
from dashboard.services.speech import Spoken
from dashboard.views.doors import reader, requires
from trainerbot.errors import InvalidInput, NotFound

MOST_CHARACTERS: Final = 500
"""Of a text that is said to try a voice."""

PIECE_BYTES: Final = 64 * 1024
# Bitrate and container that every browser plays.
FORMAT: Final = "mp3"
RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@require_POST
@requires(Permission.CHAT)
def hear(request: HttpRequest) -> HttpResponse:
    """What was made out in a sound, by whom and how fast; nothing of it is kept.

    `letter` is what the Playground asks with (services/dictation.py).
    """
    file = request.FILES.get("sound")
    if file is None:
        raise InvalidInput("There is no sound in this. Record one, or choose a file.")
    dictation.check_size(file.size or 0)
    tries.speech.take(reader(request))
    data = file.read()
    language, guild_id = _language(request), _guild_id(request)
    sound = providers.ask_at_once(
        lambda: dictation.hear(
            data, content_type=file.content_type or "", language=language, guild_id=guild_id
        )
    )
    return JsonResponse(
        {
            "text": sound.text,
            "language": sound.language,
            "provider": voices.label(sound.provider),
            "duration_s": round(sound.duration_s, 2),
            "took_ms": sound.stages_ms["heard"],
            "letter": dictation.seal(sound, user=reader(request)),
        }
    )


@require_POST
@requires(Permission.CHAT)
def say(request: HttpRequest) -> HttpResponse:
    """A text as sound, in the voice that would speak; the header `Spoken` says whose it is."""
    text = request.POST.get("text", "").strip()
    if not text:
        raise InvalidInput("There is nothing to say. Type a few words.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(f"This is too long to try: {MOST_CHARACTERS} characters are the most.")
    tries.speech.take(reader(request))
    return _spoken(text, language=_language(request), guild_id=_guild_id(request))


@require_GET
@requires(Permission.CHAT)
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """An answer as sound, made when somebody wants to hear it."""
    message = conversations.get_answer(pk, user=reader(request))
    chosen = request.GET.get("language", "").strip()
    tries.speech.take(reader(request))
    spoken_to = voices.listener_of(message)
    language = languages.tag(chosen) if chosen else spoken_to.language
    return _spoken(message.content, language=language, guild_id=spoken_to.guild_id)


@require_GET
@requires(Permission.VIEW)
def recording(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What somebody said, where consent keeps it; the whole, or the part that a player asks for."""
    message = (
        Message.objects.filter(conversation__in=conversations.visible_to(reader(request)), pk=pk)
        .exclude(audio="")
        .first()
    )
    name = (message and message.audio.name) or ""
    if not name or not default_storage.exists(name):
        raise NotFound("This recording is not kept, or no longer.")
    n_bytes = default_storage.size(name)
    first, last = _range(request.headers.get("Range", ""), n_bytes)
    is_part = last - first + 1 < n_bytes
    response = StreamingHttpResponse(
        _pieces(name, first, last),
        status=206 if is_part else 200,
        content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
    )
    response["Content-Length"] = str(last - first + 1)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    if is_part:
        response["Content-Range"] = f"bytes {first}-{last}/{n_bytes}"
    return response


def _spoken(text: str, *, language: str, guild_id: int | None) -> HttpResponse:
    spoken, data = providers.ask_at_once(lambda: _said(text, language=language, guild_id=guild_id))
    about = {
        "provider": voices.label(spoken.provider),
        "voice": spoken.voice,
        "duration_s": round(spoken.sound.duration_s, 2),
        "is_cached": spoken.is_cached,
    }
    response = HttpResponse(data, content_type="audio/mpeg")
    # Escaped to ASCII, as a header has to be.
    response["Spoken"] = json.dumps(about)
    response["Cache-Control"] = "private, no-store"
    return response


async def _said(text: str, *, language: str, guild_id: int | None) -> tuple[Spoken, bytes]:
    spoken = await speech.say(text, language=language, guild_id=guild_id)
    return spoken, await asyncio.to_thread(_encoded, spoken)


def _encoded(spoken: Spoken) -> bytes:
    # PyAV takes a third of a second to import, which a process that says nothing is spared.
    from trainerbot.speech import audio

    return audio.encode(spoken.sound, FORMAT)


def _language(request: HttpRequest) -> str:
    chosen = request.POST.get("language", "").strip()
    return languages.tag(chosen) if chosen else voices.language_everywhere()


def _guild_id(request: HttpRequest) -> int | None:
    """Discord's id of the server whose choices count; only who sets them may try them."""
    chosen = request.POST.get("guild", "")
    if not chosen:
        return None
    access.require(request.user, Permission.SETTINGS)
    is_id = chosen.isascii() and chosen.isdecimal() and len(chosen) < 19
    found = DiscordGuild.objects.filter(pk=int(chosen)).first() if is_id else None
    if found is None:
        raise NotFound("There is no such server.")
    return found.discord_guild_id


def _range(asked: str, n_bytes: int) -> tuple[int, int]:
    """The first and the last byte that a Range header wants; all of them where it makes no sense."""
    match = RANGE.fullmatch(asked.strip())
    if match is None or not any(match.groups()) or n_bytes == 0:
        return 0, n_bytes - 1
    if not match[1]:  # the last so many
        return max(0, n_bytes - int(match[2])), n_bytes - 1
    first = int(match[1])
    last = min(int(match[2]) if match[2] else n_bytes - 1, n_bytes - 1)
    return (first, last) if first <= last else (0, n_bytes - 1)


async def _pieces(name: str, first: int, last: int) -> AsyncIterator[bytes]:
    file: File[bytes] = await sync_to_async(default_storage.open)(name, "rb")
    try:
        await sync_to_async(file.seek)(first)
        left = last - first + 1
        while left and (piece := await sync_to_async(file.read)(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
    finally:
        await sync_to_async(file.close)()
