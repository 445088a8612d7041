"""Does somebody sound content or not? English and Russian, without a model."""

from trainerbot.curation.sentiment.reading import Tone, tone

__all__ = ["Tone", "tone"]
