"""The listener and the command: who asks what, whether they may, and one turn for each."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import discord
from discord import app_commands
from discord.ext import commands
from django.db import DatabaseError

from botrunner import arguments, people
from botrunner.cogs.chat import addressing, aloud, attachments, interactions, questions
from botrunner.cogs.chat.attachments import Read
from botrunner.cogs.chat.catching_up import CatchingUp
from botrunner.cogs.chat.posting import post_last, tell_refusal
from botrunner.cogs.chat.questions import Question
from botrunner.cogs.chat.words import (
    CANNOT_READ,
    CUT_SHORT,
    GOES_ON,
    HOW_TO_ASK,
    NOTHING_SAID,
    broken_off,
    title_of,
    with_marks,
)
from botrunner.faults import Reason, explain, refusal
from botrunner.replies import OUT_OF_REACH, LiveReply, typing
from botrunner.sounds import MOST_AT_ONCE, Listener
from botrunner.speaking import CANNOT_SPEAK, may_speak, tell_directly
from botrunner.ui.quoting import as_heard
from botrunner.ui.verdict import buttons
from dashboard.models import Message, PlaceSettings
from dashboard.services import access, chat, leftovers
from dashboard.services.access import Permission
from dashboard.services.chat import Asked, Ready, Spot
from dashboard.services.places import NOT_HERE, Place, Rules
from trainerbot.conversation import Finished
from trainerbot.errors import NotAllowed, ProviderUnavailable, TrainerBotError
from trainerbot.llm import Delta

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

Answers = PlaceSettings.Answers
# How long it may be unknown that an admin opened a channel to every message.
RULES_KEPT_S = 0.5
MOST_HEARD = 5_000

admit = chat.hop(chat.admit)
begin = chat.foreseen(chat.hop(chat.log, chat.recalling))
finish = chat.hop(chat.finish, gives_way=True)
give_up = chat.hop(chat.give_up)
read_rules = chat.hop(chat.rules)
note_begun = chat.hop(leftovers.note_begun)


class Chat(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self._prefix = str(bot.command_prefix)
        # One turn at a time in a conversation: the second question of a person
        # is asked with the answer to the first in memory.
        self._turns: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()
        # The same message may come twice: after an outage it is looked for as well.
        self._heard: OrderedDict[int, None] = OrderedDict()
        self._rules: Rules | None = None
        self._rules_until = 0.0
        self._catching_up = CatchingUp(bot, self)
        self._ears = asyncio.Semaphore(MOST_AT_ONCE)

    # --- what is heard ------------------------------------------------------------
    @commands.Cog.listener()
    async def on_ready(self) -> None:
        with self.bot.in_flight.answering():
            await self._catching_up.run()

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        await self.hear(message)

    async def hear(self, message: discord.Message) -> None:
        """Answer a message, if it is a question for the bot."""
        me = self.bot.user
        assert me is not None  # nothing is heard before the login
        if self.bot.is_stopping or not addressing.is_of_a_person(message):
            return
        if message.id in self._heard:
            return
        self._heard[message.id] = None
        if len(self._heard) > MOST_HEARD:
            self._heard.popitem(last=False)
        is_addressed = addressing.is_for(me, message)
        if not is_addressed and not await self._answers_everything(message):
            return
        with self.bot.in_flight.answering():
            if message.content.startswith(self._prefix):
                context = await self.bot.get_context(message)
                if context.command is not None:
                    return
                if name := context.invoked_with:
                    if is_addressed:
                        await self._refuse_to(message, f"There is no command `!{_bare(name)}`.")
                    return
            words = addressing.question_in(me, message)
            if words or message.attachments:
                await self._answer(
                    questions.of_message(me, message, words, is_addressed=is_addressed)
                )
            elif addressing.is_a_call(me, message):
                await self._refuse_to(message, HOW_TO_ASK)
            elif is_addressed and not self.bot.intents.message_content:
                await self._refuse_to(message, CANNOT_READ)

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(description="Asks the model", usage="<question>")  # type: ignore[arg-type]
    @people.declares(Permission.CHAT)
    @app_commands.describe(
        question="What you want to know",
        file="A text, a picture to look at, or a sound to hear",
        spoken="Whether I shall also speak the answer",
    )
    async def ask(
        self,
        context: commands.Context[TrainerBot],
        file: discord.Attachment | None = None,
        *,
        question: str = "",
        spoken: bool = False,
    ) -> None:
        if self.bot.is_stopping:
            return
        if context.interaction is None:
            question, spoken = arguments.spoken(question)
        files = [file] if context.interaction and file else context.message.attachments
        if not question.strip() and not files:
            raise commands.UserInputError
        with self.bot.in_flight.answering():
            await self._answer(questions.of_command(context, question, files, wants_speech=spoken))

    async def _answers_everything(self, message: discord.Message) -> bool:
        """Whether messages are answered here that nobody said to the bot."""
        if message.guild is None or not (message.content or message.attachments):
            return False
        now_s = asyncio.get_running_loop().time()
        if self._rules is None or now_s > self._rules_until:
            self._rules = await read_rules()
            self._rules_until = now_s + RULES_KEPT_S
        channel_ids = people.channel_ids(message.channel)
        return self._rules.place(message.guild.id, *channel_ids).answers == Answers.EVERYTHING

    # --- who may ask ----------------------------------------------------------------
    def _permit(self, question: Question) -> Callable[[Rules], Place]:
        """What says, with the rules at hand, how the bot behaves towards an asker."""

        def permit(rules: Rules) -> Place:
            asker = people.asker(
                self.bot,
                question.user,
                guild=question.guild,
                channel=question.channel,
                rules=rules,
            )
            asker.check_listens()
            access.require(asker.person, Permission.CHAT)
            # After them: it says so where nothing answers under a name, and only
            # whoever may ask is to hear that.
            place = asker.place
            if place.answers == Answers.NOTHING:
                raise NotAllowed(NOT_HERE)
            return place

        return permit

    async def _refuse(self, question: Question, denial: NotAllowed) -> None:
        """Tell a denial to whoever spoke to the bot, and note it."""
        if not question.is_addressed:
            return
        await self._refuse_to(question.where, str(denial))
        asker = await people.who(
            self.bot, question.user, guild=question.guild, channel=question.channel
        )
        await people.note_denial(asker, "ask")

    # --- one turn -------------------------------------------------------------------
    def turn_of(self, spot: Spot) -> asyncio.Lock:
        """What one turn in a conversation holds while the next one waits."""
        # A thread has one memory, whoever speaks in it.
        key = spot.channel_id, 0 if spot.parent_id is not None else spot.discord_user_id
        return self._turns.setdefault(key, asyncio.Lock())

    async def _answer(self, question: Question) -> None:
        if not question.is_slashed and not may_speak(question.channel, question.guild):
            # Before a model is paid for an answer that nobody could read.
            if question.is_addressed:
                told = refusal(CANNOT_SPEAK, f"The answer to message {question.discord_id}")
                await tell_directly(question.user, str(told))
            return
        spot = question.spot
        lock = self.turn_of(spot)
        ready: Ready | None = None
        try:
            async with lock:
                with typing(_typing_place(question.where)):
                    ready, found = await self._begin(question)
                    if ready is None:
                        return
                    live = self.live(question.where, ready.question)
                    said = await self.deliver(
                        ready, live, found.notes, heading=as_heard(found.transcript)
                    )
            if said is not None and live.posted:
                await aloud.speak(
                    self.bot,
                    ready,
                    said.text,
                    asker=question.user,
                    to=live.posted[0],
                    guild_id=spot.guild_id,
                    asked_for=question.wants_speech,
                )
        except NotAllowed as denial:
            await self._refuse(question, denial)
        except asyncio.CancelledError:
            if ready is None and question.is_slashed:  # any other one the next process hears
                await self._refuse_to(question.where, CUT_SHORT)
            raise
        except Exception as error:
            reason = await explain(error, f"The answer to message {question.discord_id}")
            await self._say(question.where, reason)

    async def _begin(self, question: Question) -> tuple[Ready | None, Read]:
        """Log the question. None when there is nothing to answer; then all has been said."""
        found, permit = attachments.NOTHING, self._permit(question)
        listener: Listener | None = None
        if question.files:
            permit(await read_rules())
            spot = question.spot
            listener = Listener(
                lambda: admit(spot, permit),
                room=self._ears,
                guild_id=spot.guild_id,
                discord_user_id=spot.discord_user_id,
            )
            found = await attachments.read(question.files, listener=listener)
            if not question.words and not found.is_useful and found.sound is None:
                await self._refuse_to(question.where, "\n".join(found.notes))
                return None, found
        asked = Asked(
            text=found.question(question.words),
            discord_message_id=question.discord_id,
            reply_to_discord_id=question.reply_to_discord_id,
            quoted=question.quoted,
            attachments=found.rows,
            images=tuple(found.images),
            sound=found.sound,
        )
        ready = await begin(question.spot, asked, permit)
        if ready is not None and isinstance(question.where, commands.Context):
            await interactions.remember(ready.question, question.where.interaction)
        if ready is None or listener is None or listener.admitted is None:
            return ready, found
        ready = replace(ready, warning=listener.admitted.warning or ready.warning)
        if not question.words and not found.is_useful:
            # A sound in which nothing was made out is told and logged, and no model asked.
            reason = refusal("\n".join(found.notes), f"The answer to message {question.discord_id}")
            await self.break_off(ready, self.live(question.where, ready.question), "", reason)
            return None, found
        if ready.utterance is not None:
            await listener.keep(ready.utterance)
        return ready, found

    def live(
        self,
        where: discord.Message | commands.Context[TrainerBot],
        question: Message,
        begun: discord.Message | None = None,
    ) -> LiveReply:
        """The reply to a logged question; what is posted before its end is remembered."""

        async def remember(posted: discord.Message) -> None:
            await note_begun(question_id=question.pk, discord_message_id=posted.id)

        return LiveReply(where, begun=begun, on_begun=remember)

    async def deliver(
        self, ready: Ready, live: LiveReply, notes: list[str], *, heading: str = ""
    ) -> Finished | None:
        """Ask the model, post what it says below `heading`, and log it.

        None where there is no answer; then it was said why.
        """
        question, said = ready.question, ""
        finished: Finished | None = None
        if heading:
            live.show(heading)  # what was heard is there to be seen before there is an answer
        try:
            async with aclosing(chat.run(ready)) as events:
                async for event in events:
                    if isinstance(event, Delta):
                        said += event.text
                        live.show(heading + said)
                    else:
                        finished = event
            if finished is None or not finished.text.strip():
                raise ProviderUnavailable(NOTHING_SAID)
        except asyncio.CancelledError:
            if live.outlasts:
                await self._hand_over(question, live)
            else:
                doing = f"The answer to question {question.pk}"
                await self.break_off(ready, live, said, refusal(CUT_SHORT, doing), heading)
            raise
        except Exception as error:
            reason = await explain(error, f"The answer to question {question.pk}")
            await self.break_off(ready, live, said, reason, heading)
            return None
        refused = ""
        try:
            posted = await post_last(
                live,
                heading + with_marks(finished, ready.warning, notes),
                view=buttons(question.pk),
                title=title_of(question.content),
            )
        except OUT_OF_REACH as error:
            refused = await tell_refusal(live, error, f"The answer to question {question.pk}")
            posted = list(live.posted)  # what stands there already belongs to it all the same
        ids = [each.id for each in posted]
        await asyncio.shield(finish(question, finished, ids, error=refused))
        return None if refused else finished

    async def _hand_over(self, question: Message, live: LiveReply) -> None:
        """Leave an unfinished answer to the next process, which finds its question open."""
        try:
            begun = await live.leave(GOES_ON)
            await asyncio.shield(note_begun(question_id=question.pk, discord_message_id=begun.id))
        except (*OUT_OF_REACH, DatabaseError) as error:
            log.warning("That an answer goes on later could not be said: %s", error)

    async def break_off(
        self, ready: Ready, live: LiveReply, said: str, reason: Reason, heading: str = ""
    ) -> None:
        """Let `reason` be the last word, and log what came before it."""
        posted = await self.end(live, heading + broken_off(said, str(reason)))
        try:
            await asyncio.shield(
                give_up(
                    ready.question,
                    model=ready.wanted_model,
                    error=reason.in_a_line,
                    partial=said,
                    discord_message_ids=[each.id for each in posted],
                )
            )
        except TrainerBotError as error:
            log.warning("A failed turn could not be logged: %s", error)

    async def end(self, live: LiveReply, text: str) -> list[discord.Message]:
        """Let `text` be the last word, if Discord takes it."""
        try:
            return await live.finish(text)
        except OUT_OF_REACH as error:
            log.warning("The end of an answer was refused: %s", error)
            return list(live.posted)

    async def _refuse_to(
        self, where: discord.Message | commands.Context[TrainerBot], sentence: str
    ) -> None:
        of = where if isinstance(where, discord.Message) else where.message
        await self._say(where, refusal(sentence, f"The answer to message {of.id}"))

    async def _say(
        self, where: discord.Message | commands.Context[TrainerBot], reason: Reason
    ) -> None:
        await self.end(LiveReply(where), str(reason))


def _typing_place(
    where: discord.Message | commands.Context[TrainerBot],
) -> discord.abc.Messageable:
    if isinstance(where, commands.Context):
        return where if where.interaction else where.channel
    return where.channel


def _bare(name: str) -> str:
    """Return what was typed as a command so that it can be shown in one line of code."""
    return name.replace("`", "'")[:40]
