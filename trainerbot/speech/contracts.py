"""What sound, and those who hear it and make it, are to the rest of the project."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

from trainerbot.errors import InvalidInput, ProviderRefused, ProviderUnavailable

HEARD_RATE_HZ: Final = 16_000  # what recognisers and voice activity expect
SAMPLE_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Pcm:
    """Sound as samples: mono, signed 16 bits, little-endian, `rate_hz` a second."""

    data: bytes
    rate_hz: int = HEARD_RATE_HZ

    @property
    def duration_s(self) -> float:
        return len(self.data) / (SAMPLE_BYTES * self.rate_hz)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of what was heard, from `start_s` to `end_s` of the sound."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard; `text` is never blank. `language` is a BCP 47 tag as far as known.

    `segments` are in order, and none where the provider does not tell times.
    """

    text: str
    language: str
    provider: str
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a provider can be used now. `problem` says in words why not; "" if it can.

    `languages` are primary tags ("en"); empty where it takes any.
    """

    name: str
    hears: bool
    speaks: bool
    problem: str = ""
    languages: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    is_offline: bool = True


class UnreadableAudio(InvalidInput):
    """These bytes hold no sound that can be read, or more of it than may be."""


class NothingHeard(ProviderRefused):
    """There is sound, but no words were made out in it."""

    def __init__(self) -> None:
        super().__init__(
            "No words could be made out. Speak closer to the microphone, or write instead.",
            code="nothing_heard",
        )


class SpeechAbsent(ProviderUnavailable):
    """Nobody here can hear or speak as asked; the sentence says what to install or set."""

    retryable = False


class LanguageUnknown(ProviderRefused):
    """This provider neither hears nor speaks the language. Another may."""

    def __init__(self, provider: str, tag: str) -> None:
        super().__init__(
            f"The speech provider {provider} does not know the language {tag}. Choose another "
            "provider or language.",
            code="language_not_supported",
        )


class Recognizer(Protocol):
    """Makes words of sound. Blocks while it does: call it from a process or thread of its own."""

    name: str

    def standing(self) -> Standing:
        """Say whether it can be used now. Loads nothing and asks nobody on a network."""
        ...

    def recognize(self, sound: Pcm, *, language: str) -> Transcript:
        """Return the words in `sound`; `language` is a BCP 47 tag such as ru-RU.

        Raises NothingHeard where there are none, ProviderUnavailable when the
        service fails, ProviderRefused for a language that it does not know.
        A failure is never given as a transcript's text.
        """
        ...


class Synthesizer(Protocol):
    """Makes sound of words. Blocks while it does: call it from a process or thread of its own."""

    name: str

    def standing(self) -> Standing:
        """Say whether it can be used now. Loads nothing and asks nobody on a network."""
        ...

    def synthesize(self, text: str, *, language: str, voice: str = "", speed: float = 1.0) -> Pcm:
        """Return `text` as sound; `voice` is one of the standing's, or "" for its own choice.

        Raises ProviderUnavailable, or ProviderRefused for a language, voice or
        text that it cannot speak.
        """
        ...


def speaks(languages: Collection[str], tag: str) -> bool:
    """Whether a provider of these primary `languages` knows the language of a BCP 47 `tag`."""
    return not languages or tag.partition("-")[0].lower() in languages
