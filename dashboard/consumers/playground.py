"""The Playground's socket: a question in, the answer out as it forms."""

import asyncio
import json
import logging
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import User

from dashboard.consumers.sessions import SIGNED_OUT, signed_in_user
from dashboard.models import Conversation, Message, Source
from dashboard.services import access, chat, conversations, dictation, recall
from dashboard.services.access import Permission
from dashboard.services.utterances import Sound
from trainerbot.errors import InvalidInput, TrainerBotError
from trainerbot.llm import Delta

log = logging.getLogger(__name__)

MAX_MODEL_CHARACTERS = 200
UNREADABLE = "The page sent something that the server cannot read. Reload the page."


# On a thread of its own, as it takes a second or two; its connection is closed behind it.
_warm = database_sync_to_async(recall.warm, thread_sensitive=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page asks for. conversation: None to begin a new one. letter: of a spoken question."""

    question: str
    conversation: int | None
    model: str
    letter: str = ""


class PlaygroundConsumer(AsyncWebsocketConsumer):
    """Speaks JSON, and gives one answer at a time.

    in:  {"type": "ask", "question": "...", "conversation": 5 or null, "model": "" or id};
         the same with {"heard": "..."} in place of the question for what was spoken
         (views/speech.py seals it); {"type": "stop"}.
    out: {"type": "started", "conversation": 5}, before the first words;
         {"type": "delta", "text": "..."}, many times;
         then one of
         {"type": "answer", "id": 12}: complete and logged as message 12;
         {"type": "failed", "id": 13 or null, "sentence": "..."}: no (whole) answer;
         {"type": "stopped", "id": 14 or null}: stopped on request, what came is logged;
         {"type": "refused", "sentence": "..."}: nothing was asked or logged.
    """

    _answering: asyncio.Task[None] | None = None
    _warming: asyncio.Task[None] | None = None
    # The conversation of that answer, and its newest message before it.
    _asked_in: tuple[Conversation, int] | None = None

    async def connect(self) -> None:
        await self.accept()
        # Refused only after accepting: before, a browser learns no reason.
        if await signed_in_user(self.scope) is None:
            await self.close(code=SIGNED_OUT)
            return
        # Whoever opens the Playground will ask soon, and may correct.
        self._warming = asyncio.create_task(_warm())

    async def disconnect(self, code: int) -> None:
        await self._end_answer()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            content = _parse(text_data)
            match content.get("type"):
                case "ask":
                    await self._ask(_ask(content))
                case "stop":
                    await self._stop()
                case _:
                    raise InvalidInput(UNREADABLE)
        except TrainerBotError as error:
            await self._tell("refused", sentence=str(error))

    async def _ask(self, ask: Ask) -> None:
        user = await signed_in_user(self.scope)
        if user is None:
            await self.close(code=SIGNED_OUT)
            return
        if self._answering is not None and not self._answering.done():
            raise InvalidInput("An answer is still coming. Wait for its end, or stop it.")
        sound = dictation.opened(ask.letter, user=user) if ask.letter else None
        self._asked_in = await _open(user, ask.conversation)
        self._answering = asyncio.create_task(self._answer(self._asked_in[0], ask, sound))

    async def _stop(self) -> None:
        if await self._end_answer():
            await self._tell("stopped", id=await self._last_answer())

    async def _end_answer(self) -> bool:
        """Stop the answer that is coming, if one is; what came so far is in the log then."""
        task = self._answering
        if task is None or task.done():
            return False
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    async def _answer(self, conversation: Conversation, ask: Ask, sound: Sound | None) -> None:
        sentence = "Something went wrong on our side while answering. It was logged."
        try:
            await self._tell("started", conversation=conversation.pk)
            turn = chat.reply(
                conversation=conversation,
                question=sound.text if sound else ask.question,
                model=ask.model,
                sound=sound,
            )
            async with aclosing(turn) as events:
                async for event in events:
                    if isinstance(event, Delta):
                        await self._tell("delta", text=event.text)
                    else:
                        await self._tell("answer", id=event.message_id)
            return
        except TrainerBotError as error:
            sentence = str(error)
        except Exception:
            log.exception("The Playground could not answer in conversation %s", conversation.pk)
        await self._tell("failed", id=await self._last_answer(), sentence=sentence)

    async def _last_answer(self) -> int | None:
        """The logged answer to the newest question; None if not even the question was logged."""
        return await _newest_answer(*self._asked_in) if self._asked_in else None

    async def _tell(self, kind: str, **fields: Any) -> None:
        await self.send(text_data=json.dumps({"type": kind, **fields}))


def _parse(text: str | None) -> dict[str, Any]:
    try:
        content = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise InvalidInput(UNREADABLE) from error
    if not isinstance(content, dict):
        raise InvalidInput(UNREADABLE)
    return content


def _ask(content: dict[str, Any]) -> Ask:
    """Raise InvalidInput for anything but the documented fields."""
    letter = content.get("heard") or ""
    question, number = content.get("question"), content.get("conversation")
    model = content.get("model") or ""
    if letter:
        question = ""  # the words are those of the letter
    # In Python True is an int; in JSON it is no id.
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if not (isinstance(question, str) and isinstance(model, str) and isinstance(letter, str)):
        raise InvalidInput(UNREADABLE)
    if number is not None and not (is_number and 0 < number < 2**63):
        raise InvalidInput(UNREADABLE)
    if len(model) > MAX_MODEL_CHARACTERS:
        raise InvalidInput("There is no model of that name. Choose one from the list.")
    if not letter:
        conversations.check_question(question)
    return Ask(question, number, model, letter)


@database_sync_to_async
def _open(user: User, number: int | None) -> tuple[Conversation, int]:
    access.require(user, Permission.CHAT)
    if number is None:
        return conversations.start(source=Source.PLAYGROUND, user=user), 0
    conversation = conversations.own(number, user=user)
    newest = conversation.messages.order_by("-pk").values_list("pk", flat=True).first()
    return conversation, newest or 0


@database_sync_to_async
def _newest_answer(conversation: Conversation, after: int) -> int | None:
    answers = conversation.messages.filter(role=Message.Role.ASSISTANT, pk__gt=after)
    return answers.order_by("-pk").values_list("pk", flat=True).first()
