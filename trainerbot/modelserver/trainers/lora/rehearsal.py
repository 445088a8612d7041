"""What keeps a small model from forgetting while it learns, and what tells whether it forgot.

Rehearsal rows are general questions answered by the untouched model itself:
beside the examples, they hold it to what it said before. Measured is with
other questions, before and after, and with the held-out examples.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch

from trainerbot.modelserver.trainers.lora.opinions import opinion
from trainerbot.modelserver.trainers.lora.rendering import NOT_LEARNED, Rehearsed
from trainerbot.modelserver.trainers.scores import words

# From prompts as tokens, and the most tokens of each answer, to answers in text.
Ask = Callable[[list[list[int]], list[int]], list[str]]

_HERE = Path(__file__).parent
# What the untouched model says first is what it knows; the rest is talk.
_REHEARSED_TOKENS = 32
_GENERAL_TOKENS = 32
# So many general questions that the untouched model gets right are asked again.
_N_GENERAL = 30
_N_HELD_OUT = 30
_LONGEST_HELD_OUT = 96
_BATCH = 16


class General(msgspec.Struct, frozen=True):
    """A general question, and the words of which a right answer has at least one."""

    question: str
    answers: list[str]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """An example that was not learned, as tokens."""

    prompt_ids: list[int]
    answer_ids: list[int]


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer as tokens, with the model's opinion of each where that was wanted."""

    ids: list[int]
    likely_ids: list[list[int]] = field(default_factory=list)
    likely_logs: list[list[float]] = field(default_factory=list)


