"""The talk in a call: who spoke, whether it was to the bot, and its answer aloud.

Speech comes in frames and goes out in sentences; what happens in between, on
Discord and in the log, a Desk does.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from botrunner.voice.desk import Answer, Desk, Manners, Question
from botrunner.voice.endings import is_finished, is_listening, is_stop
from botrunner.voice.errands import Errands
from botrunner.voice.floor import Floor
from botrunner.voice.glimpses import Glimpses
from botrunner.voice.listening import Listener
from botrunner.voice.pieces import joined
from botrunner.voice.playback import Player, Speech
from botrunner.voice.progress import NOTED_EVERY_S, heard_out
from botrunner.voice.speakers import FOLLOW_UP_S, Draft, Hearing, Speaker
from botrunner.voice.telling import Telling
from dashboard.services.budgets import OverBudget
from dashboard.services.speech import Heard as Words
from trainerbot.errors import NotAllowed, ProviderUnavailable, TrainerBotError
from trainerbot.speech import NothingHeard, Pcm
from trainerbot.speech.segmenting import (
    Event,
    Segmenter,
    SpeechBegan,
    SpeechEnded,
    SpeechGrew,
    SpeechPaused,
    SpeechResumed,
    SpeechWent,
    Tuning,
)

log = logging.getLogger(__name__)

WINDOW_S: Final = Tuning().quiet_ms / 1000  # of silence, before anything is answered
MOST_HEARD_AT_ONCE: Final = 4
MOST_WAITING: Final = 16  # to be heard; what waits longer would be answered far too late
TOO_MUCH: Final = (
    "More is said than I can follow, so I missed some of it. Say it again in a moment."
)
SHORTEST_WORDS_S: Final = 1.0  # shorter sounds without words are left alone: a laugh, a cup


class Talk:
    """One call. `on_frame` takes what the capture hears; the rest goes by itself."""

    def __init__(
        self,
        desk: Desk,
        player: Player,
        *,
        segmenter: Callable[[], Segmenter] = Segmenter,
        noted_every_s: float = NOTED_EVERY_S,
    ) -> None:
        self._desk = desk
        self._noted_every_s = noted_every_s
        self._player = player
        self._loop = asyncio.get_running_loop()
        self._floor = Floor(player)
        self._listener = Listener(self._tell_loop, segmenter=segmenter)
        self._speakers: dict[int, Speaker] = defaultdict(Speaker)
        self._hearing = asyncio.Semaphore(MOST_HEARD_AT_ONCE)
        self._n_waiting = 0
        self._errands = Errands()
        self._start = self._errands.start
        self._timer: asyncio.TimerHandle | None = None
        self._telling = Telling(desk.tell)
        self._is_closed = False
        self._glimpses = Glimpses(desk, start=self._start)
        self._start(self._prepare())

    @property
    def speaking(self) -> frozenset[int]:
        """Who speaks now, by Discord's ids."""
        return self._floor.speaking

    def on_frame(self, discord_user_id: int, frame: Pcm) -> None:
        """Take 20 ms of a person, 16 kHz mono, on the capture's thread."""
        self._listener.on_frame(discord_user_id, frame)

    def on_left(self, discord_user_id: int) -> None:
        """Forget what somebody was saying: they left the call in mid-word.

        What they had said before is still answered; in writing alone, once nobody is there.
        """
        self._forget_speech(discord_user_id)
        if not self._desk.n_present():
            self._player.clear()

    def _forget_speech(self, discord_user_id: int) -> None:
        self._listener.forget(discord_user_id)
        if speaker := self._speakers.get(discord_user_id):
            speaker.fall_silent()
        self._glimpses.drop(discord_user_id)
        self._floor.left(discord_user_id, time.monotonic())
        self._look_later()

    def on_lost(self) -> None:
        """Forget what everybody was saying: the connection broke, and its end is not heard."""
        for discord_user_id in list(self._speakers):
            self._forget_speech(discord_user_id)

    def on_refused(self, discord_user_id: int) -> None:
        """Forget what somebody is saying: they do not want to be listened to any more."""
        self._forget_speech(discord_user_id)
        for words in self._speakers.pop(discord_user_id, Speaker()).under_way:
            words.cancel()

    def close(self) -> None:
        """Hear and say nothing more. What is being answered is still written."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for speaker in self._speakers.values():
            if speaker.draft is not None:
                speaker.draft.words.cancel()
        self._glimpses.clear()
        self._floor.close()
        self._player.clear()

    async def settle(self) -> None:
        """Wait until all that was said is answered and written down."""
        await self._errands.settle()

    # --- speech -----------------------------------------------------------------------
    def _tell_loop(self, discord_user_id: int, event: Event) -> None:
        self._loop.call_soon_threadsafe(self._on_event, discord_user_id, event, time.monotonic())

    def _on_event(self, discord_user_id: int, event: Event, now: float) -> None:
        if self._is_closed:
            return
        speaker = self._speakers[discord_user_id]
        if speaker.manners is None and not isinstance(event, SpeechBegan):
            return  # of what they said before they refused
        match event:
            case SpeechBegan():
                if not speaker.pieces:  # else it is the same speech that goes on
                    speaker.follows = speaker.n_answering > 0 or now < speaker.open_until
                    speaker.over_bot = self._player.is_speaking
                speaker.speech += 1
                speaker.shown_bytes = 0
                speaker.manners = self._start(self._manners(discord_user_id))
                self._floor.began(discord_user_id, now)
            case SpeechWent():
                took = (
                    self._floor.went if self._may_end(discord_user_id) else self._floor.spoke_aside
                )
                took(discord_user_id, now)
            case SpeechGrew(sound=sound):
                if not self._n_waiting:  # nobody waits for those who hear
                    self._glimpses.look(discord_user_id, speaker, sound)
            case SpeechResumed():
                self._floor.began(discord_user_id, now)
            case SpeechPaused(sound=sound, silence_ms=silence_ms):
                self._draft(discord_user_id, speaker, sound, now - silence_ms / 1000)
            case SpeechEnded():
                self._floor.ended(discord_user_id, now)
                self._end(discord_user_id, speaker, event, now)
        self._look_later()

    def _look_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_at = self._floor.look(time.monotonic())
        if due_at is not None:
            self._timer = self._loop.call_at(due_at, self._look_later)

    async def _prepare(self) -> None:
        try:
            await self._desk.prepare()
        except TrainerBotError as error:
            log.info("The first answer will wait for what was not prepared: %s", error)

    async def _manners(self, discord_user_id: int) -> Manners:
        manners = await self._desk.manners(discord_user_id)
        self._floor.can_be_interrupted = manners.can_be_interrupted
        self._look_later()
        return manners

    # --- words ------------------------------------------------------------------------
    def _draft(self, discord_user_id: int, speaker: Speaker, sound: Pcm, ended_at: float) -> None:
        """Make words of what was said until a pause: they tell whether it is all."""
        if speaker.draft is not None:
            self._put_away(discord_user_id, speaker.draft)
        words = self._listen(speaker, self._hear(discord_user_id, speaker, sound))
        draft = speaker.draft = Draft(sound, words, ended_at)

        def done(words: Hearing) -> None:
            if self._is_closed or words.cancelled() or words.exception() is not None:
                return
            found = words.result()
            finished = self._judge(discord_user_id, found)
            if speaker.draft is not draft:
                return  # the speech has ended meanwhile
            if finished is not None:
                self._listener.hint(discord_user_id, finished=finished)
            if finished:
                self._start(self._take_in_time(discord_user_id, speaker, draft))
            elif isinstance(found, Words):
                self._start(self._glimpses.show(discord_user_id, speaker, found, sound))

        words.add_done_callback(done)

    async def _take_in_time(self, discord_user_id: int, speaker: Speaker, draft: Draft) -> None:
        """Take a finished sentence once it was silent for long enough.

        The segmenter would say so with its next frame: too late to wait for.
        """
        await asyncio.sleep(draft.ended_at + WINDOW_S - time.monotonic())
        is_over = speaker.draft is draft and self._listener.is_pausing(discord_user_id)
        if is_over and not self._is_closed:
            draft.is_taken = True
            speaker.speech += 1
            words, sound, ended_at = draft.words, draft.sound, draft.ended_at
            await self._take(discord_user_id, speaker, words, sound, ended_at)

    def _put_away(self, discord_user_id: int, draft: Draft) -> None:
        """Forget what was said until a pause, and its answer: they have spoken on."""
        if not draft.is_taken:
            draft.words.cancel()
        elif not draft.is_hum:
            self._player.take_back(discord_user_id)

    def _end(self, discord_user_id: int, speaker: Speaker, ended: SpeechEnded, now: float) -> None:
        """Take what was said, now that it is over, unless its words have told before."""
        draft, speaker.draft = speaker.draft, None
        ended_at = now - ended.silence_ms / 1000
        if draft is not None and draft.sound.data == ended.sound.data:
            words = draft.words
            if draft.is_taken:
                return
        else:
            if draft is not None:
                self._put_away(discord_user_id, draft)
            hearing = self._hear_out(discord_user_id, speaker, ended.sound)
            words = self._listen(speaker, hearing)
        if ended.is_cut:
            speaker.pieces.append(words)
            return
        speaker.speech += 1
        self._start(self._take(discord_user_id, speaker, words, ended.sound, ended_at))

    def _listen(
        self, speaker: Speaker, hearing: Coroutine[Any, Any, Words | TrainerBotError]
    ) -> Hearing:
        words = self._start(hearing)
        speaker.under_way.add(words)
        words.add_done_callback(speaker.under_way.discard)
        return words

    def _judge(self, discord_user_id: int, words: Words | TrainerBotError) -> bool | None:
        """Let the words count for who has the word; whether they are all, if they tell."""
        text, now = words.text if isinstance(words, Words) else "", time.monotonic()
        has_words = not is_listening(text)
        if has_words and not (is_stop(text) or self._may_end(discord_user_id, text)):
            self._floor.spoke_aside(discord_user_id, now)
        else:
            self._floor.judged(discord_user_id, now, has_words=has_words)
        self._look_later()
        return is_finished(text) if text else None

    def _may_end(self, discord_user_id: int, text: str = "") -> bool:
        """Whether somebody who says this may end what is said: who asked for it, or speaks to the bot."""
        is_theirs = self._player.is_speaking_to(discord_user_id)
        speaker, n_present = self._speakers[discord_user_id], self._desk.n_present()
        return is_theirs or speaker.is_to_bot(text, n_present=n_present)

    async def _hear(
        self, discord_user_id: int, speaker: Speaker, sound: Pcm
    ) -> Words | TrainerBotError:
        """Return the words, or why there are none."""
        assert speaker.manners is not None  # as nobody pauses who has not begun
        if self._n_waiting >= MOST_WAITING:
            return ProviderUnavailable(TOO_MUCH)
        self._n_waiting += 1
        try:
            async with self._hearing:
                manners = await speaker.manners
                return await self._desk.hear(discord_user_id, sound, language=manners.language)
        except TrainerBotError as error:
            return error
        finally:
            self._n_waiting -= 1

    async def _hear_out(
        self, discord_user_id: int, speaker: Speaker, sound: Pcm
    ) -> Words | TrainerBotError:
        words = await self._hear(discord_user_id, speaker, sound)
        self._judge(discord_user_id, words)
        return words

    async def _take(
        self, discord_user_id: int, speaker: Speaker, heard: Hearing, sound: Pcm, ended_at: float
    ) -> None:
        """Make a question of what was said, if it was one, and answer it."""
        follows, over_bot, manners = speaker.follows, speaker.over_bot, speaker.manners
        before, speaker.pieces = speaker.pieces, []
        try:
            words = joined([await each for each in [*before, heard]])
            heard_at = time.monotonic()
            if isinstance(words, TrainerBotError):
                await self._tell_deaf(discord_user_id, words, sound, follows=follows)
                return
            text = words.text
            if is_listening(text) and (over_bot or not speaker.was_asked):
                return
            if is_stop(text) and over_bot:
                return  # it is silent: that was what they wanted
            assert manners is not None  # as nobody ends who has not begun
            asked = speaker.asks(
                text, await manners, follows=follows, n_present=self._desk.n_present()
            )
            if not asked:
                return
            question = Question(discord_user_id, asked, words, sound, ended_at, heard_at)
            self._glimpses.drop(discord_user_id)  # now it is a question
            async with speaker.turn:
                await self._answer(speaker, question)
        except Exception as error:
            await self._desk.fail(error, "What was said in a call")
        finally:
            self._glimpses.drop(discord_user_id)

    async def _tell_deaf(
        self, discord_user_id: int, error: TrainerBotError, sound: Pcm, *, follows: bool
    ) -> None:
        """Say that nothing was made out: to one who surely spoke to the bot, or that nobody can."""
        if isinstance(error, NothingHeard | NotAllowed):
            is_for_bot = follows or self._desk.n_present() < 2
            if not is_for_bot or sound.duration_s < SHORTEST_WORDS_S:
                if isinstance(error, OverBudget):
                    # Whether they called the bot nobody hears: they must know why it is silent.
                    await self._telling.once(error, of=discord_user_id, again_after_s=math.inf)
                return
        await self._telling.once(error)
        await self._desk.note_deaf(discord_user_id, error, sound)

    # --- one turn ---------------------------------------------------------------------
    async def _answer(self, speaker: Speaker, question: Question) -> None:
        if speaker.last is not None and speaker.last[0].is_over:
            await speaker.last[1]  # what was heard of the last answer is what this one knows
        speech = self._player.begin(
            asker_id=question.discord_user_id, language=question.words.language
        )
        if self._is_closed or not self._desk.n_present():
            speech.finish()
        speaker.n_answering += 1
        try:
            answer = await self._desk.answer(question, speech)
        except BaseException:
            speaker.n_answering -= 1
            raise
        finally:
            speech.end()
        record = self._start(self._record(speaker, question, answer, speech))
        speaker.last = last = speech, record

        def forget(record: asyncio.Task[None]) -> None:
            if speaker.last is last:
                speaker.last = None  # with all its sound that nobody wanted to hear

        record.add_done_callback(forget)

    async def _record(
        self, speaker: Speaker, question: Question, answer: Answer, speech: Speech
    ) -> None:
        """Wait until the answer was heard, and write down how much of it was."""
        note = partial(self._desk.note_heard, answer)
        try:
            heard = await heard_out(speech, note, every_s=self._noted_every_s)
        finally:
            speaker.n_answering -= 1
        speaker.open_until = time.monotonic() + FOLLOW_UP_S
        speaker.was_asked = answer.text.rstrip().endswith("?")
        stages_ms = question.stages_ms(
            heard=question.heard_at,
            first_word=answer.first_word_at,
            first_sound=speech.first_sound_at,
        )
        try:
            await self._desk.record(question, answer, heard, stages_ms)
            if heard.problem and not self._is_closed:
                await self._telling.once(heard.problem)
        except Exception as error:
            await self._desk.fail(error, "The record of a call")
