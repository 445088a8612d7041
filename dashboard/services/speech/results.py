"""What hearing and speaking come to, and how they fail, in words for people."""

from dataclasses import dataclass

from trainerbot.errors import InvalidInput, TrainerBotError
from trainerbot.speech import Pcm


class CannotHear(TrainerBotError):
    """Nobody who hears could be reached, or knows the language."""

    retryable = True


class CannotSpeak(TrainerBotError):
    """Nobody who speaks could be reached, or knows the language."""

    retryable = True


class NothingToSay(InvalidInput):
    """A text of which nothing can be spoken, such as emoji, links or code only."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was made out. `text` is never blank.

    provider: who made it out. duration_s: of the whole sound.
    """

    text: str
    language: str
    provider: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text as sound. is_cached: it was spoken before, and nobody was asked again."""

    sound: Pcm
    provider: str
    voice: str
    is_cached: bool = False
