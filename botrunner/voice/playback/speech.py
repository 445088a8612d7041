"""One thing said aloud: made sentence by sentence while it is played, and how much was heard."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from botrunner.faults import explain
from botrunner.voice.playback.frames import FRAME_BYTES, TAIL_FRAMES, prepared
from trainerbot.speech import Pcm
from trainerbot.speech.sentences import Sentences
from trainerbot.speech.speakable import speakable

log = logging.getLogger(__name__)

Synthesize = Callable[[str, str, int, float], Awaitable[Pcm]]
"""Makes sound of a sentence in a language (BCP 47).

For whoever asked (Discord's id; 0: nobody), and when they did (time.time()).
"""

MOST_CHARACTERS: Final = 1_500  # of one answer: two minutes; the rest is there to read
# Sentences that are made and not yet played: enough that no pause is heard,
# and little is lost when somebody interrupts.
AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of a speech was played.

    text: the words that were, as they were spoken. is_whole: whether that is
    all there was to say. was_cut: whether somebody interrupted it. problem:
    why the rest was never made, in words.
    """

    text: str = ""
    n_sentences: int = 0
    n_words: int = 0
    is_whole: bool = True
    was_cut: bool = False
    problem: str = ""


@dataclass(eq=False, slots=True)
class Sentence:
    """Words with their sound, which is forgotten once it was played.

    The player's thread counts `n_played`.
    """

    text: str
    sound: bytes
    n_played: int = 0
    n_frames: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_frames = len(self.sound) // FRAME_BYTES

    @property
    def is_over(self) -> bool:
        return self.n_played >= self.n_frames

    def heard(self) -> str:
        """The words that were played to their end, as far as their lengths tell.

        Words take about as long to say as to write; the silence at the end
        belongs to none of them.
        """
        n_spoken = max(1, self.n_frames - TAIL_FRAMES)
        if self.n_played >= n_spoken:
            return self.text
        n_characters = len(self.text) * self.n_played / n_spoken
        ends = [end for end in _word_ends(self.text) if end <= n_characters]
        return self.text[: ends[-1]] if ends else ""


def _word_ends(text: str) -> list[int]:
    return [
        end
        for end in range(1, len(text) + 1)
        if not text[end - 1].isspace() and (end == len(text) or text[end].isspace())
    ]


class Speech:
    """What is being said to one person. `Player.begin` makes it.

    Feed it with the pieces of a text as they come, then say that it ends:
    whole sentences are cleaned for the ear, made into sound one after the
    other, at most AHEAD of what is played, and never more than
    MOST_CHARACTERS of them.
    """

    def __init__(
        self,
        *,
        asker_id: int,
        language: str,
        synthesize: Synthesize,
        on_news: Callable[[Speech], None],
    ) -> None:
        self.asker_id = asker_id
        self.language = language
        self.asked_at = time.time()
        # The player's thread reads these two while the loop appends.
        self.sentences: list[Sentence] = []
        self.number = 0  # of the sentence that is played, or is next
        self.is_made = False  # no further sentence comes
        self.is_shortened = False
        self.first_sound_at: float | None = None  # time.monotonic
        self.problem = ""
        self._synthesize = synthesize
        self._on_news = on_news
        self._cutter = Sentences()
        self._n_characters = 0
        self._has_ended = False
        self._todo: asyncio.Queue[str | None] = asyncio.Queue()
        self._played = asyncio.Event()
        self._over: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
        self._maker = asyncio.create_task(self._make(), name="speech")

    # --- what is to be said ---------------------------------------------------------
    def feed(self, piece: str) -> None:
        """Say the next piece of the text, once it is part of a whole sentence. Never blocks."""
        for sentence in self._cutter.feed(piece):
            self._add(sentence)

    def end(self) -> None:
        """Say that nothing more comes. Once is enough, twice does no harm."""
        if not self._has_ended:
            self._has_ended = True
            self._add(self._cutter.rest())
            self._todo.put_nowait(None)

    def _add(self, sentence: str) -> None:
        if self.is_shortened:
            return
        room = MOST_CHARACTERS - self._n_characters
        if len(text := speakable(sentence)) > room:
            self.is_shortened = True
            if self._n_characters:  # better a sentence less than half of one
                return
            text = speakable(sentence, most_characters=room)
        self._n_characters += len(text)
        if text:
            self._todo.put_nowait(text)

    async def _make(self) -> None:
        try:
            while (text := await self._todo.get()) is not None:
                while self._n_ahead() >= AHEAD:
                    self._played.clear()
                    await self._played.wait()
                sound = await self._synthesize(text, self.language, self.asker_id, self.asked_at)
                frames = await asyncio.to_thread(prepared, sound)
                if frames:
                    self.sentences.append(Sentence(text, frames))
                    self._on_news(self)
        except Exception as error:
            self.problem = (await explain(error, "Speaking an answer")).sentence
        finally:
            self.is_made = True
            self._on_news(self)

    def _n_ahead(self) -> int:
        return len(self.sentences) - self.number

    # --- what was said --------------------------------------------------------------
    @property
    def is_ready(self) -> bool:
        """Whether there is something to play, or to be done with."""
        return self.is_made or self.number < len(self.sentences)

    @property
    def is_played(self) -> bool:
        """Whether there is nothing more of it to play, and never will be."""
        return self.is_made and all(each.is_over for each in self.sentences[self.number :])

    @property
    def is_over(self) -> bool:
        return self._over.done()

    @property
    def was_cut(self) -> bool:
        """Whether somebody interrupted it."""
        return self._over.done() and self._over.result().was_cut

    def next_frame(self) -> bytes | None:
        """Return what is played next; None where nothing is ready. For the player's thread."""
        while self.number < len(self.sentences):
            sentence = self.sentences[self.number]
            if not sentence.is_over:
                start = sentence.n_played * FRAME_BYTES
                sentence.n_played += 1
                return sentence.sound[start : start + FRAME_BYTES]
            self.number += 1
        return None

    def rewind(self, n_frames: int) -> None:
        """Let what was played last be played again."""
        if self.number < len(self.sentences):
            sentence = self.sentences[self.number]
            sentence.n_played = max(0, sentence.n_played - n_frames)

    def note_played(self) -> None:
        """Say that a sentence was played, so that there is room for another."""
        for sentence in self.sentences[: self.number]:
            sentence.sound = b""  # two minutes of it are 23 MB
        self._played.set()

    def heard(self) -> Heard:
        """How much of it was played until now."""
        said = [words for each in self.sentences if (words := each.heard())]
        n_whole = sum(each.heard() == each.text for each in self.sentences)
        text = " ".join(said)
        is_whole = (
            self.is_made
            and n_whole == len(self.sentences)
            and not (self.problem or self.is_shortened)
        )
        return Heard(text, n_whole, len(text.split()), is_whole, problem=self.problem)

    def finish(self, *, was_cut: bool = False) -> Heard:
        """Say that no more of it is played, and return how much was."""
        heard = replace(self.heard(), was_cut=was_cut)
        if not self._over.done():
            self._over.set_result(heard)
        self._maker.cancel()
        return self._over.result()

    async def over(self) -> Heard:
        """Wait until it was played to its end, or was cut off."""
        return await asyncio.shield(self._over)
