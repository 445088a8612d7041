"""Slash commands that outlive their process: Discord shows "thinking" until somebody answers.

Only who has a command's token may end that, within fifteen minutes. The token
is a secret, so it is stored sealed with a key made of SECRET_KEY, or, where
PyNaCl is not installed, not at all.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import discord
from discord.webhook.async_ import async_context
from django.conf import settings
from django.db import DatabaseError

from dashboard.models import Message
from dashboard.services import chat, leftovers

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

PURPOSE: Final = b"interaction"
REFUSALS: Final = (discord.HTTPException, aiohttp.ClientError, OSError)

keep_open = chat.hop(leftovers.keep_open)
still_open = chat.hop(leftovers.still_open)


async def remember(question: Message, interaction: discord.Interaction[Any] | None) -> None:
    """Let the next process end what Discord shows of a command, should this one be killed."""
    box = _box()
    if interaction is None or box is None:
        return
    try:
        await keep_open(
            question_id=question.pk, sealed=bytes(box.encrypt(interaction.token.encode()))
        )
    except DatabaseError as error:
        log.warning("How to end a command later could not be stored: %s", error)


async def end(bot: TrainerBot, question: Message, sentence: str) -> int | None:
    """Say `sentence` where Discord shows that the bot thinks; the id of that message, or None."""
    sealed, box = await still_open(question.pk), _box()
    if sealed is None or box is None or bot.application_id is None:
        return None
    from nacl.exceptions import CryptoError

    try:
        token = box.decrypt(sealed).decode()
        posted = await async_context.get().edit_original_interaction_response(
            bot.application_id,
            token,
            session=bot.http._HTTPClient__session,  # type: ignore[attr-defined]  # discord.py's own way
            payload={"content": sentence, "allowed_mentions": {"parse": []}},
        )
    except CryptoError:
        log.info("SECRET_KEY has changed, so a command stays without an end.")
        return None
    except REFUSALS as error:
        log.info("A command could not be ended: %s", type(error).__name__)
        return None
    return int(posted["id"])


def _box() -> Any:
    """What seals a token; None where PyNaCl is not installed, which only voice needs else."""
    try:
        from nacl.secret import SecretBox
    except ImportError:
        return None
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=PURPOSE).digest()
    return SecretBox(key)
