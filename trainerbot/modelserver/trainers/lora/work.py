"""One job of method supervised or dpo, from its files to its adapter, in this process."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before transformers is imported: nothing is looked up, sent or downloaded.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import datasets
import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from peft import load_peft_weights, set_peft_model_state_dict
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.conversion.lora_to_gguf import CONVERTIBLE, convert
from trainerbot.modelserver.trainers.line import Reports
from trainerbot.modelserver.trainers.lora import rehearsal
from trainerbot.modelserver.trainers.lora.faults import refusal
from trainerbot.modelserver.trainers.lora.keeping import Keeper
from trainerbot.modelserver.trainers.lora.preparing import Prepared, load, prepare
from trainerbot.modelserver.trainers.lora.progress import Progress, measured_up_to
from trainerbot.modelserver.trainers.lora.rendering import Rehearsed, Renderer
from trainerbot.modelserver.trainers.lora.results import figures, in_words
from trainerbot.modelserver.trainers.lora.trainers import make_trainer
from trainerbot.modelserver.trainers.methods import Size
from trainerbot.modelserver.trainers.task import (
    Done,
    Paused,
    Plan,
    Refused,
    Report,
    Saved,
    Task,
    Told,
)

_DONE = "done.json"
# Above, only a GPU answers so many questions in a minute.
_MANY_PARAMETERS = 10**9
_INTERNAL = Refused(
    "server_error", "The job failed due to an internal error. Please try again later."
)


def work(task: Task) -> None:
    """Do the task, and tell how it went, whatever goes wrong."""
    # The first of several processes speaks for all.
    reports = Reports() if int(os.environ.get("RANK", "0")) == 0 else None
    tell = reports.tell if reports is not None else _say_nothing
    try:
        with disk_full_in_words():
            train(task, tell)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        tell(refusal(error) or _INTERNAL)
        # The others may wait for this process in a step that will not come.
        sys.stderr.flush()
        os._exit(0)


def train(task: Task, tell: Callable[[Report], None]) -> None:
    """Do the task, from wherever it stands, and tell how it goes.

    Raises what `faults.refusal` has words for, and more.
    """
    assert task.base is not None
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    folder = Path(task.work)
    keeper = Keeper(folder, base_id=task.base.id)
    if (done := keeper.remembered(_DONE)) is not None:
        if int(os.environ.get("RANK", "0")) == 0:
            _retell(task, keeper, done, tell)
        return
    processes = PartialState(cpu=not torch.cuda.is_available())
    with processes.main_process_first():
        source = task.base.trainable_path(Path(task.cache))
        model, tokenizer = _loaded(source)
        prepared = _prepared(task, model, tokenizer, tell)
    tell(Plan(prepared.hyperparameters))
    for told in prepared.told:
        tell(told)

    n_processes = processes.num_processes
    train, valid = load(folder / "rows")
    trainer, steps_per_epoch = make_trainer(
        task,
        prepared.hyperparameters,
        model=model,
        tokenizer=tokenizer,
        train=train,
        valid=valid,
        state=keeper.state,
        n_processes=n_processes,
        n_own=prepared.n_train,
        n_extra=prepared.n_extra,
        longest_tokens=prepared.longest_tokens,
    )
    progress = Progress(
        keeper,
        work=folder,
        steps_per_epoch=steps_per_epoch,
        measures_valid=valid is not None,
        patience=prepared.hyperparameters["early_stopping_patience"],
        tell=tell,
        agree=_agree if n_processes > 1 else int,
        main=processes.is_main_process,
        done_steps=task.done_steps,
        done_checkpoints=task.done_checkpoints,
        finish_model=lambda adapter: _add_gguf(adapter, source),
    )
    trainer.add_callback(progress)
    checkpoint = keeper.newest() if processes.is_main_process else None
    if n_processes > 1:
        checkpoint = broadcast_object_list([checkpoint])[0]
    if checkpoint is not None:
        progress.go_on_from(checkpoint)
    if not progress.patience_over:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if progress.paused:
        tell(Paused())
        return
    if processes.is_main_process:
        _finish(task, prepared, keeper, progress, trainer, tokenizer, valid, source, tell)
    processes.wait_for_everyone()


def _retell(
    task: Task, keeper: Keeper, done: dict[str, Any], tell: Callable[[Report], None]
) -> None:
    """Tell the end of a job whose server died before it had heard all of it."""
    assert task.base is not None
    tell(Plan(done.pop("hyperparameters")))
    newest = keeper.newest()
    assert newest is not None
    steps = measured_up_to(newest)
    for step in steps:
        if step.step > task.done_steps:
            tell(step)
    source = task.base.trainable_path(Path(task.cache))
    unstored = keeper.unstored() - set(task.done_checkpoints)
    for step in steps:
        if step.step in unstored:
            folder = keeper.models / str(step.step)
            _add_gguf(folder, source)
            tell(Saved(str(folder), step))
    _tell_end(Done(**done), tell)


def _finish(
    task: Task,
    prepared: Prepared,
    keeper: Keeper,
    progress: Progress,
    trainer: Any,
    tokenizer: Any,
    valid: Any,
    source: Path,
    tell: Callable[[Report], None],
) -> None:
    last = progress.steps[-1].step
    chosen = keeper.checkpoint(last)
    if prepared.hyperparameters["early_stopping_patience"] and progress.best is not None:
        chosen = keeper.best(progress.best.step)
    adapter = keeper.model(chosen, "final")
    _add_gguf(adapter, source)
    n_epochs = last / (progress.steps[-1].total_steps / prepared.hyperparameters["n_epochs"])
    result = _measured(trainer, tokenizer, adapter, valid if task.method == "supervised" else None)
    done = Done(str(adapter), round(prepared.n_tokens * n_epochs), result)
    keeper.remember(
        _DONE,
        {
            "hyperparameters": prepared.hyperparameters,
            "folder": done.folder,
            "trained_tokens": done.trained_tokens,
            "result": done.result,
        },
    )
    _tell_end(done, tell)


def _tell_end(done: Done, tell: Callable[[Report], None]) -> None:
    if done.result:
        tell(Told("measured", in_words(done.result), figures=figures(done.result)))
    tell(done)


def _loaded(source: Path) -> tuple[Any, Any]:
    """Return model and tokenizer. Only safetensors are read, and no program of the model's own."""
    dtype = torch.float32
    if torch.cuda.is_available() and torch.cuda.is_bf16_supported():
        dtype = torch.bfloat16
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            source, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(
            "The base model cannot be trained here: its weights or its tokenizer are of a kind "
            "that transformers does not read."
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def _prepared(task: Task, model: Any, tokenizer: Any, tell: Callable[[Report], None]) -> Prepared:
    assert task.base is not None
    end_ids = _end_ids(model, tokenizer)

    def rehearsed(n_rows: int) -> list[Rehearsed]:
        tell(Told("rehearsal", "The untouched model answers general questions, to rehearse them"))
        model.to(PartialState().device)
        return rehearsal.extra_rows(model, tokenizer, n_rows, end_ids=end_ids, seed=task.seed)

    return prepare(
        task,
        folder=Path(task.work) / "rows",
        size=Size(0, model.num_parameters(), task.base.context_tokens),
        renderer_of=lambda n: Renderer(tokenizer, end_ids=end_ids, max_tokens=n),
        extra_rows=rehearsed,
    )


def _end_ids(model: Any, tokenizer: Any) -> list[int]:
    """Return the tokens that end an answer."""
    ends = getattr(model.generation_config, "eos_token_id", None)
    found = {ends} if isinstance(ends, int) else set(ends or ())
    return sorted(found | ({tokenizer.eos_token_id} - {None}))


def _measured(trainer: Any, tokenizer: Any, adapter: Path, held_out: Any) -> dict[str, Any] | None:
    """Return how the adapter in the folder `adapter` answers; None where that would take long."""
    model = trainer.model
    if not torch.cuda.is_available() and model.num_parameters() > _MANY_PARAMETERS:
        return None
    # It may be an earlier one than the last that was trained.
    set_peft_model_state_dict(model, load_peft_weights(str(adapter), device="cpu"))
    rows = rehearsal.held_out_examples(held_out or ())
    return rehearsal.measure(model, tokenizer, rows, end_ids=_end_ids(model, tokenizer))


def _add_gguf(adapter: Path, source: Path) -> None:
    """Write the adapter for llama.cpp too, where llama.cpp can apply it."""
    config = source / "config.json"
    # The architecture is the base's own; everything else is as we trained it.
    if _model_type(config) in CONVERTIBLE:
        convert(adapter, config, adapter / "adapter.gguf")


def _model_type(config: Path) -> object:
    return json.loads(config.read_text(encoding="utf-8")).get("model_type")


def _agree(mine: int) -> int:
    return int(broadcast_object_list([mine])[0])


def _say_nothing(report: Report) -> None:
    """The first process speaks for all."""
