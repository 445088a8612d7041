"""One turn on any face: log the question, recall, ask, stream, log the answer."""

import asyncio
import logging
import time
import weakref
from collections.abc import AsyncGenerator
from contextlib import aclosing

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError

from dashboard.models import AssistantSettings, Conversation, Message
from dashboard.services import assistant, conversations, providers, recall, storage
from dashboard.services.conversations import Answer
from trainerbot.conversation import Recalled, turn
from trainerbot.errors import ProviderUnavailable, TrainerBotError
from trainerbot.llm import ChatModel, Delta, ModelInfo
from trainerbot.messages import ChatMessage

log = logging.getLogger(__name__)

# Words in the ids of models that do not chat, as OpenAI-shaped endpoints list them.
NOT_FOR_CHAT = (
    "audio", "babbage", "computer-use", "dall-e", "davinci", "deep-research", "embed", "image",
    "moderation", "realtime", "sora", "speech", "transcribe", "tts", "turbo-instruct", "whisper",
)  # fmt: skip


async def reply(
    *,
    conversation: Conversation,
    question: str,
    model: str = "",
    discord_message_id: int | None = None,
) -> AsyncGenerator[Delta | Answer, None]:
    """Answer `question`: pieces of text as they come, then the logged answer, once.

    model: asked instead of the one that the settings name.
    Both sides are logged; a failure, of the database too, is logged with its
    words and raised as TrainerBotError. Whoever stops listening leaves what
    came so far in the log.
    """
    asked, history, chosen, recalled = await _prepare(conversation, question, discord_message_id)
    name, said, done = model or chosen.model, "", False
    try:
        llm = await providers.chat_model()
        if not name and recalled.verbatim is None:
            name = await default_model()
        turns = turn.answer(
            question,
            history=history,
            system_prompt=chosen.system_prompt,
            recalled=recalled,
            llm=llm,
            model=name,
            temperature=chosen.temperature,
            max_tokens=chosen.max_tokens,
        )
        # Closed here and not some time later: whoever stops listening stops the model.
        async with aclosing(turns):
            async for event in turns:
                if isinstance(event, Delta):
                    said += event.text
                    yield event
                else:
                    done = True
                    yield await _log_answer(question=asked, finished=event)
    except TrainerBotError as error:
        done = True
        await _log_failure(question=asked, model=name, error=str(error), partial=said)
        raise
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except Exception:
        done = True
        log.exception("A turn failed in conversation %s", conversation.pk)
        words = "Something went wrong on our side while answering. It was logged."
        await _log_failure(question=asked, model=name, error=words, partial=said)
        raise
    finally:
        if not done:
            # The asker went away: a shielded write, since this task may be
            # on its way out.
            await asyncio.shield(
                _log_failure(
                    question=asked, model=name, error="The asker stopped listening.", partial=said
                )
            )


async def answer(*, conversation: Conversation, question: str, model: str = "") -> Answer:
    """The same turn for whoever wants the whole answer at once."""
    async for event in reply(conversation=conversation, question=question, model=model):
        if isinstance(event, Answer):
            return event
    raise ProviderUnavailable("The model ended its answer before it began. Ask again.")


async def models() -> list[ModelInfo]:
    """The models at the endpoint that can chat, tuned ones first, newest first."""
    rows = [
        row
        for row in await (await providers.chat_model()).models()
        if not any(word in row.id.lower() for word in NOT_FOR_CHAT)
    ]
    return sorted(rows, key=lambda row: (not row.id.startswith("ft:"), -(row.created or 0), row.id))


DEFAULT_KEPT_S = 60.0
# By client: the model's name, and the monotonic second until which to believe it.
_defaults: weakref.WeakKeyDictionary[ChatModel, tuple[str, float]] = weakref.WeakKeyDictionary()


async def default_model() -> str:
    """The model that answers when nobody chose one: CHAT_MODEL, else the endpoint's first untuned.

    Raises ProviderUnavailable when the endpoint offers none.
    """
    if settings.CHAT_MODEL:
        return str(settings.CHAT_MODEL)
    llm = await providers.chat_model()
    name, until = _defaults.get(llm, ("", 0.0))
    if not name or time.monotonic() > until:
        untuned = [row.id for row in await models() if not row.id.startswith("ft:")]
        if not untuned:
            raise ProviderUnavailable(
                f"The model endpoint {providers.endpoint().name} offers no model that can chat. "
                "Choose one in Settings, or set CHAT_MODEL."
            )
        name = untuned[0]
        _defaults[llm] = (name, time.monotonic() + DEFAULT_KEPT_S)
    return name


@database_sync_to_async
def _prepare(
    conversation: Conversation, question: str, discord_message_id: int | None
) -> tuple[Message, list[ChatMessage], AssistantSettings, Recalled]:
    # One trip to the rows' thread; the index is searched there too, since
    # building it takes longer than an event loop may wait.
    with storage.failures_in_words():
        asked = conversations.log_question(
            conversation=conversation, text=question, discord_message_id=discord_message_id
        )
        history = conversations.history(conversation, before=asked)
        return asked, history, assistant.current(), recall.current().recall(question)


@database_sync_to_async
def _log_answer(*, question: Message, finished: turn.Finished) -> Answer:
    with storage.failures_in_words():
        return conversations.log_answer(question=question, finished=finished)


@database_sync_to_async
def _log_failure(*, question: Message, model: str, error: str, partial: str) -> None:
    try:
        conversations.log_failure(question=question, model=model, error=error, partial=partial)
    except DatabaseError as fault:
        # What the asker is told must be why there is no answer, not why it was not logged.
        log.warning("A failed turn could not be logged (%s): %s", fault, error)
