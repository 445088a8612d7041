"""What our fine-tuning job costs beside the bare TRL script: steps a second, interleaved.

    python benchmarks/lora_overhead.py [--base FOLDER] [--rounds 3] [--steps 20] [--method dpo]

Both train the same rows with the same settings, each in a process of its own,
in turns, so that a busy machine slows both. Ours tells every step, as it does
in the server. Counted are the steps after the first; loading is not.
Without --base, a random model of two wide layers is made.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS = 64
BATCH = 4
RANK = 8
WORDS = [
    "The",
    "depot",
    "keeps",
    "lorries",
    "apples",
    "orders",
    "customers",
    "and",
    "maps",
    "of",
    "every",
    "town",
]


def main() -> None:
    """Run both in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, help="folder of safetensors")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--method", choices=("supervised", "dpo"), default="supervised")
    parser.add_argument("--run", choices=("bare", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run is not None:
        run = bare if arguments.run == "bare" else ours
        print(json.dumps(run(arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        base = arguments.base or made_base(Path(folder) / "base")
        speeds: dict[str, list[float]] = {"bare": [], "ours": []}
        for number in range(arguments.rounds):
            for name in ("bare", "ours") if number % 2 else ("ours", "bare"):
                work = Path(folder) / f"{name}-{number}"
                work.mkdir()
                command = [
                    *(sys.executable, __file__, "--run", name, "--base", str(base)),
                    *("--work", str(work), "--steps", str(arguments.steps)),
                    *("--method", arguments.method),
                ]
                told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
                speeds[name].append(json.loads(told.splitlines()[-1]))
                print(f"{name} {number + 1}: {speeds[name][-1]:.3f} steps/s", flush=True)
    medians = {name: statistics.median(found) for name, found in speeds.items()}
    print(f"{arguments.method}: bare {medians['bare']:.3f}, ours {medians['ours']:.3f} steps/s")
    print(f"ours / bare = {medians['ours'] / medians['bare']:.3f}")


def made_base(folder: Path) -> Path:
    """Make a random model large enough that a step takes a noticeable time."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.trainerbot.modelserver.training.tiny import make_base

    make_base(folder, hidden_size=256, n_layers=4)
    return folder


def rows(method: str) -> list[dict[str, Any]]:
    """Return small rows, all different, of about sixty tokens of bytes."""
    made = []
    for place in range(ROWS):
        words = [WORDS[(place * 7 + step * 3) % len(WORDS)] for step in range(8)]
        question, answer = f"Say {place}: {' '.join(words[:4])}", " ".join(words[4:])
        asked = [{"role": "user", "content": question}]
        right = [{"role": "assistant", "content": answer}]
        if method == "supervised":
            made.append({"messages": [*asked, *right]})
        else:
            made.append(
                {
                    "input": {"messages": asked},
                    "preferred_output": right,
                    "non_preferred_output": [{"role": "assistant", "content": "No."}],
                }
            )
    return made


def ours(arguments: argparse.Namespace) -> float:
    """Train as a job does, its reports going to a pipe that is not read."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from trainerbot.modelserver.bases import BaseModel
    from trainerbot.modelserver.trainers.lora.work import train
    from trainerbot.modelserver.trainers.methods import METHODS
    from trainerbot.modelserver.trainers.task import Report, Step, Task

    training = arguments.work / "rows.jsonl"
    training.write_text("".join(json.dumps(row) + "\n" for row in rows(arguments.method)))
    moments: list[float] = []
    told = (arguments.work / "told").open("wb", buffering=0)

    def tell(report: Report) -> None:
        import msgspec

        told.write(msgspec.json.encode(report) + b"\n")
        if isinstance(report, Step):
            moments.append(time.perf_counter())

    steps_per_epoch = ROWS // BATCH
    method = METHODS[arguments.method]
    train(
        Task(
            method=arguments.method,
            training_path=str(training),
            validation_path=None,
            work=str(arguments.work),
            hyperparameters={
                name: value
                for name, value in {
                    **method.requested({}),
                    "n_epochs": -(-arguments.steps // steps_per_epoch),
                    "batch_size": BATCH,
                    "lora_rank": RANK,
                    "lora_alpha": 2 * RANK,
                    "learning_rate_multiplier": 1.0,
                    "rehearsal_ratio": 0.0,
                    "valid_fraction": 0.0,
                    "beta": 0.1,
                }.items()
                if name in method.hyperparameters
            },
            seed=1,
            done_steps=0,
            base=BaseModel("base", "safetensors", str(arguments.base), 0, 2048),
            cache=str(arguments.work / "cache"),
        ),
        tell,
    )
    return speed(moments[: arguments.steps])


def bare(arguments: argparse.Namespace) -> float:
    """Train as TRL's own example does, with the same settings and rows."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    moments: list[float] = []

    class Clock(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" in (logs or {}):
                moments.append(time.perf_counter())

    on_gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if on_gpu else torch.float32
    tokenizer = AutoTokenizer.from_pretrained(arguments.base)
    model = AutoModelForCausalLM.from_pretrained(arguments.base, dtype=dtype)
    settings: dict[str, Any] = {
        "output_dir": str(arguments.work / "out"),
        "num_train_epochs": -(-arguments.steps // (ROWS // BATCH)),
        "per_device_train_batch_size": BATCH,
        "learning_rate": 2e-4 if arguments.method == "supervised" else 2e-5,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,
        "seed": 1,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "activation_checkpointing": False,
        "dataloader_pin_memory": on_gpu,
        "logging_steps": 1,
        "save_strategy": "epoch",
        "report_to": "none",
        "disable_tqdm": True,
        "max_length": None,
    }
    found = rows(arguments.method)
    common: dict[str, Any] = {
        "model": model,
        "processing_class": tokenizer,
        "peft_config": LoraConfig(
            r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        "callbacks": [Clock()],
    }
    trainer: Any
    if arguments.method == "supervised":
        pairs = [{"prompt": r["messages"][:1], "completion": r["messages"][1:]} for r in found]
        trainer = SFTTrainer(
            args=SFTConfig(**settings), train_dataset=Dataset.from_list(pairs), **common
        )
    else:
        pairs = [
            {
                "prompt": r["input"]["messages"],
                "chosen": r["preferred_output"],
                "rejected": r["non_preferred_output"],
            }
            for r in found
        ]
        trainer = DPOTrainer(
            args=DPOConfig(**settings, beta=0.1), train_dataset=Dataset.from_list(pairs), **common
        )
    trainer.train()
    return speed(moments[: arguments.steps])


def speed(moments: list[float]) -> float:
    """Return steps a second after the first step."""
    return (len(moments) - 1) / (moments[-1] - moments[0])


if __name__ == "__main__":
    main()
