"""What people said, as far as it came in a sound attached to a message."""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.models import DiscordUser, Message, Utterance
from dashboard.services import storage


@dataclass(frozen=True, slots=True)
class Sound:
    """What became of a sound: the words made out in it, or why there are none.

    problem: in words, as the asker reads them. duration_s: of the whole sound.
    stages_ms: from its arrival on, as `Utterance` keeps them.
    """

    text: str = ""
    language: str = ""
    provider: str = ""
    problem: str = ""
    duration_s: float = 0.0
    stages_ms: dict[str, int] = field(default_factory=dict)


def log_sound(*, question: Message, person: DiscordUser | None, sound: Sound) -> Utterance:
    """Store what was heard beside the question that it became; in the Playground without a person."""
    return Utterance.objects.create(
        discord_user=person,
        message=question,
        text=storage.storable(sound.text),
        language=sound.language[:35],
        provider=sound.provider[:50],
        problem=storage.storable(sound.problem),
        duration_ms=round(sound.duration_s * 1000),
        stages_ms=sound.stages_ms,
    )


def note_spoken(*, question_id: int, text: str) -> None:
    """Remember that the answer to a question was also spoken."""
    Utterance.objects.filter(message=question_id).update(spoken=storage.storable(text))


def prune() -> int:
    """Forget what was spoken into a page once its question is gone; how many that were.

    Nobody on Discord said it, so nobody's erasure would take it along.
    """
    lost = Utterance.objects.filter(message=None, call=None, discord_user=None)
    return lost.delete()[0]


def heard_in(question_id: int | None) -> str:
    """What was made out in the sound attached to a question, or "" as for one in a call."""
    heard = Utterance.objects.filter(message=question_id, message__isnull=False, call=None)
    return heard.values_list("text", flat=True).first() or ""
