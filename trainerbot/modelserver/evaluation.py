"""The last measure of a job: the tuned and the untouched model, answering held-out questions."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.examples import Example
from trainerbot.modelserver.runtimes.base import (
    Answer,
    ChatRuntime,
    ContextTooLong,
    Options,
    Overloaded,
    Piece,
)
from trainerbot.modelserver.runtimes.knn import KnnModel
from trainerbot.modelserver.trainers.scores import word_accuracy, word_f1


@dataclass(frozen=True, slots=True)
class Compared:
    """One held-out question: loss (1 - word F1) and word accuracy of both models' own answers."""

    tuned_loss: float
    base_loss: float
    tuned_accuracy: float
    base_accuracy: float


async def compare(
    tuned: KnnModel,
    base: ChatRuntime,
    questions: Sequence[Example],
    *,
    max_tokens: int,
    seed: int,
) -> AsyncGenerator[Compared, None]:
    """Ask both models each question, greedily, and yield how near the answers came."""
    options = Options(temperature=0.0, max_tokens=max_tokens, seed=seed)
    for example in questions:
        messages = [ChatMessage(Role.USER, example.question)]
        by_tuned = await _text(partial(tuned.answer, messages, options, base))
        by_base = await _text(partial(base.stream, messages, options))
        yield Compared(
            tuned_loss=1 - word_f1(example.answer, by_tuned),
            base_loss=1 - word_f1(example.answer, by_base),
            tuned_accuracy=word_accuracy(example.answer, by_tuned),
            base_accuracy=word_accuracy(example.answer, by_base),
        )


async def _text(ask: Callable[[], Answer]) -> str:
    """Return the whole answer; none to a question longer than the model reads."""
    while True:
        answer = ask()
        try:
            async with aclosing(answer):
                return "".join([event.text async for event in answer if isinstance(event, Piece)])
        except ContextTooLong:
            return ""
        except Overloaded:
            await asyncio.sleep(1)  # people come first
