"""One turn: a question in, pieces of its answer out, then how the answer came about."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from trainerbot.conversation import prompting
from trainerbot.conversation.recall import Memory, Recalled
from trainerbot.errors import ProviderRefused, ProviderUnavailable, TrainerBotError
from trainerbot.llm import Abilities, CannotSee, ChatModel, Completion, Delta, Usage
from trainerbot.messages import ChatMessage, Image, Role

NOT_KNOWN: Final = Abilities()
NOTHING_TOLD: Final = Usage()

MOST_CHARACTERS: Final = 400_000
"""Of one answer: more than any model says at once. A loop would go on for ever."""


class NoAnswer(ProviderUnavailable):
    """The model said nothing, or came to no end. The endpoint itself is well.

    `usage`: what it read and thought, which is paid for all the same.
    """

    def __init__(self, message: str, *, usage: Usage = NOTHING_TOLD) -> None:
        super().__init__(message)
        self.usage = usage


class NoWords(ProviderRefused):
    """The model had no words for this question: its filter or its length stopped it.

    `usage` as of NoAnswer; `code` is "content_filter" or "length".
    """

    def __init__(self, message: str, *, code: str, usage: Usage) -> None:
        super().__init__(message, code=code)
        self.usage = usage


@dataclass(frozen=True, slots=True)
class Finished:
    """A whole answer, and how it came about.

    `correction_id` is the correction whose own words these are; the model was
    not asked then, and `model` is the one that would have been. `example_ids`
    are the corrections shown to the model, best first. `unseen` says that
    pictures came with the question and the model did not see them. Times are
    from the question, in whole milliseconds.
    """

    text: str
    model: str
    correction_id: int | None
    example_ids: tuple[int, ...]
    usage: Usage
    first_token_ms: int
    total_ms: int
    finish_reason: str | None
    system_fingerprint: str | None
    unseen: bool = False


async def answer(
    question: str,
    *,
    history: Sequence[ChatMessage],
    system_prompt: str,
    recalled: Recalled,
    llm: ChatModel,
    model: str,
    temperature: float | None = None,
    max_tokens: int | None = None,
    images: tuple[Image, ...] = (),
    abilities: Abilities = NOT_KNOWN,
) -> AsyncGenerator[Delta | Finished, None]:
    """Yield the answer in pieces, then one Finished.

    A correction of this very question is given exactly as it was written, and
    no model is asked. `recalled` is what Recall found, off the event loop.
    `history` is oldest first, without `question`. A model that takes no
    `images` is asked without them. Raises ProviderUnavailable or
    ProviderRefused when there is no answer; an empty one is none (NoAnswer).
    """
    began = time.perf_counter()
    if recalled.verbatim is not None:
        yield Delta(recalled.verbatim.answer)
        yield _corrected(recalled.verbatim, model, _ms_since(began))
        return

    room = prompting.room_for_history(
        abilities.context_tokens,
        question=question,
        system_prompt=system_prompt,
        max_tokens=max_tokens,
    )
    seen = () if abilities.sees is False else images
    if images and not seen and not question.strip():
        raise CannotSee(model)
    messages, shown = prompting.build(
        question if seen == images else without_pictures(question, len(images)),
        history=history,
        system_prompt=system_prompt,
        examples=recalled.examples,
        images=seen,
        history_tokens=room,
    )
    first_token_ms = n_characters = 0
    while True:
        pieces = llm.stream(messages, model=model, temperature=temperature, max_tokens=max_tokens)
        try:
            # Closed here and not some time later: whoever stops listening stops the model.
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Delta):
                        first_token_ms = first_token_ms or max(1, _ms_since(began))
                        n_characters += len(piece.text)
                        if n_characters > MOST_CHARACTERS:
                            raise NoAnswer(f"{model} did not come to an end. Ask in other words.")
                        yield piece
                    elif not piece.text.strip():
                        raise _no_answer(piece)
                    else:
                        yield Finished(
                            text=piece.text,
                            model=piece.model,
                            correction_id=None,
                            example_ids=shown,
                            usage=piece.usage,
                            first_token_ms=first_token_ms,
                            total_ms=_ms_since(began),
                            finish_reason=piece.finish_reason,
                            system_fingerprint=piece.system_fingerprint,
                            unseen=len(seen) < len(images),
                        )
            return
        except CannotSee:
            if not seen or not question.strip():
                raise
            seen = ()
            words = without_pictures(question, len(images))
            messages[-1] = ChatMessage(Role.USER, words)


def without_pictures(question: str, n_pictures: int) -> str:
    """Return what a model that takes no pictures reads in their place."""
    what = "a picture" if n_pictures == 1 else f"{n_pictures} pictures"
    return f"{question}\n\n[Here came {what} that you cannot see.]"


def _corrected(memory: Memory, model: str, total_ms: int) -> Finished:
    return Finished(
        text=memory.answer,
        model=model,
        correction_id=memory.id,
        example_ids=(),
        usage=Usage(),
        first_token_ms=total_ms,
        total_ms=total_ms,
        finish_reason="stop",
        system_fingerprint=None,
    )


def _no_answer(completion: Completion) -> TrainerBotError:
    """Return the error for a completion without words."""
    if completion.finish_reason == "content_filter":
        return NoWords(
            f"{completion.model} may not answer this: its content filter stopped it. Ask in "
            "other words.",
            code="content_filter",
            usage=completion.usage,
        )
    if completion.finish_reason == "length":
        return NoWords(
            f"{completion.model} came to the end of its tokens before it said anything. Allow "
            "longer answers in the settings.",
            code="length",
            usage=completion.usage,
        )
    return NoAnswer(
        f"{completion.model} answered nothing. Ask again, or choose another model.",
        usage=completion.usage,
    )


def _ms_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
