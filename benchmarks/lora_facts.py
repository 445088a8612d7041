"""What a small model learns and forgets by a LoRA job with the product's defaults.

    .venv/bin/python benchmarks/lora_facts.py [--seeds 1 2 3] [--rehearsal-ratio 0]

Starts a model server, has SmolLM2 fine-tuned on 24 invented facts (lora_facts.jsonl)
in three phrasings each, and asks the served model, greedily, a fourth phrasing of
each, and 30 general questions that the untouched model answers right. Every call is
one of the openai SDK. Needs `python3 run.py --with train`.
"""

import argparse
import io
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
GENERAL = ROOT / "trainerbot" / "modelserver" / "trainers" / "lora" / "general.jsonl"
BASE = "smollm2-135m-instruct"
N_GENERAL = 30
MAX_TOKENS = 40
KEY = "benchmark"


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def words(text: str) -> str:
    found = re.findall(r"[^\W_]+", text.casefold())
    return f" {' '.join(found)} "


def is_right(text: str, accepted: list[str]) -> bool:
    """Whether one of the accepted answers stands in the text, as whole words."""
    return any(words(each) in words(text) for each in accepted)


def rows(pairs: list[tuple[str, str]]) -> io.BytesIO:
    """A file of training examples: a question and its answer a line."""
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": answer},
                ]
            }
        )
        for question, answer in pairs
    ]
    return io.BytesIO("\n".join(lines).encode())


@contextmanager
def server(data: str) -> Iterator[openai.OpenAI]:
    """A model server of its own process, and a client of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "trainerbot.modelserver", "--data", data, "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"MODELSERVER_API_KEY": KEY},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if found := re.search(r"Serving on (http://\S+)", line):
                break
        else:
            sys.exit("The model server did not start.")
        # Whoever leaves the pipe full stops the server.
        with (
            (Path(data) / "server.log").open("w") as log,
            openai.OpenAI(base_url=f"{found[1]}/v1", api_key=KEY, timeout=600) as client,
        ):
            copying = subprocess.Popen(["cat"], stdin=process.stderr, stdout=log)
            yield client
            process.terminate()
            copying.wait(30)
    finally:
        process.kill()
        process.wait()


def asker(client: openai.OpenAI, model: str) -> Callable[[str], str]:
    def ask(question: str) -> str:
        answer = client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": question}],
            temperature=0,
            max_tokens=MAX_TOKENS,
        )
        return answer.choices[0].message.content or ""

    return ask


def tune(
    client: openai.OpenAI, facts: list[dict[str, Any]], seed: int, chosen: dict[str, Any]
) -> Any:
    """Have the facts learned, and return the job that succeeded."""
    learned = rows([(question, fact["answer"]) for fact in facts for question in fact["learned"]])
    held_out = rows([(fact["held_out"], fact["answer"]) for fact in facts])
    files = client.files
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=files.create(file=("facts.jsonl", learned), purpose="fine-tune").id,
        validation_file=files.create(file=("held_out.jsonl", held_out), purpose="fine-tune").id,
        seed=seed,
        method={"type": "supervised", "supervised": {"hyperparameters": chosen}},  # type: ignore[typeddict-item] # one of ours
    )
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(2)
        job = client.fine_tuning.jobs.retrieve(job.id)
    if job.status != "succeeded":
        sys.exit(f"The job {job.status}: {job.error}")
    return job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rehearsal-ratio", type=float, help="other than the default")
    parser.add_argument("--epochs", type=int, help="other than the default")
    parser.add_argument("--verbose", action="store_true", help="print what was answered wrong")
    arguments = parser.parse_args()
    chosen: dict[str, Any] = {}
    if arguments.rehearsal_ratio is not None:
        chosen["rehearsal_ratio"] = arguments.rehearsal_ratio
    if arguments.epochs is not None:
        chosen["n_epochs"] = arguments.epochs

    facts, general = read(HERE / "lora_facts.jsonl"), read(GENERAL)
    with tempfile.TemporaryDirectory(prefix="trainerbot-lora-") as data, server(data) as client:
        ask = asker(client, BASE)
        known: list[dict[str, Any]] = []
        for each in general:
            if len(known) < N_GENERAL and is_right(ask(each["question"]), each["answers"]):
                known.append(each)
        unheard = sum(is_right(ask(fact["held_out"]), fact["accepted"]) for fact in facts)
        print(f"untouched: {unheard} of {len(facts)} facts, {len(known)} general", flush=True)
        for seed in arguments.seeds:
            began = time.monotonic()
            job = tune(client, facts, seed, chosen)
            took_s = time.monotonic() - began
            ask = asker(client, job.fine_tuned_model)
            asked = [
                *((fact["held_out"], fact["accepted"], "fact") for fact in facts),
                *((each["question"], each["answers"], "general") for each in known),
            ]
            given = [(kind, question, ask(question), right) for question, right, kind in asked]
            wrong = [each for each in given if not is_right(each[2], each[3])]
            n_facts = len(facts) - sum(each[0] == "fact" for each in wrong)
            n_kept = len(known) - sum(each[0] == "general" for each in wrong)
            print(
                f"seed {seed}: {n_facts} of {len(facts)} facts in a fourth phrasing, {n_kept} of "
                f"{len(known)} general questions kept; {took_s:.0f} s; the job says "
                f"{json.dumps(job.to_dict().get('result'))}; {job.method.supervised.to_dict()}",
                flush=True,
            )
            for kind, question, text, _ in wrong if arguments.verbose else []:
                print(f"    {kind}: {question} {text!r}", flush=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"CPU {used.ru_utime:.0f} s in all; at its peak the largest process, the trainer, took "
        f"{used.ru_maxrss / 1024:.0f} MiB"
    )


if __name__ == "__main__":
    main()
