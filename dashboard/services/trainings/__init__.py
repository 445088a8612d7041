"""Training on what people taught: picked, checked, learned, tested, told."""

from dashboard.services.trainings.lives import LivesIn, known_revisions, models_of

__all__ = ["LivesIn", "known_revisions", "models_of"]
