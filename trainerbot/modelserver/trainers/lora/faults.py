"""What ends a training, in words."""

import errno

import torch

from trainerbot.errors import StorageFull, TrainerBotError
from trainerbot.modelserver.trainers.lora.preparing import NothingToLearn
from trainerbot.modelserver.trainers.task import Refused

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Writers in Rust and C++ tell the system's error in their own words.
_FULL_WORDS = (
    "No space left",
    "StorageFull",
    "os error 28",
    "File too large",
    "PytorchStreamWriter",
)
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory")


class Diverged(TrainerBotError):
    """The loss is no number any more."""

    def __init__(self, step: int) -> None:
        super().__init__(
            f"The training loss was no longer a number at step {step}. Choose a smaller "
            "learning_rate_multiplier and start the job again."
        )


def refusal(error: BaseException) -> Refused | None:
    """Return why the job cannot be done, or None for a failure that is ours."""
    text = str(error)
    if isinstance(error, NothingToLearn):
        return Refused("invalid_training_file", text, error.param)
    if isinstance(error, Diverged):
        return Refused("training_diverged", text)
    if isinstance(error, StorageFull):
        return Refused("insufficient_storage", text)
    if isinstance(error, TrainerBotError):
        return Refused("model_not_trainable", text)
    if _is_full(error, text):
        return Refused(
            "insufficient_storage",
            "The disk of the model server is full. Free some space and start the job again.",
        )
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        words in text for words in _MEMORY_WORDS
    ):
        return Refused(
            "out_of_memory",
            "The training needs more memory than this machine has. Choose a smaller batch_size, "
            "max_tokens_per_example or lora_rank, or a smaller base model.",
        )
    return None


def _is_full(error: BaseException, text: str) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(words in text for words in _FULL_WORDS)
