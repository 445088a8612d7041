"""How a model tuned by method knn answers: from its examples, or with them before its eyes."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.examples import Example
from trainerbot.modelserver.runtimes.base import (
    Answer,
    ChatRuntime,
    Choice,
    ContextTooLong,
    Finish,
    Options,
    Piece,
    Start,
)
from trainerbot.retrieval import NearestTexts, near_identical

# Questions of other topics share letters too: up to 0.25 by measurement. Shown
# those, a small model repeats them instead of answering.
_MIN_SHOWN_SCORE = 0.3
_WORD = re.compile(r"\s*\S+\s*")


class KnnModel:
    """The index of one tuned model. Slow to build (0.1 s a thousand examples): use a thread."""

    def __init__(self, examples: Sequence[Example], *, n_neighbors: int) -> None:
        self._examples = examples
        self._n_neighbors = n_neighbors
        self._index = NearestTexts([(i, example.question) for i, example in enumerate(examples)])

    async def answer(
        self, messages: Sequence[ChatMessage], options: Options, base: ChatRuntime
    ) -> Answer:
        """Yield as ChatRuntime.stream does. The fingerprint says which way was taken:

        "knn:verbatim:<line>", "knn:few-shot:<lines, best first>" or "knn:base".
        A verbatim answer costs no tokens, and no limit of `options` cuts it.
        With `options.choice` only an example whose answer is one of the words
        answers as it stands, and those shown are written as the answer must be.
        An answer that must be JSON of a schema, or a call, is always made anew.
        """
        choice = options.choice
        verbatim, shown = await asyncio.to_thread(self._recall, messages, choice)
        if verbatim is not None and _must_be_made(options):
            shown = [verbatim, *shown]
            verbatim = None
        if verbatim is not None:
            yield Start(f"knn:verbatim:{verbatim.line}")
            if choice is not None:
                yield Piece(choice.saying(verbatim.answer.strip()))
            else:
                for word in _WORD.findall(verbatim.answer):
                    yield Piece(word)
            yield Finish("stop", prompt_tokens=0, completion_tokens=0)
            return
        while True:
            lines = ",".join(str(example.line) for example in shown)
            fingerprint = f"knn:few-shot:{lines}" if shown else "knn:base"
            stream = base.stream(_with_examples(messages, shown, choice), options)
            try:
                async for event in stream:
                    yield (
                        replace(event, fingerprint=fingerprint)
                        if isinstance(event, Start)
                        else event
                    )
                return
            except ContextTooLong:
                if not shown:
                    raise
                shown = shown[:-1]
            finally:
                await stream.aclose()

    def _recall(
        self, messages: Sequence[ChatMessage], choice: Choice | None
    ) -> tuple[Example | None, list[Example]]:
        """Return the example that answers as it stands, or else those worth showing, best first."""
        if not messages or messages[-1].role is not Role.USER:
            return None, []
        question = messages[-1].content
        matches = self._index.nearest(question, k=max(self._n_neighbors, 3))
        same = [
            (match.score, self._examples[match.key].line, self._examples[match.key])
            for match in matches
            if near_identical(question, self._examples[match.key].question, match.score)
            and (choice is None or self._examples[match.key].answer.strip() in choice.words)
        ]
        if same:
            # Of two equal questions the later line was meant to correct the earlier.
            return max(same, key=lambda found: found[:2])[2], []
        near = [self._examples[match.key] for match in matches if match.score >= _MIN_SHOWN_SCORE]
        return None, near[: self._n_neighbors]


def _must_be_made(options: Options) -> bool:
    """Return whether no stored answer can be what is asked for."""
    return options.shape is not None or (options.tools is not None and options.tools.must_call)


def _with_examples(
    messages: Sequence[ChatMessage], examples: Sequence[Example], choice: Choice | None
) -> list[ChatMessage]:
    """Return the conversation with the examples after its system messages, the best one last."""
    n_system = 0
    while n_system < len(messages) and messages[n_system].role in (Role.SYSTEM, Role.DEVELOPER):
        n_system += 1
    shown = [
        message
        for example in reversed(examples)
        for message in (
            ChatMessage(Role.USER, example.question),
            ChatMessage(Role.ASSISTANT, _as_chosen(example.answer, choice)),
        )
    ]
    return [*messages[:n_system], *shown, *messages[n_system:]]


def _as_chosen(answer: str, choice: Choice | None) -> str:
    """Return an example's answer in the form that this answer must have."""
    word = answer.strip()
    return choice.saying(word) if choice is not None and word in choice.words else answer
