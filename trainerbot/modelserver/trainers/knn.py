"""Method knn: an index of the training examples, grown step by step and measured as it grows."""

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainerbot.formats import ChatExample, parse_prompt, read_chat_jsonl
from trainerbot.modelserver.examples import Example, write_examples
from trainerbot.modelserver.trainers.methods import METHODS, Size
from trainerbot.modelserver.trainers.scores import word_accuracy, word_f1
from trainerbot.modelserver.trainers.task import Done, Plan, Refused, Report, Step, Task, Told
from trainerbot.retrieval import NearestTexts

MIN_EXAMPLES = 10
# Each measured question costs a search: some milliseconds in a large index.
_MAX_MEASURED = 200

DEFINITION = (
    "Method knn: no weights change; the tuned model is the base model with an index of the "
    "training examples. Loss is 1 - word-overlap F1 between the stored answer of the nearest "
    "indexed question and the expected answer (training: each question with itself left out; "
    "validation: held-out questions); token accuracy is the share of the expected words in "
    f"their place. At most {_MAX_MEASURED} questions of each kind are measured a step."
)


def train(task: Task) -> Iterator[Report]:
    """Yield a Plan, a Step for each step, then Done; or Refused at once.

    Deterministic: the same task yields the same numbers, so a job that starts
    over tells nothing twice.
    """
    examples, n_left_out = _load(task.training_path)
    if len(examples) < MIN_EXAMPLES:
        yield Refused(
            "invalid_n_examples",
            f"Training file has {len(examples)} example(s) with a question and an answer in "
            f"text, but must have at least {MIN_EXAMPLES} examples",
            param="training_file",
        )
        return
    chosen = METHODS["knn"].chosen(task.hyperparameters, Size(len(examples)))
    shuffled = random.Random(task.seed).sample(examples, len(examples))
    if task.validation_path is not None:
        train_part, valid_part = shuffled, _load(task.validation_path)[0]
    else:
        n_valid = math.ceil(len(shuffled) * chosen["valid_fraction"])
        train_part, valid_part = shuffled[n_valid:], shuffled[:n_valid]
    yield Plan(chosen)
    left_out = f" ({n_left_out} rows have no text to learn)" if n_left_out else ""
    yield Told(
        "plan",
        f"Measuring on {len(valid_part)} held-out examples with {len(train_part)} indexed"
        f"{left_out}; the served model will know all training examples",
    )

    total_steps = min(chosen["n_steps"], len(train_part))
    for step in range(task.done_steps + 1, total_steps + 1):
        indexed = train_part[: math.ceil(len(train_part) * step / total_steps)]
        yield _measure(indexed, valid_part, step=step, total_steps=total_steps)

    # The measured index leaves the held-out examples out; the model that is
    # served knows them all.
    work = Path(task.work)
    write_examples(str(work / "held_in.jsonl"), train_part)
    write_examples(str(work / "questions.jsonl"), valid_part[: chosen["n_eval_questions"]])
    write_examples(str(work / "tuned.jsonl"), examples)
    yield Done()


def _load(path: str) -> tuple[list[Example], int]:
    """Return the examples with a question and an answer, and how many rows have not both."""
    examples, n_left_out = [], 0
    for row in read_chat_jsonl(path):
        if not isinstance(row, ChatExample):
            continue  # a warning; a file with errors never comes this far
        prompt = parse_prompt(row.messages)
        if prompt.question is None or prompt.answer is None:
            n_left_out += 1
        else:
            examples.append(Example(row.line, prompt.question, prompt.answer))
    return examples, n_left_out


def _measure(
    indexed: Sequence[Example], valid: Sequence[Example], *, step: int, total_steps: int
) -> Step:
    index = NearestTexts([(i, example.question) for i, example in enumerate(indexed)])

    def nearest(question: str, *, leave_out: int | None) -> str:
        for match in index.nearest(question, k=2):
            if match.key != leave_out:
                return indexed[match.key].answer
        return ""

    # The order is shuffled already, so the first ones are a fair sample.
    train_pairs = [
        (example.answer, nearest(example.question, leave_out=i))
        for i, example in enumerate(indexed[:_MAX_MEASURED])
    ]
    valid_pairs = [
        (example.answer, nearest(example.question, leave_out=None))
        for example in valid[:_MAX_MEASURED]
    ]
    return Step(
        step=step,
        total_steps=total_steps,
        train_loss=loss(train_pairs),
        train_mean_token_accuracy=accuracy(train_pairs),
        valid_loss=loss(valid_pairs) if valid_pairs else None,
        valid_mean_token_accuracy=accuracy(valid_pairs) if valid_pairs else None,
    )


def loss(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the mean of 1 - F1 over (expected, given) pairs, rounded to 4 places."""
    return round(1 - sum(word_f1(*pair) for pair in pairs) / len(pairs), 4)


def accuracy(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the mean word accuracy over (expected, given) pairs, rounded to 4 places."""
    return round(sum(word_accuracy(*pair) for pair in pairs) / len(pairs), 4)
