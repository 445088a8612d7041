"""What a talk in a call does on Discord and in the log: one turn, as in text, and its words."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, cast

import discord
from django.db import DatabaseError

from botrunner import people
from botrunner.cogs.chat.addressing import spot_of
from botrunner.cogs.chat.words import CUT_SHORT, NOTHING_SAID, title_of, with_marks
from botrunner.cogs.talk.calling import Call
from botrunner.cogs.talk.interrupting import Stream, broken_off, until_cut
from botrunner.cogs.talk.outlet import REFUSALS, CallOutlet, as_quotation
from botrunner.faults import explain, refusal
from botrunner.replies import LiveReply
from botrunner.ui.verdict import buttons
from botrunner.voice.desk import Answer, Manners, Question
from botrunner.voice.playback import Heard, Speech
from dashboard.models import DiscordGuild, DiscordUser, PlaceSettings, Utterance, VoiceSettings
from dashboard.services import access, budgets, calls, chat, consent, hops, leftovers, providers
from dashboard.services import speech as speech_services
from dashboard.services.access import Permission, Person, Role
from dashboard.services.calls import Said
from dashboard.services.chat import Asked, Ready, Spot
from dashboard.services.places import NOT_HERE, Place, Rules
from trainerbot.errors import NotAllowed, NotFound, ProviderUnavailable, TrainerBotError
from trainerbot.llm import Delta
from trainerbot.speech import Pcm

if TYPE_CHECKING:
    from botrunner.cogs.chat import Chat

log = logging.getLogger(__name__)

INTERRUPTED: Final = "I was interrupted here."
# What is written of a question waits for so long: to be heard comes before to be read,
# and both take turns on one processor and one thread for rows.
BEHIND_S: Final = 0.05
GONE: Final = "You are not on this server any more."

begin = chat.foreseen(chat.hop(chat.log, chat.recalling))
finish = chat.hop(chat.finish, gives_way=True)
log_utterance = chat.hop(calls.log_utterance)
note_answer = chat.hop(calls.note_answer)
note_heard = chat.hop(calls.note_heard, gives_way=True)
note_asked = chat.hop(leftovers.note_asked)
show_words = chat.hop(calls.show_words)
note_begun = chat.hop(leftovers.note_begun)


@chat.hop
def _settings_and_language(
    guild_id: int, discord_user_id: int, permit: Callable[[Rules], Place]
) -> tuple[VoiceSettings, str, bool]:
    """The voice settings of a guild, in which language somebody there is heard, and if that is paid.

    Raises NotAllowed to whom the bot may not listen now, before that has cost anything.
    """
    rules = chat.rules()
    place = permit(rules)
    person = DiscordUser.objects.filter(discord_user_id=discord_user_id).first()
    row = speech_services.settings_of(guild_id)
    guild = DiscordGuild.objects.filter(discord_guild_id=guild_id).first()
    budgets.check_open(guild=guild, discord_user=person, rules=rules)
    is_paid = speech_services.is_paid(speech_services.hearing_chain(row))
    return row, speech_services.language_for(person, place), is_paid


# By itself: what goes with others may be undone with them, and a file is not.
@hops.hop
def keep(utterance_id: int, data: bytes, days: int) -> None:
    """Keep the recording of something said in a call for so many days."""
    if utterance := Utterance.objects.filter(pk=utterance_id).first():
        consent.keep_recording(utterance, data, ending="ogg", days=days)


keeps_days = chat.hop(consent.keeps_days)


class CallDesk:
    """Does for a talk in one call what the chat does for messages.

    In its text channel each person has the same conversation as in writing.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._bot = call.bot
        self._guild_id = call.guild_id
        self._utterances: dict[int, asyncio.Task[int | None]] = {}  # by the question's row

    # --- where, and who -----------------------------------------------------------------
    @property
    def _guild(self) -> discord.Guild:
        guild = self._bot.get_guild(self._guild_id)
        if guild is None:
            raise NotFound("I am not on that server any more.")
        return guild

    @property
    def _text_channel_id(self) -> int:
        return self._call.text_channel_id or self._call.channel_id

    @property
    def _written_in(self) -> Any:
        """The channel for words, though it may have been removed."""
        here = self._bot.get_channel(self._text_channel_id)
        return here or self._bot.get_partial_messageable(
            self._text_channel_id, guild_id=self._guild_id
        )

    def _member(self, discord_user_id: int) -> discord.Member:
        member = self._guild.get_member(discord_user_id)
        if member is None:
            raise NotAllowed(GONE)
        return member

    def _permit(self, member: discord.Member) -> Callable[[Rules], Place]:
        """What says, with the rules at hand, how the bot behaves towards somebody here."""

        def permit(rules: Rules) -> Place:
            asker = people.asker(
                self._bot, member, guild=member.guild, channel=self._written_in, rules=rules
            )
            asker.check_listens()
            access.require(asker.person, Permission.CHAT)
            if asker.place.answers == PlaceSettings.Answers.NOTHING:
                raise NotAllowed(NOT_HERE)
            return asker.place

        return permit

    def _spot(self, member: discord.Member) -> Spot:
        return spot_of(member, member.guild, self._written_in, self._text_channel_id)

    async def prepare(self) -> None:
        await asyncio.gather(
            providers.chat_model(),
            providers.speech_at(providers.speech_server()),
            asyncio.to_thread(importlib.import_module, "trainerbot.speech.audio"),
        )

    async def manners(self, discord_user_id: int) -> Manners:
        member, me = self._member(discord_user_id), self._guild.me
        row, language, is_paid = await _settings_and_language(
            self._guild_id, discord_user_id, self._permit(member)
        )
        return Manners(
            names=(row.wake_name,) if row.wake_name else (me.display_name, me.name),
            language=language,
            needs_name=row.needs_wake_name,
            can_be_interrupted=row.can_be_interrupted,
            shows_early=not is_paid,
        )

    def n_present(self) -> int:
        return len(self._call.people())

    # --- words ---------------------------------------------------------------------------
    async def hear(
        self, discord_user_id: int, sound: Pcm, *, language: str
    ) -> speech_services.Heard:
        return await speech_services.hear_pcm(
            sound,
            language=language,
            guild_id=self._guild_id,
            payer_id=discord_user_id,
            is_urgent=True,  # they wait for an answer
        )

    async def show(self, words: Mapping[int, str]) -> None:
        try:
            await show_words(self._call.call_id, words)
        except DatabaseError as error:
            log.warning("What is being said could not be shown: %s", error)

    async def note_deaf(self, discord_user_id: int, error: TrainerBotError, sound: Pcm) -> None:
        said, member = (
            Said(problem=str(error), duration_s=sound.duration_s),
            self._member(discord_user_id),
        )
        await self._log_said(said, member)
        if isinstance(error, NotAllowed):
            await self._note_denial(member)

    async def tell(self, error: TrainerBotError | str) -> None:
        await self._write(str(refusal(str(error), "Something in a call")))

    async def fail(self, error: Exception, doing: str) -> None:
        await self._write(str(await explain(error, doing)))

    async def _write(self, sentence: str) -> None:
        try:
            await self._written_in.send(sentence)
        except REFUSALS as refused:
            log.warning("Words about a call were refused: %s", refused)

    # --- one turn -------------------------------------------------------------------------
    async def answer(self, question: Question, speech: Speech) -> Answer:
        answer = Answer()
        member = self._member(question.discord_user_id)
        cog, spot = cast("Chat", self._bot.get_cog("Chat")), self._spot(member)
        # What they write meanwhile waits, and knows of this.
        with self._bot.in_flight.answering():
            async with cog.turn_of(spot):
                try:
                    asked = Asked(text=question.text, discord_message_id=None)
                    ready = await begin(spot, asked, self._permit(member))
                except NotAllowed as denial:
                    await self._refuse(member, denial)
                    return answer
                assert ready is not None  # as only a message may be logged already
                answer.question_id = ready.question.pk
                self._utterances[ready.question.pk] = asyncio.create_task(
                    self._log(question, member, ready)
                )
                await self._deliver(question, member, ready, speech, answer)
        return answer

    async def _refuse(self, member: discord.Member, denial: NotAllowed) -> None:
        await self._note_denial(member)
        await self.tell(denial)

    async def _note_denial(self, member: discord.Member) -> None:
        asker = await people.who(self._bot, member, guild=member.guild, channel=self._written_in)
        await people.note_denial(asker, "talk")

    async def _log(self, question: Question, member: discord.Member, ready: Ready) -> int | None:
        await asyncio.sleep(BEHIND_S)
        words = question.words
        said = Said(
            text=words.text,
            language=words.language,
            provider=words.provider,
            duration_s=words.duration_s,
            stages_ms={"heard": round(1000 * (question.heard_at - question.ended_at))},
        )
        return await self._log_said(said, member, message_id=ready.question.pk)

    async def _log_said(
        self, said: Said, member: discord.Member, *, message_id: int | None = None
    ) -> int | None:
        person = Person(role=Role.MEMBER, name=member.name, discord_user_id=member.id)
        return await log_utterance(
            said, call_id=self._call.call_id, person=person, message_id=message_id
        )

    async def _deliver(
        self,
        question: Question,
        member: discord.Member,
        ready: Ready,
        speech: Speech,
        answer: Answer,
    ) -> None:
        """Ask the model, and let the answer be read and heard while it comes."""
        row, began = ready.question, time.monotonic()
        cog = cast("Chat", self._bot.get_cog("Chat"))
        quotation = asyncio.create_task(self._quote(question, member, row.pk))
        outlet = CallOutlet(
            self._written_in,
            member.guild,
            asker=member,
            quoted=quotation,
            id=discord.utils.time_snowflake(discord.utils.utcnow()) + row.pk % (1 << 22),
        )

        async def remember(posted: discord.Message) -> None:
            await note_begun(question_id=row.pk, discord_message_id=posted.id)

        live, stream = LiveReply(outlet, on_begun=remember), Stream()
        try:
            await self._stream(ready, stream, live, speech, answer)
            speech.end()
            finished = stream.finished
            if finished is None and speech.was_cut and stream.said.strip():
                finished = await broken_off(ready, stream, began, answer)
            if finished is None or not finished.text.strip():
                raise ProviderUnavailable(NOTHING_SAID)
        except asyncio.CancelledError:
            reason = refusal(CUT_SHORT, f"The answer to question {row.pk}")
            await cog.break_off(ready, live, stream.said, reason)
            raise
        except Exception as error:
            speech.end()
            reason = await explain(error, f"The answer to question {row.pk}")
            await cog.break_off(ready, live, stream.said, reason)
            return
        answer.text = finished.text
        notes = [] if stream.finished else [INTERRUPTED]
        try:
            posted = await live.finish(
                with_marks(finished, ready.warning, notes),
                view=buttons(row.pk),
                title=title_of(row.content),
            )
        except REFUSALS as error:
            log.warning("The answer to question %s was refused: %s", row.pk, error)
            posted = list(live.posted)
        answer.is_written = bool(posted)
        await asyncio.shield(finish(row, finished, [each.id for each in posted]))

    async def _quote(
        self, question: Question, member: discord.Member, question_id: int
    ) -> discord.Message | None:
        """Write what was said, so that all can read it; None if Discord refuses."""
        await asyncio.sleep(BEHIND_S)
        try:
            message: discord.Message = await self._written_in.send(
                as_quotation(member.display_name, question.words.text)
            )
        except REFUSALS as error:
            log.warning("What was said in a call could not be written: %s", error)
            return None
        try:
            await note_asked(question_id=question_id, discord_message_id=message.id)
        except DatabaseError as error:
            log.warning("Which message shows a question could not be noted: %s", error)
        return message

    async def _stream(
        self, ready: Ready, stream: Stream, live: LiveReply, speech: Speech, answer: Answer
    ) -> None:
        """Take the answer in until it is whole, or somebody interrupts it."""

        async def take() -> None:
            async with aclosing(chat.run(ready)) as events:
                async for event in events:
                    if not isinstance(event, Delta):
                        stream.finished = event
                        continue
                    answer.first_word_at = answer.first_word_at or time.monotonic()
                    stream.said += event.text
                    speech.feed(event.text)
                    live.show(stream.said)

        taking = asyncio.create_task(take())
        cut = asyncio.create_task(until_cut(speech))
        try:
            await asyncio.wait({taking, cut}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not taking.done():
                taking.cancel()
            cut.cancel()
            results = await asyncio.gather(taking, cut, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    # --- afterwards -----------------------------------------------------------------------
    async def note_heard(self, answer: Answer, heard: Heard) -> None:
        if answer.question_id is None or not answer.was_broken_off(heard):
            return
        utterance_id = await self._utterances[answer.question_id]
        if utterance_id is None:
            return
        try:
            await note_heard(utterance_id, spoken=heard.text)
        except DatabaseError as error:
            log.warning("How much of an answer was heard could not be noted yet: %s", error)

    async def record(
        self, question: Question, answer: Answer, heard: Heard, stages_ms: dict[str, int]
    ) -> None:
        if answer.question_id is None:
            return
        utterance_id = await self._utterances.pop(answer.question_id)
        if utterance_id is None:
            return
        was_interrupted = answer.was_broken_off(heard)
        await note_answer(
            utterance_id, spoken=heard.text, was_interrupted=was_interrupted, stages_ms=stages_ms
        )
        days = await keeps_days(guild_id=self._guild_id, discord_user_id=question.discord_user_id)
        if days:
            await keep(utterance_id, await asyncio.to_thread(_as_file, question.sound), days)


def _as_file(sound: Pcm) -> bytes:
    # PyAV takes a third of a second to import, which who keeps nothing is spared.
    from trainerbot.speech import audio

    return audio.encode(sound, "opus")
