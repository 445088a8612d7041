"""Which methods can tune which base model on this machine."""

from trainerbot.modelserver.bases import BaseModel
from trainerbot.modelserver.trainers.methods import METHODS, available_methods, default_method


def methods_for(base: BaseModel) -> list[str]:
    """Return the names of the methods that can tune `base` here, the quickest one first."""
    return [
        name for name in available_methods() if base.trainable or not METHODS[name].changes_weights
    ]


def default_method_for(base: BaseModel) -> str:
    """Return what a job that names no method is trained by."""
    name = default_method()
    return name if name in methods_for(base) else methods_for(base)[0]
