"""A talk without Discord: a desk that answers as it is told, and speech that a test dictates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from botrunner.bot import TrainerBot
from botrunner.voice.desk import Answer, Manners, Question
from botrunner.voice.playback import Heard, Speech
from dashboard.services.speech import Heard as Words
from tests.botrunner.voice.lines import tone
from trainerbot.errors import TrainerBotError
from trainerbot.speech import NothingHeard, Pcm
from trainerbot.speech.segmenting import (
    Event,
    SpeechBegan,
    SpeechEnded,
    SpeechGrew,
    SpeechPaused,
    SpeechResumed,
    SpeechWent,
)

BEGAN, WENT = b"began", b"went"


def sound_of(text: str) -> Pcm:
    """Stands for the sound of `text`; only the desk below reads it."""
    return Pcm(text.encode() + b"\0" * 40_000)


class Dictated:
    """A segmenter whose frames say themselves what they are."""

    def __init__(self) -> None:
        self.hints: list[bool] = []
        self.kind = b""

    @property
    def is_pausing(self) -> bool:
        return self.kind == b"paused"

    def hint(self, *, finished: bool) -> None:
        self.hints.append(finished)

    def feed(self, frame: Pcm) -> list[Event]:
        kind, _, text = frame.data.partition(b":")
        self.kind = kind
        sound = sound_of(text.decode())
        events: dict[bytes, Event] = {
            BEGAN: SpeechBegan(0),
            WENT: SpeechWent(0),
            b"resumed": SpeechResumed(0),
            b"grew": SpeechGrew(0, sound),
            b"paused": SpeechPaused(0, sound, 200),
            b"ended": SpeechEnded(0, sound, 200),
            b"cut": SpeechEnded(0, sound, 0, is_cut=True),
        }
        return [events[kind]]


class Desk:
    """Hears what was dictated, answers by `answers`, and remembers all that it is told."""

    def __init__(self) -> None:
        self.is_at: Manners | TrainerBotError = Manners(names=["Jarvis"])
        self.present = 1
        self.answers: Callable[[Question], str] = lambda question: f"You said: {question.text}"
        self.questions: list[Question] = []
        self.records: list[tuple[Question, Answer, Heard, dict[str, int]]] = []
        self.noted: list[str] = []
        self.told: list[str] = []
        self.deafness: list[tuple[int, str]] = []
        self.failures: list[Exception] = []
        self.heard: list[str] = []
        self.shown: list[dict[int, str]] = []
        self.deaf: TrainerBotError | None = None
        self.hears_after = asyncio.Event()
        self.hears_after.set()
        self.answers_after = asyncio.Event()
        self.answers_after.set()

    async def prepare(self) -> None:
        """There is nothing to prepare."""

    async def manners(self, discord_user_id: int) -> Manners:
        if isinstance(self.is_at, TrainerBotError):
            raise self.is_at
        return self.is_at

    def n_present(self) -> int:
        return self.present

    async def hear(self, discord_user_id: int, sound: Pcm, *, language: str) -> Words:
        text = sound.data.rstrip(b"\0").decode()
        self.heard.append(text)
        await self.hears_after.wait()
        if self.deaf is not None:
            raise self.deaf
        if not text:
            raise NothingHeard
        return Words(text, "en-US", "scripted", sound.duration_s)

    async def show(self, words: Mapping[int, str]) -> None:
        self.shown.append(dict(words))

    async def answer(self, question: Question, speech: Speech) -> Answer:
        self.questions.append(question)
        await self.answers_after.wait()
        text = self.answers(question)
        speech.feed(text)
        return Answer(text, len(self.questions), time.monotonic())

    async def note_heard(self, answer: Answer, heard: Heard) -> None:
        self.noted.append(heard.text)

    async def record(
        self, question: Question, answer: Answer, heard: Heard, stages_ms: dict[str, int]
    ) -> None:
        self.records.append((question, answer, heard, stages_ms))

    async def note_deaf(self, discord_user_id: int, error: TrainerBotError, sound: Pcm) -> None:
        self.deafness.append((discord_user_id, str(error)))

    async def tell(self, error: TrainerBotError | str) -> None:
        self.told.append(str(error))

    async def fail(self, error: Exception, doing: str) -> None:
        self.failures.append(error)


# --- at a real desk --------------------------------------------------------------------------
@dataclass
class AnyCall:
    """What a desk needs to know of a call."""

    bot: TrainerBot
    call_id: int
    guild_id: int
    channel_id: int
    text_channel_id: int | None

    def people(self) -> list[int]:
        return [1]


def asked(who, text="When do you open?", *, said="") -> Question:
    now = time.monotonic()
    words = Words(said or text, "en-US", "scripted", 1.5)
    return Question(int(who.id), text, words, tone(1.5), now - 0.25, now)


async def answer(desk, player, question):
    speech = player.begin(asker_id=question.discord_user_id, language="en-US")
    try:
        return await desk.answer(question, speech), speech
    finally:
        speech.end()
