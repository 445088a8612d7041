"""The next token: sampled as OpenAI describes it, and within the grammar of the answer."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.runtimes.transformers_runtime.automaton import (
    Grammar,
    State,
    Vocabulary,
)
from trainerbot.modelserver.runtimes.transformers_runtime.lines import Ask


class Bounds:
    """Holds one answer to its grammar."""

    def __init__(self, grammar: str, vocabulary: Vocabulary, ends: frozenset[int]) -> None:
        self._grammar = Grammar(grammar)
        self._vocabulary = vocabulary
        self._ends = ends
        self._state = self._grammar.start
        self._known: dict[State, list[int]] = {}

    @property
    def is_over(self) -> bool:
        """Whether nothing can follow."""
        return self._grammar.must_end(self._state)

    def allows(self, token: int) -> bool:
        """Return whether the token may come next."""
        if token in self._ends:
            return self._grammar.may_end(self._state)
        return bool(self._after(token))

    def allowed(self) -> list[int]:
        """Return all tokens that may come next. Raises InvalidInput where none can."""
        if self._state not in self._known:
            found = self._vocabulary.allowed(self._grammar, self._state)
            if self._grammar.may_end(self._state):
                found += sorted(self._ends)
            if not found:
                raise InvalidInput("This model has no tokens to write what was asked for.")
            self._known[self._state] = found
        return self._known[self._state]

    def add(self, token: int) -> None:
        """Note that the token was written."""
        if token not in self._ends:
            self._state = self._after(token)

    def _after(self, token: int) -> State:
        data = self._vocabulary.tokens.get(token)
        return self._grammar.after(self._state, data) if data else frozenset()


class Sampler:
    """Chooses the tokens of one answer. The same seed chooses the same."""

    def __init__(
        self, asked: Ask, defaults: Mapping[str, float], bounds: Bounds | None, device: str
    ) -> None:
        self._asked = asked
        self._bounds = bounds
        self._temperature = _or_default(asked.temperature, defaults, "temperature")
        self._top_p = _or_default(asked.top_p, defaults, "top_p")
        self._counts: torch.Tensor | None = None
        self._random = torch.Generator(device)
        if asked.seed is not None:
            self._random.manual_seed(asked.seed)
        else:
            self._random.seed()

    def next(self, logits: torch.Tensor) -> int:
        """Return the next token. `logits` has shape (n_tokens_of_the_vocabulary,)."""
        if self._counts is None:
            self._counts = torch.zeros_like(logits)
        weighed = self._weighed(logits, self._counts)
        token = self._sampled(weighed)
        if self._bounds is not None:
            if not self._bounds.allows(token):
                # Only now: to try them all takes a while, and most models write what they should.
                allowed = self._bounds.allowed()
                bound = torch.full_like(weighed, -torch.inf)
                bound[allowed] = weighed[allowed]
                token = self._sampled(bound)
            self._bounds.add(token)
        self._counts[token] += 1
        return token

    def _weighed(self, logits: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        asked = self._asked
        if asked.frequency_penalty:
            logits = logits - asked.frequency_penalty * counts
        if asked.presence_penalty:
            logits = logits - asked.presence_penalty * (counts > 0)
        if asked.logit_bias:
            logits = logits.clone()
        for token, bias in asked.logit_bias:
            if 0 <= token < len(logits):
                logits[token] += bias
        return logits

    def _sampled(self, logits: torch.Tensor) -> int:
        if self._temperature < 1e-5:
            return int(logits.argmax())
        probabilities = torch.softmax(logits / self._temperature, dim=-1)
        if self._top_p < 1:
            ordered, places = probabilities.sort(descending=True)
            # The likeliest always stays, however small top_p is.
            ordered[(ordered.cumsum(-1) - ordered) > self._top_p] = 0
            return int(places[torch.multinomial(ordered, 1, generator=self._random)])
        return int(torch.multinomial(probabilities, 1, generator=self._random))


def told_logprobs(
    logits: torch.Tensor, token: int, n_top: int, written: Callable[[int], bytes]
) -> dict[str, Any]:
    """Return the token's natural log probability and those of the `n_top` likeliest, as OpenAI's.

    They are the model's own: before temperature, penalties and grammar. `written` tells the
    bytes of a token.
    """
    logprobs = torch.log_softmax(logits, dim=-1)
    top = logprobs.topk(n_top) if n_top else None
    return {
        **_told(written(token), float(logprobs[token])),
        "top_logprobs": []
        if top is None
        else [
            _told(written(int(other)), float(value))
            for value, other in zip(top.values, top.indices, strict=True)
        ],
    }


def _told(data: bytes, logprob: float) -> dict[str, Any]:
    return {
        "token": data.decode("utf-8", "replace"),
        # JSON has no word for what is impossible; OpenAI's is this number.
        "logprob": max(logprob, -9999.0),
        "bytes": list(data),
    }


def _or_default(given: float | None, defaults: Mapping[str, float], name: str) -> float:
    return defaults.get(name, 1.0) if given is None else given
