"""The talk in a call: who spoke, whether it was to the bot, and its answer aloud.

Speech comes in frames and goes out in sentences; what happens in between, on
Discord and in the log, a Desk does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from botrunner.voice.desk import Answer, Desk, Manners, Question
from botrunner.voice.endings import is_finished, is_listening
from botrunner.voice.floor import Floor
from botrunner.voice.listening import Listener
from botrunner.voice.naming import called
from botrunner.voice.pieces import joined
from botrunner.voice.playback import Player, Speech
from dashboard.services.speech import Heard as Words
from trainerbot.errors import NotAllowed, ProviderUnavailable, TrainerBotError
from trainerbot.speech import NothingHeard, Pcm
from trainerbot.speech.segmenting import (
    Event,
    Segmenter,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechWent,
    Tuning,
)

log = logging.getLogger(__name__)
Result = TypeVar("Result")

# Who was just answered, or called the bot, need not call it again for so long.
FOLLOW_UP_S: Final = 10.0
WINDOW_S: Final = Tuning().quiet_ms / 1000  # of silence, before a pause is told
MOST_HEARD_AT_ONCE: Final = 4
MOST_WAITING: Final = 16  # to be heard; what waits longer would be answered far too late
TOO_MUCH: Final = (
    "More is said than I can follow, so I missed some of it. Say it again in a moment."
)
SAID_AGAIN_AFTER_S: Final = 60.0
SHORTEST_WORDS_S: Final = 1.0  # shorter sounds without words are left alone: a laugh, a cup


@dataclass(eq=False, slots=True)
class _Draft:
    """What was said until a pause, which may not be all. ended_at: when the pause began."""

    sound: Pcm
    words: asyncio.Task[Words | TrainerBotError]
    ended_at: float
    is_taken: bool = False  # it was all, as its words told


@dataclass(eq=False, slots=True)
class _Speaker:
    """What is known of one person in the call.

    follows: whether what they say now needs no name. over_bot: whether they
    began while the bot spoke. open_until: until when it will need none.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    follows: bool = False
    over_bot: bool = False
    manners: asyncio.Task[Manners] | None = None  # as they were when they began to speak
    draft: _Draft | None = None
    # What was heard so far of a speech that grew too long for one piece.
    pieces: list[asyncio.Task[Words | TrainerBotError]] = field(default_factory=list)
    under_way: set[asyncio.Task[Words | TrainerBotError]] = field(default_factory=set)
    n_answering: int = 0
    open_until: float = 0.0
    was_asked: bool = False  # the last answer to them ended in a question
    last: tuple[Speech, asyncio.Task[None]] | None = None  # what was said to them, and its record


