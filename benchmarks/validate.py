"""How fast a chat file is validated, against the checks of OpenAI's cookbook.

    python3 benchmarks/validate.py [--lines 1000000] [--rounds 5]

Writes a file of chat rows with planted faults (seeded, each line known), then
lets both check it, a fresh process each time, by turns. Prints lines per CPU
second (user and system, starting Python included) and peak memory; fails when
ours misses a fault, finds one that was not planted, or misses a bar.

The peer does what the "Format validation" cell of the cookbook's notebook
"Data preparation and analysis for chat model fine-tuning" does (openai-cookbook,
MIT): all lines into a list by `json.loads`, then its seven checks. Its other
cells, and its imports of numpy and tiktoken, are left out.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MIN_LINES_PER_CPU_S = 600_000
MAX_PEAK_MB = 60
MIN_RATIO = 8
WORDS = [
    "the",
    "a",
    "library",
    "opens",
    "at",
    "nine",
    "every",
    "weekday",
    "and",
    "closes",
    "when",
    "evening",
    "comes",
    "please",
    "return",
    "books",
    "on",
    "time",
    "or",
    "renew",
    "them",
    "online",
    "with",
    "your",
    "card",
    "number",
    "staff",
    "can",
    "help",
    "you",
    "find",
    "shelves",
    "rooms",
]

Row = dict[str, Any]


# --- the file -------------------------------------------------------------------


def text(rng: random.Random, n_words: int) -> str:
    return " ".join(rng.choices(WORDS, k=n_words)).capitalize() + "."


def good(rng: random.Random) -> Row:
    return {
        "messages": [
            {"role": "system", "content": text(rng, 10)},
            {"role": "user", "content": text(rng, 16)},
            {"role": "assistant", "content": text(rng, 31)},
        ]
    }


def with_message(index: int, **changes: Any) -> Callable[[Row], str]:
    """A row with keys of one message changed; None takes the key away."""

    def spoil(row: Row) -> str:
        message = row["messages"][index]
        message.update(changes)
        for key in [key for key, value in changes.items() if value is None]:
            del message[key]
        return json.dumps(row)

    return spoil


def with_text(old: str, new: str) -> Callable[[Row], str]:
    return lambda row: json.dumps(row).replace(old, new, 1)


def with_messages(change: Callable[[list[Row]], Any]) -> Callable[[Row], str]:
    return lambda row: json.dumps({"messages": change(row["messages"])})


# What each does to a good row. The notebook lives through all of these.
FAULTS: dict[str, Callable[[Row], str]] = {
    "a list for a row": lambda row: json.dumps(row["messages"]),
    "a text for a row": lambda _: '"oops"',
    "no messages": lambda _: "{}",
    "an empty list of messages": with_messages(lambda _: []),
    "another format": lambda _: json.dumps({"prompt": "When?", "completion": "At nine."}),
    "no role": with_message(1, role=None),
    "no content": with_message(1, content=None),
    "an unknown key": with_message(2, mood="calm"),
    "an unknown role": with_message(1, role="human"),
    "the role of another case": with_message(1, role="User"),
    "content null": with_text('"content": "', '"content": null, "name": "'),
    "empty content": with_message(2, content=""),
    "content that is a number": with_message(2, content=5),
    "no assistant": with_messages(lambda messages: messages[:2]),
    "a key given twice": with_text('{"role"', '{"role": "user", "role"'),
    "messages given twice": with_text('{"messages"', '{"messages": [], "messages"'),
    "a NUL character": with_message(1, content="When\0?"),
    "half of a character": with_message(1, content="When \ud83d?"),
    "NaN": with_text('{"messages"', '{"metadata": NaN, "messages"'),
    "a number too large": with_text('{"messages"', '{"metadata": 1e999, "messages"'),
    "a blank answer": with_message(2, content=" \t "),
    "a weight of one half": with_message(2, weight=0.5),
    "a weight on a question": with_message(1, weight=1),
    "a name that is no text": with_message(1, name=7),
    "tools that are no list": lambda row: json.dumps({**row, "tools": {}}),
    "an unknown key of the row": lambda row: json.dumps({**row, "source": "desk"}),
    "nothing to learn": with_message(2, weight=0),
    "no question": with_messages(lambda messages: [messages[0], messages[2]]),
    "no answer to the last question": with_messages(lambda messages: [*messages, messages[1]]),
    "too deep": lambda row: json.dumps({**row, "metadata": 0})[:-2] + "[" * 99 + "]" * 99 + "}",
}

# These end the notebook with a traceback, whatever else the file holds.
FATAL: dict[str, bytes] = {
    "broken JSON": b'{"messages": [}\n',
    "a line cut off": b'{"messages": [{"role": "user", "con\n',
    "not UTF-8": b'{"messages": [{"role": "user", "content": "caf\xe9"}]}\n',
    "a blank line": b"\n",
    "messages that are a text": b'{"messages": "hi"}\n',
    "a message that is a number": b'{"messages": [5]}\n',
    "a message that is null": b'{"messages": [null]}\n',
}
HARMLESS = {"a blank line"}  # to ours


def write_rows(path: Path, *, n_lines: int, seed: int = 7) -> dict[int, str]:
    """Write the file; return the fault of each faulty line."""
    rng = random.Random(seed)
    rows = [json.dumps(good(rng)) + "\n" for _ in range(5_000)]
    names = [name for name in FAULTS for _ in range(max(1, n_lines // 50_000))]
    planted = dict(zip(rng.sample(range(1, n_lines + 1), len(names)), names, strict=True))
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, n_lines + 1):
            if number in planted:
                file.write(FAULTS[planted[number]](good(rng)) + "\n")
            else:
                file.write(rows[number % len(rows)])
    return planted


# --- the two that check -----------------------------------------------------------


def notebook_errors(dataset: Iterable[Any]) -> dict[str, int]:
    """The notebook's seven checks, with its names for what they find."""
    found: dict[str, int] = defaultdict(int)
    for example in dataset:
        if not isinstance(example, dict):
            found["data_type"] += 1
            continue
        messages = example.get("messages", None)
        if not messages:
            found["missing_messages_list"] += 1
            continue
        for message in messages:
            if "role" not in message or "content" not in message:
                found["message_missing_key"] += 1
            if any(
                key not in ("role", "content", "name", "function_call", "weight") for key in message
            ):
                found["message_unrecognized_key"] += 1
            if message.get("role", None) not in ("system", "user", "assistant", "function"):
                found["unrecognized_role"] += 1
            content = message.get("content", None)
            called = message.get("function_call", None)
            if (not content and not called) or not isinstance(content, str):
                found["missing_content"] += 1
        if not any(message.get("role", None) == "assistant" for message in messages):
            found["example_missing_assistant_message"] += 1
    return dict(found)


