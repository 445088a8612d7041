"""TRL's trainers, set up for one job."""

import math
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from trainerbot.modelserver.trainers.lora.fitting import fit
from trainerbot.modelserver.trainers.lora.mixing import Mixed
from trainerbot.modelserver.trainers.lora.opinions import drift
from trainerbot.modelserver.trainers.lora.rendering import NOT_LEARNED
from trainerbot.modelserver.trainers.methods import BASE_LEARNING_RATE
from trainerbot.modelserver.trainers.task import Task

_SEEDS = 2**31
# Above, TRL's way is better, which never holds them all: here they take a gigabyte.
_MANY_LOGITS = 2**26


class _NoCard:
    """Writes no model card beside each checkpoint: nobody reads it."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


class _Supervised(_NoCard, SFTTrainer):
    """TRL's, on rows that are tokens already.

    On a CPU TRL puts every token through the model's head, three times; a
    small model learns a quarter faster when only what is learned goes through it.
    """

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the mean loss of the learned tokens, and count how many were foreseen."""
        labels = inputs["labels"][:, 1:]
        labels = labels[labels != NOT_LEARNED]
        n_logits = labels.numel() * self.model.config.vocab_size
        if (
            torch.cuda.is_available()
            or self.accelerator.num_processes > 1
            or n_logits > _MANY_LOGITS
        ):
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        logits = _learned_logits(model, **inputs).float()
        right = (logits.argmax(-1) == labels).float().mean().item()
        # Where TRL keeps what it logs.
        self._metrics["train" if model.training else "eval"]["mean_token_accuracy"].append(right)
        loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
        return loss / (labels.numel() if num_items_in_batch is None else num_items_in_batch)


class _Rehearsing(_Supervised):
    """Learns its own rows, and on those behind them drifts not far from the untouched model.

    How far is the Kullback-Leibler divergence of each rehearsed token's
    distribution from the untouched model's ("Learning without Forgetting", Li
    and Hoiem 2016): more than an answer's words, it holds what else was likely.
    """

    def __init__(self, *args: Any, mixed: Mixed, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mixed = mixed
        self._collate: Any = vars(self)["data_collator"]
        self.data_collator = self._marked

    def _marked(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = dict(self._collate(rows))
        marks = [row.get("likely_ids") is not None for row in rows]
        if any(marks):
            batch["rehearsed"] = torch.tensor(marks)
            for name in ("likely_ids", "likely_logs"):
                tokens = [
                    token
                    for row, mark in zip(rows, marks, strict=True)
                    if mark
                    for token in row[name]
                ]
                batch[name] = torch.tensor(tokens)
        return batch

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return self._mixed

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return TRL's loss of the rows to learn, and the drift on the others, a mean of tokens."""
        rehearsed = inputs.pop("rehearsed", None)
        if rehearsed is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        likely, untouched = inputs.pop("likely_ids"), inputs.pop("likely_logs")
        n_learned = num_items_in_batch
        if n_learned is None:
            n_learned = (inputs["labels"] != NOT_LEARNED).sum()
        own, others = (
            {name: rows[which] for name, rows in inputs.items()}
            for which in (~rehearsed, rehearsed)
        )
        loss = drift(_learned_logits(model, **others), likely, untouched) / n_learned
        if not rehearsed.all():
            loss = loss + super().compute_loss(model, own, num_items_in_batch=n_learned)
        return loss


def _learned_logits(model: Any, *, input_ids: Any, attention_mask: Any, labels: Any) -> Any:
    """Return what the model thinks of each learned token, in shape (tokens, vocabulary)."""
    learned = labels[:, 1:] != NOT_LEARNED
    places = learned.any(0).nonzero()[:, 0]
    logits = model(
        input_ids=input_ids, attention_mask=attention_mask, logits_to_keep=places, use_cache=False
    ).logits
    return logits[learned[:, places]]


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
    n_own: int,
    n_extra: int,
    longest_tokens: int,
) -> tuple[Any, int]:
    """Return the trainer and its steps an epoch. `batch_size` is shared among the processes.

    Behind the `n_own` rows of `train` lie those to rehearse, of which an epoch
    takes `n_extra`: others each time, and beside their answers the untouched
    model's opinion of each token. With several processes they are the same ones each
    time, learned like any other row, for a step then may ask a model once only.

    It logs, measures and saves only when a callback says so.
    """
    on_gpu = torch.cuda.is_available()
    a_process = max(1, chosen["batch_size"] // n_processes)
    fitted = fit(a_process, model=model, longest_tokens=longest_tokens, on_gpu=on_gpu)
    settings: dict[str, Any] = {
        "output_dir": str(state),
        "num_train_epochs": chosen["n_epochs"],
        "per_device_train_batch_size": fitted.n_rows,
        "gradient_accumulation_steps": fitted.n_times,
        "per_device_eval_batch_size": fitted.n_rows,
        "learning_rate": BASE_LEARNING_RATE[task.method] * chosen["learning_rate_multiplier"],
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,  # this share of all steps
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "seed": task.seed % _SEEDS,
        "data_seed": task.seed % _SEEDS,
        "use_cpu": not on_gpu,
        "bf16": on_gpu and torch.cuda.is_bf16_supported(),
        "activation_checkpointing": fitted.recomputes,
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
    mixed = None
    if n_extra and n_processes == 1:
        settings["remove_unused_columns"] = False
        mixed = Mixed(n_own, n_extra, n_pool=len(train) - n_own, seed=task.seed)
    elif n_extra:
        train = train.select(range(n_own + n_extra)).select_columns(["input_ids", "labels"])
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
        dpo = DPOConfig(
            **settings,
            beta=chosen["beta"],
            # What the untouched model thinks of a pair stays the same in every epoch.
            precompute_ref_log_probs=chosen["n_epochs"] > 1,
        )
        trainer = _Preference(args=dpo, **common)
    else:
        sft = SFTConfig(**settings, dataset_kwargs={"skip_prepare_dataset": True})
        if mixed is not None:
            trainer = _Rehearsing(args=sft, mixed=mixed, **common)
        else:
            trainer = _Supervised(args=sft, **common)
    # It would print every measure; ours are told.
    trainer.remove_callback(PrinterCallback)
    return trainer, math.ceil((n_own + n_extra) / (a_process * n_processes))
