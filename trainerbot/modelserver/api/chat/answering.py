"""The answers of one request, one after another, and what they came to."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from trainerbot.messages import ChatMessage
from trainerbot.modelserver.api.errors import model_not_found
from trainerbot.modelserver.catalog import Catalog, UnknownModel
from trainerbot.modelserver.runtimes.base import (
    Answer,
    CallPiece,
    Event,
    Finish,
    Options,
    Piece,
    Start,
    TokenLogprob,
)

Answers = AsyncGenerator[tuple[int, Event], None]


async def answers(
    catalog: Catalog, model: str, messages: Sequence[ChatMessage], options: Options, *, n: int
) -> Answers:
    """Yield the events of `n` answers, each with the number of its answer.

    One after another: the model reads the conversation once, and other
    clients keep their places. A seed counts up from one answer to the next.
    """
    for index in range(n):
        seed = None if options.seed is None else (options.seed + index) % (2**32 - 1)
        answer = await _answer(catalog, model, messages, replace(options, seed=seed))
        async with aclosing(answer):
            async for event in answer:
                yield index, event


async def _answer(
    catalog: Catalog, model: str, messages: Sequence[ChatMessage], options: Options
) -> Answer:
    empty = options.max_tokens == 0
    try:
        answer = await catalog.answer(
            model, messages, replace(options, max_tokens=1) if empty else options
        )
    except UnknownModel as error:
        raise model_not_found(error.model_id) from error
    return _emptied(answer) if empty else answer


async def _emptied(answer: Answer) -> Answer:
    """Yield an answer of no tokens; no model is asked for fewer than one."""
    async with aclosing(answer):
        async for event in answer:
            if isinstance(event, Start):
                yield event
            elif isinstance(event, Finish):
                yield replace(event, finish_reason="length", completion_tokens=0)


@dataclass(slots=True)
class Said:
    """What one answer has said so far. `calls` are pairs of id, name and parts of arguments."""

    text: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    calls: list[tuple[str, str, list[str]]] = field(default_factory=list)
    finish: Finish | None = None

    def take(self, event: Event) -> None:
        """Add an event to it."""
        match event:
            case Piece():
                self.text.append(event.text)
                self.logprobs.extend(event.logprobs)
            case CallPiece():
                if event.index >= len(self.calls):
                    self.calls.append((event.id or "", event.name or "", []))
                self.calls[event.index][2].append(event.arguments)
            case Finish():
                self.finish = event


@dataclass(slots=True)
class Gathered:
    """What all answers of one request have said so far."""

    said: dict[int, Said] = field(default_factory=dict)
    fingerprint: str = ""

    def take(self, index: int, event: Event) -> None:
        """Add an event of answer `index`."""
        if isinstance(event, Start) and not self.said:
            self.fingerprint = event.fingerprint
        self.said.setdefault(index, Said()).take(event)

    def usage(self) -> dict[str, object]:
        """Return OpenAI's usage object: the conversation counts once, as it was read once."""
        finished = [said.finish for said in self.said.values() if said.finish is not None]
        read = finished[0] if finished else Finish("stop", 0, 0)
        n_written = sum(finish.completion_tokens for finish in finished)
        return {
            "prompt_tokens": read.prompt_tokens,
            "completion_tokens": n_written,
            "total_tokens": read.prompt_tokens + n_written,
            "prompt_tokens_details": {"cached_tokens": read.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }
