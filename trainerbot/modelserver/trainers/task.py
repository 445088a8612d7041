"""What the server and the trainer's process tell each other."""

from typing import Any

import msgspec

# The file that a model of method knn is: its examples.
TUNED = "tuned.jsonl"


class Task(msgspec.Struct, frozen=True):
    """One job, as the trainer needs it. Paths are absolute; `work` is an empty folder.

    `done_steps` were measured before the server was killed: their metrics are
    stored and are not measured again.
    """

    training_path: str
    validation_path: str | None
    work: str
    hyperparameters: dict[str, Any]
    seed: int
    done_steps: int


class Plan(msgspec.Struct, frozen=True, tag="plan"):
    """What will be trained on what. `n_left_out` rows had no question and answer in text."""

    hyperparameters: dict[str, Any]
    n_train: int
    n_valid: int
    n_left_out: int


class Step(msgspec.Struct, frozen=True, tag="step"):
    """What was measured after one step. The valid_ values are None without held-out examples."""

    step: int
    total_steps: int
    train_loss: float
    train_mean_token_accuracy: float
    valid_loss: float | None
    valid_mean_token_accuracy: float | None


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The job cannot be done; the sentence says why, `param` which file is at fault."""

    code: str
    message: str
    param: str | None = None


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The work folder holds tuned.jsonl, and held_in.jsonl with questions.jsonl to evaluate."""


Report = Plan | Step | Refused | Done


class Example(msgspec.Struct, frozen=True):
    """One question with its answer, and the line it stood on."""

    line: int
    question: str
    answer: str


def read_examples(path: str) -> list[Example]:
    """Return the examples of one of our own files: an Example a line."""
    with open(path, "rb") as file:
        decode = msgspec.json.Decoder(Example).decode
        return [decode(line) for line in file]


def write_examples(path: str, examples: list[Example]) -> None:
    """Write one of our own files."""
    with open(path, "wb") as file:
        for example in examples:
            file.write(msgspec.json.encode(example) + b"\n")
