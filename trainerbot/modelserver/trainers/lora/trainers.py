"""TRL's trainers, set up for one job."""

import math
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from trainerbot.modelserver.trainers.methods import BASE_LEARNING_RATE
from trainerbot.modelserver.trainers.task import Task

_SEEDS = 2**31
# Above, recomputing activations is worth the time: they would not fit.
_MANY_PARAMETERS = 10**9


class _NoCard:
    """Writes no model card beside each checkpoint: nobody reads it."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


class _Supervised(_NoCard, SFTTrainer):
    """TRL's, on rows that are tokens already."""


class _Preference(_NoCard, DPOTrainer):
    """TRL's, on rows that are tokens already. The reference is the base with the adapter off."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset


def make_trainer(
    task: Task,
    chosen: dict[str, Any],
    *,
    model: Any,
    tokenizer: Any,
    train: Dataset,
    valid: Dataset | None,
    state: Path,
    n_processes: int,
) -> tuple[Any, int]:
    """Return the trainer and its steps an epoch. `batch_size` is shared among the processes.

    It logs, measures and saves only when a callback says so.
    """
    on_gpu = torch.cuda.is_available()
    a_process = max(1, chosen["batch_size"] // n_processes)
    settings: dict[str, Any] = {
        "output_dir": str(state),
        "num_train_epochs": chosen["n_epochs"],
        "per_device_train_batch_size": a_process,
        "per_device_eval_batch_size": a_process,
        "learning_rate": BASE_LEARNING_RATE[task.method] * chosen["learning_rate_multiplier"],
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,  # this share of all steps
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "seed": task.seed % _SEEDS,
        "data_seed": task.seed % _SEEDS,
        "use_cpu": not on_gpu,
        "bf16": on_gpu and torch.cuda.is_bf16_supported(),
        "activation_checkpointing": model.num_parameters() > _MANY_PARAMETERS,
        "dataloader_pin_memory": on_gpu,
        "logging_strategy": "steps",
        "logging_steps": 1,
        # A loss that is no number must be seen, not left out.
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "max_length": None,
    }
    lora = LoraConfig(
        r=chosen["lora_rank"],
        lora_alpha=chosen["lora_alpha"],
        lora_dropout=0.0,
        target_modules="all-linear",
        bias="none",
        task_type="CAUSAL_LM",
    )
    common = {
        "model": model,
        "processing_class": tokenizer,
        "train_dataset": train,
        "eval_dataset": valid,
        "peft_config": lora,
    }
    trainer: Any
    if task.method == "dpo":
        trainer = _Preference(args=DPOConfig(**settings, beta=chosen["beta"]), **common)
    else:
        trainer = _Supervised(
            args=SFTConfig(**settings, dataset_kwargs={"skip_prepare_dataset": True}), **common
        )
    # It would print every measure; ours are told.
    trainer.remove_callback(PrinterCallback)
    return trainer, math.ceil(len(train) / (a_process * n_processes))
