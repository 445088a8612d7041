"""The turn itself: what is ready goes to the model, pieces of the answer come out."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from channels.db import database_sync_to_async
from django.db import DatabaseError, transaction

from dashboard.models import Conversation, Message, Utterance
from dashboard.services import (
    assistant,
    conversations,
    places,
    providers,
    recall,
    routing,
    storage,
    utterances,
)
from dashboard.services.chat import memory
from dashboard.services.chat.offers import abilities_of, default_model
from dashboard.services.conversations import Answer
from dashboard.services.places import Place, Rules
from dashboard.services.utterances import Sound
from trainerbot.conversation import Finished, Recalled, prompting, turn
from trainerbot.errors import ProviderUnavailable, TrainerBotError
from trainerbot.llm import Abilities, Delta
from trainerbot.messages import ChatMessage, Image

log = logging.getLogger(__name__)

OUR_FAULT = "Something went wrong on our side while answering. It was logged."
LEFT = "The asker stopped listening."


@dataclass(frozen=True, slots=True)
class Ready:
    """A logged question with all that is needed to answer it.

    history: oldest first. warning: a sentence to say beside the answer, or "".
    model: asked instead of the place's, where it is not "".
    utterance: what was heard of a sound that came with it.
    """

    question: Message
    history: list[ChatMessage]
    place: Place
    recalled: Recalled
    images: tuple[Image, ...] = ()
    warning: str = ""
    model: str = ""
    utterance: Utterance | None = None

    @property
    def wanted_model(self) -> str:
        """The model that somebody chose, or "" for the default one."""
        return self.model or self.place.model


async def run(ready: Ready) -> AsyncGenerator[Delta | Finished, None]:
    """Yield the answer in pieces, then one Finished. Logs nothing.

    Raises TrainerBotError when there is no answer.
    """
    place, asked = ready.place, ready.question.content
    llm = await providers.chat_model()
    name = ready.wanted_model
    known = Abilities()
    if ready.recalled.verbatim is None:
        name = name or await default_model()
        if ready.images or _is_long(ready.history):
            known = await abilities_of(name)
    turns = turn.answer(
        asked,
        history=ready.history,
        system_prompt=prompting.in_language(place.system_prompt, place.language),
        recalled=ready.recalled,
        llm=llm,
        model=name,
        temperature=place.temperature,
        max_tokens=place.max_tokens,
        images=ready.images,
        abilities=known,
    )
    # Closed here and not some time later: whoever stops listening stops the model.
    async with aclosing(turns):
        async for event in turns:
            yield event


def _is_long(history: list[ChatMessage]) -> bool:
    """Whether more was said than every model takes, so that its own limit counts."""
    n_tokens = 0
    for message in history:
        n_tokens += prompting.tokens_in(message.content)
        if n_tokens > prompting.HISTORY_TOKENS:
            return True
    return False


async def reply(
    *, conversation: Conversation, question: str, model: str = "", sound: Sound | None = None
) -> AsyncGenerator[Delta | Answer, None]:
    """Answer `question`: pieces of text as they come, then the logged answer, once.

    model: asked instead of the one that the settings name. sound: what was
    heard, where the question was spoken.
    Both sides are logged; a failure, of the database too, is logged with its
    words and raised as TrainerBotError. Whoever stops listening leaves what
    came so far in the log.
    """
    await recall.foresee(question)
    ready = await _prepare(conversation, question, model, sound)
    asked, name, said, done = ready.question, ready.wanted_model, "", False
    try:
        async with aclosing(run(ready)) as events:
            async for event in events:
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
        await _log_failure(question=asked, model=name, error=OUR_FAULT, partial=said)
        raise
    finally:
        if not done:
            # The asker went away: a shielded write, since this task may be
            # on its way out.
            await asyncio.shield(_log_failure(question=asked, model=name, error=LEFT, partial=said))


async def answer(*, conversation: Conversation, question: str, model: str = "") -> Answer:
    """The same turn for whoever wants the whole answer at once."""
    async for event in reply(conversation=conversation, question=question, model=model):
        if isinstance(event, Answer):
            return event
    raise ProviderUnavailable("The model ended its answer before it began. Ask again.")


@database_sync_to_async
def _prepare(conversation: Conversation, question: str, model: str, sound: Sound | None) -> Ready:
    # One trip to the rows' thread; the index is searched there too, since
    # building it takes longer than an event loop may wait.
    with storage.failures_in_words():
        place = Rules(everywhere=assistant.current()).place(None)
        place = routing.route(
            replace(place, model=model or place.model),
            aliases=places.rules().aliases,
            who=f"user:{conversation.user_id}",
        )
        asked = conversations.log_question(
            conversation=conversation, text=question, release_id=place.release_id
        )
        if sound is not None:
            utterances.log_sound(question=asked, person=None, sound=sound)
        return Ready(
            question=asked,
            history=memory.of_conversation(conversation.pk, before=asked.pk),
            place=place,
            recalled=recall.current().recall(
                question, recall.place(conversation.discord_channel), asks=False
            ),
        )


@database_sync_to_async
def _log_answer(*, question: Message, finished: Finished) -> Answer:
    with storage.failures_in_words(), transaction.atomic():
        rules = places.rules()
        answer = conversations.log_answer(question=question, finished=finished, rules=rules)
        if finished.correction_id is None:
            routing.note_shadow(question, rules=rules)
        return answer


@database_sync_to_async
def _log_failure(*, question: Message, model: str, error: str, partial: str) -> None:
    try:
        conversations.log_failure(question=question, model=model, error=error, partial=partial)
    except DatabaseError as fault:
        # What the asker is told must be why there is no answer, not why it was not logged.
        log.warning("A failed turn could not be logged (%s): %s", fault, error)
