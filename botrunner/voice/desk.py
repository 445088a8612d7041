"""What a talk in a call needs of the rest of the bot, and what passes between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from botrunner.voice.naming import called
from botrunner.voice.playback import Heard, Speech
from dashboard.services.speech import Heard as Words
from trainerbot.errors import TrainerBotError
from trainerbot.speech import Pcm


@dataclass(frozen=True, slots=True)
class Manners:
    """How the bot behaves towards somebody in this call, as its settings say now.

    names: what it is called. language: in which they are heard (BCP 47).
    needs_name: whether it must be called, with others present. shows_early:
    whether what they say may be heard more than once, to be shown before they
    have ended.
    """

    names: Sequence[str]
    language: str = ""
    needs_name: bool = True
    can_be_interrupted: bool = True
    shows_early: bool = True

    def is_meant(self, text: str, *, follows: bool, n_present: int) -> bool:
        """Whether somebody who says this speaks to the bot. follows: it just spoke with them."""
        if follows or not self.needs_name or n_present < 2:
            return True
        return called(text, self.names) is not None


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody said to the bot.

    text: without its name. words: all that was heard. Times are time.monotonic:
    when they fell silent, and when it was known what they said.
    """

    discord_user_id: int
    text: str
    words: Words
    sound: Pcm
    ended_at: float
    heard_at: float

    def stages_ms(self, **moments: float | None) -> dict[str, int]:
        """How long after the end of the speech each of these came, if it did."""
        came = {name: moment for name, moment in moments.items() if moment is not None}
        return {name: round(1000 * (moment - self.ended_at)) for name, moment in came.items()}


@dataclass(slots=True)
class Answer:
    """How a question was answered.

    question_id: of the row that it became. first_word_at: time.monotonic when
    the model began to answer. is_written: whether it stands to be read, too.
    """

    text: str = ""
    question_id: int | None = None
    first_word_at: float | None = None
    is_written: bool = False

    def was_broken_off(self, heard: Heard) -> bool:
        """Whether only what was heard of it counts as said.

        It does where somebody interrupted it, and where it just ended, as when
        the call did. Who was told that the rest stands in writing has got all
        of it, and so has who never heard a word and can read it.
        """
        is_to_read = self.is_written and bool(heard.problem or not heard.text)
        return heard.was_cut or not (heard.is_whole or is_to_read)


class Desk(Protocol):
    """What a talk needs of Discord and of the services."""

    async def prepare(self) -> None:
        """Open and import what the first answer would else wait for."""
        ...

    async def manners(self, discord_user_id: int) -> Manners:
        """Raises NotAllowed, in words, for somebody whom it may not answer."""
        ...

    def n_present(self) -> int:
        """How many people are in the call, without bots."""
        ...

    async def hear(self, discord_user_id: int, sound: Pcm, *, language: str) -> Words:
        """Return the words in what somebody said. Raises TrainerBotError, in words, where are none."""
        ...

    async def show(self, words: Mapping[int, str]) -> None:
        """Show on the pages what people are saying to the bot just now. Keeps nothing of it."""
        ...

    async def answer(self, question: Question, speech: Speech) -> Answer:
        """Answer in writing and, sentence by sentence, aloud. Says itself why there is no answer."""
        ...

    async def note_heard(self, answer: Answer, heard: Heard) -> None:
        """Write down how much of an answer was heard until now; it is still being said."""
        ...

    async def record(
        self, question: Question, answer: Answer, heard: Heard, stages_ms: dict[str, int]
    ) -> None:
        """Write down how it went, and how much of the answer was heard."""
        ...

    async def note_deaf(self, discord_user_id: int, error: TrainerBotError, sound: Pcm) -> None:
        """Write down that somebody said something to the bot, and why it was not made out."""
        ...

    async def tell(self, error: TrainerBotError | str) -> None:
        """Write a sentence where the call's words are written."""
        ...

    async def fail(self, error: Exception, doing: str) -> None:
        """Tell that something went wrong on our side."""
        ...
