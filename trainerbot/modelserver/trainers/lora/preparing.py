"""A job's files as datasets of tokens, made once and read again by a job that goes on."""

import os
import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from datasets import Dataset, Features, List, Value, concatenate_datasets
from datasets.arrow_writer import ArrowWriter

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.trainers.lora.rendering import Pair, Rehearsed, Renderer, Sample
from trainerbot.modelserver.trainers.lora.rows import ChatRow, PairRow, read_rows
from trainerbot.modelserver.trainers.methods import METHODS, Size
from trainerbot.modelserver.trainers.task import Task, Told

# `extra_rows(n_rows)` returns so many rows, or fewer.
ExtraRows = Callable[[int], Sequence[Rehearsed]]
_PLAN = "plan.json"


_IDS = List(Value("int32"))
_SAMPLES = Features({"input_ids": _IDS, "labels": _IDS, "n_tokens": Value("int64")})
_REHEARSED = Features(
    {**_SAMPLES, "likely_ids": List(_IDS), "likely_logs": List(List(Value("float32")))}
)
_PAIRS = Features(
    {"prompt_ids": _IDS, "chosen_ids": _IDS, "rejected_ids": _IDS, "n_tokens": Value("int64")}
)


class NothingToLearn(InvalidInput):
    """No row of a file has a token to learn; `param` names the file."""

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message)
        self.param = param


class Prepared(msgspec.Struct, frozen=True):
    """What will be trained on what. `n_tokens` are those of one pass.

    Behind the `n_train` training rows lie `n_pool` rows to rehearse; a pass
    takes `n_extra` of them. The longest row or pair has `longest_tokens`.
    """

    hyperparameters: dict[str, Any]
    n_train: int
    n_valid: int
    n_extra: int
    n_pool: int
    n_tokens: int
    longest_tokens: int
    told: list[Told]


class _Counted(msgspec.Struct):
    n_unreadable: int = 0
    n_truncated: int = 0
    n_tokens: int = 0


def prepare(
    task: Task,
    *,
    folder: Path,
    size: Size,
    renderer_of: Callable[[int], Renderer],
    extra_rows: ExtraRows,
) -> Prepared:
    """Write the datasets into `folder` and return the plan; the same one when called again.

    The number of examples in `size` is counted here. Raises NothingToLearn.
    """
    plan = folder / _PLAN
    if plan.exists():
        return msgspec.json.decode(plan.read_bytes(), type=Prepared)
    # A killed process may have left half of it.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    method = METHODS[task.method]
    n_tokens = method.chosen(task.hyperparameters, size)["max_tokens_per_example"]
    renderer = renderer_of(n_tokens)
    columns = _PAIRS if method.rows == "preference" else _SAMPLES
    told: list[Told] = []
    counted = _Counted()
    rows = _written(
        folder / "rows.arrow",
        _rendered(read_rows(task.training_path, method.rows), renderer, counted),
        columns,
    )
    chosen = method.chosen(task.hyperparameters, replace(size, n_examples=len(rows)))
    told += _notes(counted, "training file", "training")
    if len(rows) == 0:
        raise NothingToLearn(_nothing("training"), param="training_file")
    if task.validation_path is not None:
        of_valid = _Counted()
        valid = _written(
            folder / "valid.arrow",
            _rendered(read_rows(task.validation_path, method.rows), renderer, of_valid),
            columns,
        )
        told += _notes(of_valid, "validation file", "validation")
        if len(valid) == 0:
            raise NothingToLearn(_nothing("validation"), param="validation_file")
        train = rows
    else:
        order = list(range(len(rows)))
        random.Random(task.seed).shuffle(order)
        # At least one row is left to learn from.
        n_valid = min(round(len(rows) * chosen["valid_fraction"]), len(rows) - 1)
        valid, train = rows.select(sorted(order[:n_valid])), rows.select(sorted(order[n_valid:]))
    n_train, n_extra, n_pool = len(train), 0, 0
    n_tokens = sum(train["n_tokens"])
    if ratio := chosen.get("rehearsal_ratio", 0):
        n_extra = max(1, round(n_train * ratio))
        pool = _written(
            folder / "extra.arrow", extra_rows(n_extra * chosen["n_epochs"]), _REHEARSED
        )
        n_pool = len(pool)
        n_extra = min(n_extra, n_pool)
        n_tokens += round(sum(pool["n_tokens"]) / max(n_pool, 1) * n_extra)
        train = concatenate_datasets([train, pool]) if n_pool else train
    longest_tokens = max(max(part["n_tokens"], default=0) for part in (train, valid))
    chosen["batch_size"] = min(chosen["batch_size"], n_train + n_extra)
    train.remove_columns("n_tokens").save_to_disk(folder / "train")
    if len(valid):
        valid.remove_columns("n_tokens").save_to_disk(folder / "valid")
    told.append(_summary(n_train, len(valid), n_extra, n_tokens))
    prepared = Prepared(
        chosen, n_train, len(valid), n_extra, n_pool, n_tokens, longest_tokens, told
    )
    draft = plan.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(prepared))
    os.replace(draft, plan)
    return prepared


def load(folder: Path) -> tuple[Dataset, Dataset | None]:
    """Return what `prepare` wrote: the training and the validation rows, read as they are needed."""
    valid = folder / "valid"
    return (
        Dataset.load_from_disk(folder / "train"),
        Dataset.load_from_disk(valid) if valid.exists() else None,
    )


def _rendered(
    rows: Iterable[ChatRow | PairRow | None], renderer: Renderer, counted: _Counted
) -> Iterator[Sample | Pair]:
    for row in rows:
        match row:
            case ChatRow():
                rendered: Sample | Pair | None = renderer.sample(row)
            case PairRow():
                rendered = renderer.pair(row)
            case None:
                rendered = None
        if rendered is None:
            counted.n_unreadable += 1
            continue
        counted.n_truncated += rendered.truncated
        yield rendered


def _written(path: Path, rows: Iterable[Sample | Pair], features: Features) -> Dataset:
    """Return the rows as a dataset that lies in `path` and not in memory."""
    with ArrowWriter(path=str(path), features=features) as writer:
        for row in rows:
            writer.write({name: getattr(row, name) for name in features})
        n_rows, _ = writer.finalize()
    if n_rows:
        return Dataset.from_file(str(path))
    return Dataset.from_dict({name: [] for name in features}, features=features)


def _notes(counted: _Counted, name: str, key: str) -> Iterator[Told]:
    if counted.n_unreadable:
        yield Told(
            f"left-out:{key}",
            f"{counted.n_unreadable} rows of the {name} are left out: this model's chat template "
            "cannot show them, or they have no token to learn",
            level="warn",
        )
    if counted.n_truncated:
        yield Told(
            f"truncated:{key}",
            f"{counted.n_truncated} rows of the {name} are longer than max_tokens_per_example "
            "and were truncated from the end",
            level="warn",
        )


def _nothing(kind: str) -> str:
    return (
        f"The job failed due to an invalid {kind} file. No row has a token to learn: each needs "
        "an answer of the assistant with a weight other than 0, in text that this model's chat "
        "template can show."
    )


def _summary(n_train: int, n_valid: int, n_extra: int, n_tokens: int) -> Told:
    message = f"Training on {n_train} examples"
    if n_extra:
        message += f" and {n_extra} rehearsal rows"
    message += f" ({n_tokens} tokens a pass)"
    if n_valid:
        message += f", measuring on {n_valid} held-out examples"
    return Told("plan", message)