class Talk:
    """One call. `on_frame` takes what the capture hears; the rest goes by itself."""

    def __init__(
        self,
        desk: Desk,
        player: Player,
        *,
        segmenter: Callable[[], Segmenter] = Segmenter,
    ) -> None:
        self._desk = desk
        self._player = player
        self._loop = asyncio.get_running_loop()
        self._floor = Floor(player)
        self._listener = Listener(self._tell_loop, segmenter=segmenter)
        self._speakers: dict[int, _Speaker] = defaultdict(_Speaker)
        self._hearing = asyncio.Semaphore(MOST_HEARD_AT_ONCE)
        self._n_waiting = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._told_at: dict[str, float] = {}
        self._is_closed = False
        self._start(self._prepare())

    @property
    def speaking(self) -> frozenset[int]:
        """Who speaks now, by Discord's ids."""
        return self._floor.speaking

    def on_frame(self, discord_user_id: int, frame: Pcm) -> None:
        """Take 20 ms of a person, 16 kHz mono, on the capture's thread."""
        self._listener.on_frame(discord_user_id, frame)

    def on_left(self, discord_user_id: int) -> None:
        """Say that somebody left the call."""
        self._floor.left(discord_user_id, time.monotonic())
        self._look_later()

    def on_refused(self, discord_user_id: int) -> None:
        """Forget what somebody is saying: they do not want to be listened to any more."""
        self._listener.forget(discord_user_id)
        for words in self._speakers.pop(discord_user_id, _Speaker()).under_way:
            words.cancel()
        self.on_left(discord_user_id)

    def close(self) -> None:
        """Hear and say nothing more. What is being answered is still written."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for speaker in self._speakers.values():
            if speaker.draft is not None:
                speaker.draft.words.cancel()
        self._player.clear()

    async def settle(self) -> None:
        """Wait until all that was said is answered and written down."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

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
                speaker.manners = self._start(self._manners(discord_user_id))
                self._floor.began(discord_user_id, now)
            case SpeechWent():
                self._floor.went(discord_user_id, now)
            case SpeechPaused(sound=sound):
                self._draft(discord_user_id, speaker, sound, now - WINDOW_S)
            case SpeechEnded():
                self._floor.ended(discord_user_id, now)
                self._end(discord_user_id, speaker, event, now)
        self._look_later()

    def _look_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_at = self._floor.look(time.monotonic())
        if due_at is not None and not self._is_closed:
            self._timer = self._loop.call_at(due_at, self._look_later)

    def _start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it is told; if nobody does, it did not matter

    async def _prepare(self) -> None:
        try:
            await self._desk.prepare()
        except TrainerBotError as error:
            log.info("The first answer will wait for what was not prepared: %s", error)

    async def _manners(self, discord_user_id: int) -> Manners:
        manners = await self._desk.manners(discord_user_id)
        self._floor.can_be_interrupted = manners.can_be_interrupted
        return manners

    # --- words ------------------------------------------------------------------------
    def _draft(self, discord_user_id: int, speaker: _Speaker, sound: Pcm, ended_at: float) -> None:
        """Make words of what was said until a pause: they tell whether it is all."""
        if speaker.draft is not None and not speaker.draft.is_taken:
            speaker.draft.words.cancel()
        words = self._listen(speaker, self._hear(speaker, sound))
        draft = speaker.draft = _Draft(sound, words, ended_at)

        def done(words: asyncio.Task[Words | TrainerBotError]) -> None:
            if self._is_closed or words.cancelled() or words.exception() is not None:
                return
            if speaker.draft is not draft:
                return  # they have spoken on
            found = words.result()
            if self._judge(discord_user_id, found):
                # The segmenter would say so with the next frame: too late to wait for.
                draft.is_taken = True
                self._start(self._take(discord_user_id, speaker, words, sound, ended_at))

        words.add_done_callback(done)

    def _end(self, discord_user_id: int, speaker: _Speaker, ended: SpeechEnded, now: float) -> None:
        """Take what was said, now that it is over, unless its words have told before."""
        draft, speaker.draft = speaker.draft, None
        ended_at = now - ended.silence_ms / 1000
        if draft is not None and draft.sound.data == ended.sound.data:
            words = draft.words
            if draft.is_taken:
                return
        else:
            if draft is not None and draft.is_taken:
                self._take_back(discord_user_id)
            elif draft is not None:
                draft.words.cancel()
            hearing = self._hear_out(discord_user_id, speaker, ended.sound)
            words = self._listen(speaker, hearing)
        if ended.is_cut:
            speaker.pieces.append(words)
            return
        self._start(self._take(discord_user_id, speaker, words, ended.sound, ended_at))

    def _listen(
        self, speaker: _Speaker, hearing: Coroutine[Any, Any, Words | TrainerBotError]
    ) -> asyncio.Task[Words | TrainerBotError]:
        words = self._start(hearing)
        speaker.under_way.add(words)
        words.add_done_callback(speaker.under_way.discard)
        return words

    def _take_back(self, discord_user_id: int) -> None:
        """Say nothing to what was taken for all that somebody said: they have spoken on."""
        self._player.drop(discord_user_id)
        speech = self._player.speech
        if speech is not None and speech.asker_id == discord_user_id:
            self._player.interrupt()

    def _judge(self, discord_user_id: int, words: Words | TrainerBotError) -> bool:
        """Let the words count for who has the word; whether they are all, as far as they tell."""
        text = words.text if isinstance(words, Words) else ""
        finished = is_finished(text) if text else None
        if finished is not None:
            self._listener.hint(discord_user_id, finished=finished)
        has_words = not is_listening(text)
        self._floor.judged(discord_user_id, time.monotonic(), has_words=has_words)
        self._look_later()
        return finished is True

    async def _hear(self, speaker: _Speaker, sound: Pcm) -> Words | TrainerBotError:
        """Return the words, or why there are none."""
        assert speaker.manners is not None  # as nobody pauses who has not begun
        if self._n_waiting >= MOST_WAITING:
            return ProviderUnavailable(TOO_MUCH)
        self._n_waiting += 1
        try:
            async with self._hearing:
                manners = await speaker.manners
                return await self._desk.hear(sound, language=manners.language)
        except TrainerBotError as error:
            return error
        finally:
            self._n_waiting -= 1

    async def _hear_out(
        self, discord_user_id: int, speaker: _Speaker, sound: Pcm
    ) -> Words | TrainerBotError:
        words = await self._hear(speaker, sound)
        self._judge(discord_user_id, words)
        return words

    async def _take(
        self,
        discord_user_id: int,
        speaker: _Speaker,
        heard: asyncio.Task[Words | TrainerBotError],
        sound: Pcm,
        ended_at: float,
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
            assert manners is not None  # as nobody ends who has not begun
            asked = self._addressed(speaker, text, await manners, follows=follows)
            if not asked:
                return
            question = Question(discord_user_id, asked, words, sound, ended_at, heard_at)
            async with speaker.turn:
                await self._answer(speaker, question)
        except Exception as error:
            await self._desk.fail(error, "What was said in a call")

    def _addressed(self, speaker: _Speaker, text: str, manners: Manners, *, follows: bool) -> str:
        """Return what `text` asks the bot; "" if it was not said to it, or only called it."""
        found = called(text, manners.names)
        if found is not None:
            if not found.text:
                speaker.open_until = time.monotonic() + FOLLOW_UP_S
            return found.text
        is_for_bot = follows or not manners.needs_name or self._desk.n_present() < 2
        return text if is_for_bot else ""

    async def _tell_deaf(
        self, discord_user_id: int, error: TrainerBotError, sound: Pcm, *, follows: bool
    ) -> None:
        """Say that nothing was made out: to one who surely spoke to the bot, or that nobody can."""
        if isinstance(error, NothingHeard | NotAllowed):
            is_for_bot = follows or self._desk.n_present() < 2
            if not is_for_bot or sound.duration_s < SHORTEST_WORDS_S:
                return
        await self._tell_once(error)
        await self._desk.note_deaf(discord_user_id, error, sound)

    async def _tell_once(self, error: TrainerBotError | str) -> None:
        """Tell it, unless the same was told a moment ago."""
        now = time.monotonic()
        if now - self._told_at.get(str(error), -SAID_AGAIN_AFTER_S) >= SAID_AGAIN_AFTER_S:
            self._told_at[str(error)] = now
            await self._desk.tell(error)

    # --- one turn ---------------------------------------------------------------------
    async def _answer(self, speaker: _Speaker, question: Question) -> None:
        if speaker.last is not None and speaker.last[0].is_over:
            await speaker.last[1]  # what was heard of the last answer is what this one knows
        speech = self._player.begin(
            asker_id=question.discord_user_id, language=question.words.language
        )
        if self._is_closed:
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
        speaker.last = speech, record

    async def _record(
        self, speaker: _Speaker, question: Question, answer: Answer, speech: Speech
    ) -> None:
        """Wait until the answer was heard, and write down how much of it was."""
        try:
            heard = await speech.over()
        finally:
            speaker.n_answering -= 1
        speaker.open_until = time.monotonic() + FOLLOW_UP_S
        speaker.was_asked = answer.text.rstrip().endswith("?")
        moments = {
            "heard": question.heard_at,
            "first_word": answer.first_word_at,
            "first_sound": speech.first_sound_at,
        }
        stages_ms = {
            name: round(1000 * (moment - question.ended_at))
            for name, moment in moments.items()
            if moment is not None
        }
        try:
            await self._desk.record(question, answer, heard, stages_ms)
            if heard.problem and not self._is_closed:
                await self._tell_once(heard.problem)
        except Exception as error:
            await self._desk.fail(error, "The record of a call")
