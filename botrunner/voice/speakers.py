"""What a talk knows of each person in the call."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from botrunner.voice.desk import Manners
from botrunner.voice.endings import is_listening
from botrunner.voice.naming import called
from botrunner.voice.playback import Speech
from dashboard.services.speech import Heard as Words
from trainerbot.errors import TrainerBotError
from trainerbot.speech import Pcm

# Who was just answered, or called the bot, need not call it again for so long.
FOLLOW_UP_S: Final = 10.0

Hearing = asyncio.Task[Words | TrainerBotError]


@dataclass(eq=False, slots=True)
class Draft:
    """What was said until a pause, which may not be all. ended_at: when the pause began."""

    sound: Pcm
    words: Hearing
    ended_at: float
    is_taken: bool = False  # it was all, as its words told

    @property
    def is_hum(self) -> bool:
        """Whether it is known to be no question: there are no words in it, or only "mm-hm"."""
        found = self.words.result()
        return not isinstance(found, Words) or is_listening(found.text)


@dataclass(eq=False, slots=True)
class Speaker:
    """What is known of one person in the call.

    follows: whether what they say now needs no name. over_bot: whether they
    began while the bot spoke. open_until: until when it will need none.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    follows: bool = False
    over_bot: bool = False
    manners: asyncio.Task[Manners] | None = None  # as they were when they began to speak
    draft: Draft | None = None
    # What was heard so far of a speech that grew too long for one piece.
    pieces: list[Hearing] = field(default_factory=list)
    under_way: set[Hearing] = field(default_factory=set)
    n_answering: int = 0
    open_until: float = 0.0
    was_asked: bool = False  # the last answer to them ended in a question
    # What is being said to them, and its record; nothing once that is written.
    last: tuple[Speech, asyncio.Task[None]] | None = None
    speech: int = 0  # counts what they said
    shown_bytes: int = 0  # of the sound whose words are shown before they are final

    def asks(self, text: str, manners: Manners, *, follows: bool, n_present: int) -> str:
        """Return what `text` asks the bot; "" if it was not said to it, or only called it."""
        found = called(text, manners.names)
        if found is not None:
            if not found.text:
                self.open_until = time.monotonic() + FOLLOW_UP_S
            return found.text
        return text if manners.is_meant(text, follows=follows, n_present=n_present) else ""

    def is_to_bot(self, text: str, *, n_present: int) -> bool:
        """Whether they say `text`, and what they said before it, to the bot, as far as is known yet."""
        manners = Manners(names=())
        if self.manners is not None and self.manners.done() and not self.manners.cancelled():
            manners = manners if self.manners.exception() else self.manners.result()
        said = " ".join([*self.said_before(), text])
        return manners.is_meant(said, follows=self.follows, n_present=n_present)

    def said_before(self) -> list[str]:
        """The words of the pieces before the one that they are saying now, as far as known."""
        known = [piece for piece in self.pieces if piece.done() and not piece.cancelled()]
        results = [piece.result() for piece in known if piece.exception() is None]
        return [words.text for words in results if isinstance(words, Words)]

    def fall_silent(self) -> None:
        """Forget what they were saying. What was all of a sentence by its words is kept."""
        if self.draft is not None and not self.draft.is_taken:
            self.draft.words.cancel()
        for piece in self.pieces:
            piece.cancel()
        self.draft, self.manners = None, None
        self.pieces = []
        self.speech += 1