def questions() -> list[str]:
    """Return the questions that are rehearsed: none is among those that are measured."""
    lines = (_HERE / "rehearsal.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=dict[str, str])["question"] for line in lines]


def general_questions() -> list[General]:
    """Return the questions that are measured, the plainest first."""
    lines = (_HERE / "general.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=General) for line in lines]


def extra_rows(
    model: Any,
    tokenizer: Any,
    n_rows: int,
    *,
    end_ids: Sequence[int],
    seed: int,
) -> list[Rehearsed]:
    """Return at most `n_rows` questions with the first tokens of the untouched model's answers.

    Of an answer that goes on, the end is not learned. SmolLM2 takes a third of
    a second for a row on one core; its opinion of each token comes with that.
    """
    asked = random.Random(seed).sample(known := questions(), min(n_rows, len(known)))
    prompts = [_prompt(tokenizer, question) for question in asked]
    limits = [_REHEARSED_TOKENS] * len(prompts)
    said = _answers(model, tokenizer, prompts, limits, end_ids=end_ids, with_opinions=True)
    return [
        Rehearsed(
            [*prompt, *each.ids],
            [NOT_LEARNED] * len(prompt) + each.ids,
            likely_ids=each.likely_ids,
            likely_logs=each.likely_logs,
        )
        for prompt, each in zip(prompts, said, strict=True)
        if each.ids
    ]


def measure(
    model: Any,
    tokenizer: Any,
    held_out: Sequence[HeldOut],
    *,
    end_ids: Sequence[int],
) -> dict[str, Any]:
    """Ask the untouched and the tuned model, greedily, and return how many answers were right.

    `general` are questions that the untouched model gets right, as many as it
    does of the list and at most 30: what the tuned model lost of them it forgot.
    `held_out` are examples that were not learned, at most 30: an answer is
    right when it has every word of the expected one that the question has not.
    `model` is PEFT's: its adapter is switched off for the untouched answers.
    """

    def ask(prompts: list[list[int]], limits: list[int]) -> list[str]:
        said = _answers(model, tokenizer, prompts, limits, end_ids=end_ids)
        return [tokenizer.decode(each.ids, skip_special_tokens=True) for each in said]

    some = held_out[:_N_HELD_OUT]
    with model.disable_adapter():
        general = _general_known(ask, tokenizer)
        before = _n_held_out_right(ask, tokenizer, some)
    kept = len(_right(ask, tokenizer, general))
    after = _n_held_out_right(ask, tokenizer, some)
    n = len(general)
    result: dict[str, Any] = {}
    if general:
        result["general"] = {"asked": n, "right_before": n, "right_after": kept}
    if some:
        result["held_out"] = {"asked": len(some), "right_before": before, "right_after": after}
    return result


def _general_known(ask: Ask, tokenizer: Any) -> list[General]:
    """Return the general questions that the model gets right, as many as are wanted."""
    known: list[General] = []
    every = general_questions()
    # No more of the list are asked than are needed to find so many.
    for first in range(0, len(every), _BATCH):
        known += _right(ask, tokenizer, every[first : first + _BATCH])
        if len(known) >= _N_GENERAL or (first and not known):
            break
    return known[:_N_GENERAL]


def _right(ask: Ask, tokenizer: Any, general: Sequence[General]) -> list[General]:
    prompts = [_prompt(tokenizer, each.question) for each in general]
    given = ask(prompts, [_GENERAL_TOKENS] * len(prompts))
    return [each for each, text in zip(general, given, strict=True) if has_answer(text, each)]


def has_answer(text: str, question: General) -> bool:
    """Whether one of the accepted answers stands in `text`, as whole words."""
    said = f" {' '.join(words(text))} "
    return any(f" {' '.join(words(answer))} " in said for answer in question.answers)


def says_it(text: str, *, expected: str, question: str) -> bool:
    """Whether `text` has every word of `expected` that `question` has not already."""
    new = set(words(expected)) - set(words(question)) or set(words(expected))
    return new <= set(words(text))


def held_out_examples(rows: Sequence[dict[str, list[int]]]) -> list[HeldOut]:
    """Return the last answer of each row of tokens and labels, and what stands before it."""
    found = []
    for row in rows:
        ids, labels = row["input_ids"], row["labels"]
        end = len(labels)
        while end and labels[end - 1] == NOT_LEARNED:
            end -= 1
        start = end
        while start and labels[start - 1] != NOT_LEARNED:
            start -= 1
        if start:
            found.append(HeldOut(list(ids[:start]), list(ids[start:end])))
    return found


def _n_held_out_right(ask: Ask, tokenizer: Any, held_out: Sequence[HeldOut]) -> int:
    limits = [min(len(each.answer_ids) + 8, _LONGEST_HELD_OUT) for each in held_out]
    given = ask([each.prompt_ids for each in held_out], limits)
    return sum(
        says_it(
            text,
            expected=tokenizer.decode(each.answer_ids, skip_special_tokens=True),
            question=tokenizer.decode(each.prompt_ids, skip_special_tokens=True),
        )
        for each, text in zip(held_out, given, strict=True)
    )


def _prompt(tokenizer: Any, question: str) -> list[int]:
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
    )
    # The template writes the special tokens itself.
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _answers(
    model: Any,
    tokenizer: Any,
    prompts: list[list[int]],
    limits: list[int],
    *,
    end_ids: Sequence[int],
    with_opinions: bool = False,
) -> list[_Said]:
    """Return the greedy answers, each with its end where it came within its limit."""
    answers = [_Said([])] * len(prompts)
    # Neighbours of one length waste least on padding.
    order = sorted(range(len(prompts)), key=lambda place: (len(prompts[place]), limits[place]))
    with _answering(model):
        for first in range(0, len(order), _BATCH):
            places = order[first : first + _BATCH]
            longest = max(len(prompts[place]) for place in places)
            padded = [longest - len(prompts[place]) for place in places]
            ids = torch.tensor(
                [
                    [tokenizer.pad_token_id] * n + prompts[p]
                    for n, p in zip(padded, places, strict=True)
                ],
                device=model.device,
            )
            mask = torch.ones_like(ids)
            for row, n in enumerate(padded):
                mask[row, :n] = 0
            made = model.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=False,
                max_new_tokens=max(limits[place] for place in places),
                eos_token_id=list(end_ids),
                pad_token_id=tokenizer.pad_token_id,
                return_dict_in_generate=True,
                output_logits=with_opinions,
            )
            for row, place in enumerate(places):
                ids = made.sequences[row, longest:].tolist()
                ids = _until_end(ids[: limits[place]], end_ids)
                answers[place] = _Said(ids)
                if with_opinions and ids:
                    logits = torch.stack([step[row] for step in made.logits[: len(ids)]])
                    answers[place] = _Said(ids, *opinion(logits))
    return answers


def _until_end(ids: list[int], end_ids: Sequence[int]) -> list[int]:
    for place, token in enumerate(ids):
        if token in end_ids:
            return ids[: place + 1]
    return ids


@contextmanager
def _answering(model: Any) -> Iterator[None]:
    """Let the model answer, with its cache and without its dropout, and leave it as it was."""
    trained, cached = model.training, model.config.use_cache
    model.eval()
    model.config.use_cache = True
    try:
        with torch.inference_mode():
            yield
    finally:
        model.config.use_cache = cached
        model.train(trained)
