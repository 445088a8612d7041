"""What the server and the trainer's process tell each other."""

from typing import Any

import msgspec

from trainerbot.modelserver.bases import BaseModel


class Task(msgspec.Struct, frozen=True):
    """One job, as the trainer needs it. Paths are absolute; `work` is the job's own folder.

    `done_steps` were told before the server was killed or the job paused, and
    `done_checkpoints` were stored: they are not told again. Models read from
    other formats are kept under `cache`. Training takes `n_processes` at a
    time, or one for each GPU where that is 0.
    """

    method: str
    training_path: str
    validation_path: str | None
    work: str
    hyperparameters: dict[str, Any]
    seed: int
    done_steps: int
    base: BaseModel | None = None
    done_checkpoints: list[int] = []
    cache: str = ""
    n_processes: int = 0


class Plan(msgspec.Struct, frozen=True, tag="plan"):
    """The hyperparameters, with a number for every "auto"."""

    hyperparameters: dict[str, Any]


class Told(msgspec.Struct, frozen=True, tag="told"):
    """Something for a person to read, the same whenever it is told: `key` names what it is.

    `figures` belong beside what the last step measured.
    """

    key: str
    message: str
    level: str = "info"
    figures: dict[str, int] | None = None


class Step(msgspec.Struct, frozen=True, tag="step", omit_defaults=True):
    """What was measured after one step. The valid_ values are None when nothing was held out.

    Rewards are what DPO is about: how much more the model now favours the
    preferred answer than the untouched model does, and how often it does.
    """

    step: int
    total_steps: int
    train_loss: float
    train_mean_token_accuracy: float
    valid_loss: float | None
    valid_mean_token_accuracy: float | None
    reward_margin: float | None = None
    reward_accuracy: float | None = None
    valid_reward_margin: float | None = None
    valid_reward_accuracy: float | None = None


class Estimate(msgspec.Struct, frozen=True, tag="estimate"):
    """When the job will be done, in Unix time."""

    finish: int


class Saved(msgspec.Struct, frozen=True, tag="saved"):
    """A model lies in `folder`, to be stored as a checkpoint and removed. `metrics` are its step's."""

    folder: str
    metrics: Step


class Paused(msgspec.Struct, frozen=True, tag="paused"):
    """The job was paused and can go on where it stopped."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The job cannot be done; the sentence says why, `param` which file is at fault."""

    code: str
    message: str
    param: str | None = None


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The work is done.

    Of method knn, the work folder holds tuned.jsonl, and held_in.jsonl with
    questions.jsonl to evaluate; of the others, `folder` holds the adapter.
    """

    folder: str | None = None
    trained_tokens: int | None = None
    result: dict[str, Any] | None = None


Report = Plan | Told | Step | Estimate | Saved | Paused | Refused | Done

# Made in the work folder by the server, seen by the trainer after its next step.
PAUSE = "pause"

# How the trainer ends when one of several processes died without a word.
WORKER_DIED = 75