def run_notebook(path: Path) -> dict[str, int]:
    with path.open(encoding="utf-8") as file:
        dataset = [json.loads(line) for line in file]
    return notebook_errors(dataset)


def run_ours(path: Path) -> list[tuple[int, str, str]]:
    sys.path.insert(0, str(ROOT))
    from trainerbot.formats.checking import check

    report = check(path, target="openai", max_bytes=2**30, min_examples=1)
    assert report.n_problems == len(report.problems), "more faults than a report keeps"
    return [(each.line, each.code, each.severity) for each in report.problems]


# --- comparing --------------------------------------------------------------------


class Run(NamedTuple):
    """What one fresh process found, its CPU seconds and its peak memory; found None: it died."""

    found: Any
    cpu_s: float
    peak_mb: float


def in_fresh_process(who: str, path: Path) -> Run:
    python = ROOT / ".venv" / "bin" / "python"
    command = [str(python if python.exists() else sys.executable), __file__, "--run", who, path]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    told = process.stdout.read()
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    kilobyte = 1 if sys.platform == "darwin" else 1024
    return Run(
        found=json.loads(told) if process.returncode == 0 else None,
        cpu_s=used.ru_utime + used.ru_stime,
        peak_mb=used.ru_maxrss * kilobyte / 1e6,
    )


