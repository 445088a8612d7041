"""What the server asks a speech process, and what that answers: a line of JSON, then bytes."""

from collections.abc import Mapping
from typing import Final

import msgspec

from trainerbot.errors import InvalidInput, ProviderRefused, ProviderUnavailable, TrainerBotError
from trainerbot.speech import NothingHeard, Segment, SpeechAbsent, Standing, UnreadableAudio


class Hear(msgspec.Struct, tag="hear"):
    """Make words of the audio file in the `n_bytes` that follow; at most `most_s` of sound."""

    language: str
    most_s: float
    n_bytes: int


class Say(msgspec.Struct, tag="say"):
    """Make sound of `text`, as a file of `format`."""

    text: str
    language: str
    voice: str
    speed: float
    format: str


class Heard(msgspec.Struct, tag="heard"):
    """The words, and how long the sound was."""

    text: str
    language: str
    provider: str
    segments: tuple[Segment, ...]
    duration_s: float


class Sound(msgspec.Struct, tag="sound"):
    """Some more of the file, in the `n_bytes` that follow; the last has `is_last`."""

    n_bytes: int
    is_last: bool


class Fault(msgspec.Struct, tag="fault"):
    """Why there is no more: an error's class, sentence and code."""

    kind: str
    message: str
    code: str | None = None


Request = Hear | Say
Reply = Heard | Sound | Fault


class Standings(msgspec.Struct):
    """How every provider stands."""

    data: list[Standing]


_ERRORS: Final[Mapping[str, type[TrainerBotError]]] = {
    "InvalidInput": InvalidInput,
    "UnreadableAudio": UnreadableAudio,
    "SpeechAbsent": SpeechAbsent,
    "ProviderUnavailable": ProviderUnavailable,
}


def fault_of(error: TrainerBotError) -> Fault:
    """Return what tells of `error`, as well as another process can."""
    return Fault(type(error).__name__, str(error), getattr(error, "code", None))


def error_of(fault: Fault) -> TrainerBotError:
    """Return the error that a fault tells of."""
    if fault.kind == "NothingHeard":
        return NothingHeard()
    if fault.kind in _ERRORS:
        return _ERRORS[fault.kind](fault.message)
    return ProviderRefused(fault.message, code=fault.code)
