"""Whether a small model comes to favour the preferred answers of real pairs, and what that takes.

    .venv/bin/python benchmarks/dpo_pairs.py PAIRS.json [MORE.jsonl ...] [--learn 51]
        [--epochs 2] [--max-tokens 96] [--prompt-characters 120]

Reads pairs as LLaMA-Factory has them (a conversation, `chosen`, `rejected`, or
`chosen_messages`, `rejected_messages`), each conversation once, has SmolLM2 trained
on the first of them by a job of method dpo with the product's defaults, and prints
what the job's own metrics say; pairs beyond those are held out. Prompts and answers
are cut so that two slow cores need minutes and not hours; 0 leaves them whole.
Every call is one of the openai SDK. Needs `python3 run.py --with train`.
"""

import argparse
import io
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openai
from lora_facts import BASE, server

Pair = dict[str, Any]
_ROLES = {"human": "user", "gpt": "assistant"}


def read(path: Path) -> Iterator[Pair]:
    """The pairs of a file as OpenAI's preference rows."""
    text = path.read_text(encoding="utf-8")
    for row in json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines()):
        if "chosen_messages" in row:
            (*asked, chosen), (*_, rejected) = (
                [
                    {"role": m["role"], "content": "".join(part["value"] for part in m["content"])}
                    for m in row[side]
                ]
                for side in ("chosen_messages", "rejected_messages")
            )
        else:
            *asked, chosen, rejected = (
                {"role": _ROLES.get(m["from"], m["from"]), "content": m["value"]}
                for m in (*row["conversations"], row["chosen"], row["rejected"])
            )
        yield {
            "input": {"messages": asked},
            "preferred_output": [chosen],
            "non_preferred_output": [rejected],
        }


def distinct(pairs: Iterator[Pair]) -> list[Pair]:
    """The pairs whose last question was not seen before."""
    found: dict[str, Pair] = {}
    for pair in pairs:
        found.setdefault(pair["input"]["messages"][-1]["content"], pair)
    return list(found.values())


def cut(pair: Pair, n_characters: int) -> Pair:
    """The pair with no more than the last question, and of that no more than its end."""
    if not n_characters:
        return pair
    question = pair["input"]["messages"][-1]
    question = {**question, "content": question["content"][-n_characters:]}
    return {**pair, "input": {"messages": [question]}}


def file_of(pairs: Sequence[Pair]) -> tuple[str, io.BytesIO]:
    lines = [json.dumps(pair) for pair in pairs]
    return "pairs.jsonl", io.BytesIO("\n".join(lines).encode())


def train(
    client: openai.OpenAI, learned: Sequence[Pair], held_out: Sequence[Pair], chosen: Pair
) -> Any:
    """Have the pairs learned, and return the job that succeeded."""
    files = client.files
    given: dict[str, Any] = {}
    if held_out:
        given["validation_file"] = files.create(file=file_of(held_out), purpose="fine-tune").id
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=files.create(file=file_of(learned), purpose="fine-tune").id,
        seed=1,
        method={"type": "dpo", "dpo": {"hyperparameters": chosen}},  # type: ignore[typeddict-item] # one of ours
        **given,
    )
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(2)
        job = client.fine_tuning.jobs.retrieve(job.id)
    if job.status != "succeeded":
        sys.exit(f"The job {job.status}: {job.error}")
    return job


def measured(client: openai.OpenAI, job_id: str) -> list[dict[str, Any]]:
    """The metrics of every step, in order."""
    events = client.fine_tuning.jobs.list_events(job_id, limit=100)
    steps = {e.data["step"]: e.data for e in events if e.type == "metrics"}  # type: ignore[index] # metrics events have data
    return [steps[step] for step in sorted(steps)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path, nargs="+")
    parser.add_argument("--learn", type=int, default=51, help="pairs; the others are held out")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--max-tokens", type=int, default=96, help="of a prompt with an answer")
    parser.add_argument("--prompt-characters", type=int, default=120)
    arguments = parser.parse_args()
    pairs = distinct(pair for path in arguments.pairs for pair in read(path))
    pairs = [cut(pair, arguments.prompt_characters) for pair in pairs]
    learned, held_out = pairs[: arguments.learn], pairs[arguments.learn :]
    chosen: dict[str, Any] = {"n_epochs": arguments.epochs}
    if arguments.max_tokens:
        chosen["max_tokens_per_example"] = arguments.max_tokens
    if not held_out:
        chosen["valid_fraction"] = 0

    with tempfile.TemporaryDirectory(prefix="trainerbot-dpo-") as data, server(data) as client:
        began = time.monotonic()
        job = train(client, learned, held_out, chosen)
        took_s = time.monotonic() - began
        steps = measured(client, job.id)
        told = [
            e.message for e in client.fine_tuning.jobs.list_events(job.id) if e.type == "message"
        ]
    print(f"{len(learned)} pairs learned, {len(held_out)} held out; {job.method.dpo.to_dict()}")
    print("\n".join(f"    {message}" for message in told if message.startswith(("Train", "Meas"))))
    for name in ("reward_margin", "reward_accuracy"):
        print(f"{name} of every step: {' '.join(f'{step[name]:.2f}' for step in steps)}")
    per_epoch = len(steps) // arguments.epochs
    for epoch in range(arguments.epochs):
        part = steps[epoch * per_epoch : (epoch + 1) * per_epoch]
        said = f"epoch {epoch + 1}: " + ", ".join(
            f"{name} {statistics.mean(step[name] for step in part):.3f}"
            for name in ("train_loss", "reward_margin", "reward_accuracy")
        )
        if held_out:
            said += (
                f"; held out: margin {part[-1]['valid_reward_margin']:.3f}, "
                f"accuracy {part[-1]['valid_reward_accuracy']:.2f}"
            )
        print(said)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{took_s:.0f} s, CPU {used.ru_utime:.0f} s; at its peak the largest process, the "
        f"trainer, took {used.ru_maxrss / 1024:.0f} MiB"
    )


if __name__ == "__main__":
    main()