def compare_findings(path: Path, planted: dict[int, str], ours: Run, notebook: Run) -> None:
    """Hold what both found against what was planted; leave with a message when ours fell short."""
    notebook_codes: Counter[str] = Counter()
    notebook_lines = set()
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if number in planted and (codes := notebook_errors([json.loads(line)])):
                notebook_lines.add(number)
                notebook_codes.update(codes)
    if notebook.found != notebook_codes:
        sys.exit(f"The notebook found {notebook.found}, not {dict(notebook_codes)}.")
    our_lines = {line for line, _, _ in ours.found}
    if our_lines != planted.keys():
        odd = sorted(our_lines ^ planted.keys())[:5]
        sys.exit(f"Ours and what was planted differ at lines {odd}: {[*map(planted.get, odd)]}.")
    only_ours = Counter(planted[line] for line in our_lines - notebook_lines)
    print(f"planted: {len(planted)} faulty lines of {len(FAULTS)} kinds")
    print(f"found:   ours {len(our_lines)}, the notebook {len(notebook_lines)}, each among ours")
    print(f"only ours: {', '.join(only_ours)}")


def compare_deaths(folder: Path) -> None:
    """Show what ends the notebook, and what ours says of it."""
    rng = random.Random(8)
    for name, line in FATAL.items():
        path = folder / "fatal.jsonl"
        rows = [json.dumps(good(rng)).encode() + b"\n" for _ in range(20)]
        path.write_bytes(b"".join([*rows[:10], line, *rows[10:]]))
        ours, notebook = in_fresh_process("ours", path), in_fresh_process("notebook", path)
        if ours.found is None or (not ours.found and name not in HARMLESS):
            sys.exit(f"Ours does not see {name}.")
        said = ", ".join(f"line {at}: {code}" for at, code, _ in ours.found) or "nothing wrong"
        ending = "a traceback" if notebook.found is None else "goes on"
        print(f"{name}: the notebook {ending}; ours {said}")


def tell(name: str, runs: list[Run], n_lines: int) -> tuple[float, float]:
    """Print the medians of some runs; return lines a CPU second and the peak in MB."""
    cpu_s = statistics.median(run.cpu_s for run in runs)
    peak_mb = max(run.peak_mb for run in runs)
    span = f"{min(run.cpu_s for run in runs):.2f} to {max(run.cpu_s for run in runs):.2f}"
    print(
        f"{name:9} {cpu_s:6.2f} s CPU ({span}), {n_lines / cpu_s:9,.0f} lines/s, "
        f"peak {peak_mb:,.0f} MB"
    )
    return n_lines / cpu_s, peak_mb


def turns(path: Path, rounds: int) -> Iterator[tuple[Run, Run]]:
    for _ in range(rounds):
        yield in_fresh_process("ours", path), in_fresh_process("notebook", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", nargs=2, metavar=("WHO", "PATH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        who, path = given.run
        print(json.dumps({"ours": run_ours, "notebook": run_notebook}[who](Path(path))))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="trainerbot-validate-") as folder:
        path = Path(folder) / "rows.jsonl"
        planted = write_rows(path, n_lines=given.lines)
        print(f"{given.lines:,} lines, {path.stat().st_size / 1e6:,.0f} MB")
        runs = list(turns(path, given.rounds))
        ours, notebook = [pair[0] for pair in runs], [pair[1] for pair in runs]
        speed, peak_mb = tell("ours", ours, given.lines)
        peer_speed, _ = tell("notebook", notebook, given.lines)
        print(f"ratio     {speed / peer_speed:.1f}")
        compare_findings(path, planted, ours[0], notebook[0])
        compare_deaths(Path(folder))
    if given.lines < 1_000_000:
        return  # starting Python would weigh too much
    bars = {
        f"{MIN_LINES_PER_CPU_S:,} lines/s": speed >= MIN_LINES_PER_CPU_S,
        f"{MAX_PEAK_MB} MB": peak_mb <= MAX_PEAK_MB,
        f"{MIN_RATIO} times the notebook": speed >= MIN_RATIO * peer_speed,
    }
    print("; ".join(f"{bar}: {'met' if met else 'MISSED'}" for bar, met in bars.items()))
    sys.exit(0 if all(bars.values()) else 1)


if __name__ == "__main__":
    main()
