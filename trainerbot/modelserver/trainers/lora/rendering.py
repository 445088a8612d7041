"""Rows as tokens, by the model's own chat template, and which of them are learned.

The template is asked for the conversation up to and after each answer; what
it adds in between is the answer, up to the token that ends it. So no template
needs `{% generation %}` marks, which most lack.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import TemplateError

from trainerbot.errors import InvalidInput
from trainerbot.messages import Role
from trainerbot.modelserver.trainers.lora.rows import ChatRow, Message, PairRow, calls_tools

# What PyTorch's losses leave out.
NOT_LEARNED = -100


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversation as tokens; `labels` has a token where it is learned, else NOT_LEARNED."""

    input_ids: list[int]
    labels: list[int]
    truncated: bool = field(default=False, kw_only=True)

    @property
    def n_tokens(self) -> int:
        """Tokens that the model reads."""
        return len(self.input_ids)


@dataclass(frozen=True, slots=True)
class Rehearsed(Sample):
    """A question with the untouched model's own answer, and its opinion of each token of that.

    As `opinions.opinion` has it: for each learned token which ones were likely
    in its place, and how likely, and last how likely any other was.
    """

    likely_ids: list[list[int]]
    likely_logs: list[list[float]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt with two answers, as tokens."""

    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]
    truncated: bool

    @property
    def n_tokens(self) -> int:
        """Tokens that the model reads: the prompt with each answer."""
        return 2 * len(self.prompt_ids) + len(self.chosen_ids) + len(self.rejected_ids)


@dataclass(frozen=True, slots=True)
class _Text:
    """A rendered conversation; `spans` are where its answers stand, as [start, end) characters.

    `ends_learned`: an answer to learn is its last message.
    """

    text: str
    spans: list[tuple[int, int]]
    ends_learned: bool


class Renderer:
    """Renders rows for one tokenizer. `end_ids` are the tokens that end an answer.

    Raises InvalidInput when the tokenizer has no chat template, or nothing
    that could end an answer.
    """

    def __init__(self, tokenizer: Any, *, end_ids: Collection[int], max_tokens: int) -> None:
        if not tokenizer.chat_template:
            raise InvalidInput(
                "The base model has no chat template, so it cannot learn conversations. "
                "Choose the instruct or chat variant of the model."
            )
        if not tokenizer.is_fast or (not end_ids and tokenizer.eos_token_id is None):
            raise InvalidInput("The base model's tokenizer is not fit for training.")
        self._tokenizer = tokenizer
        self._end_ids = frozenset(end_ids) | (
            set() if tokenizer.eos_token_id is None else {tokenizer.eos_token_id}
        )
        self._max_tokens = max_tokens
        template = tokenizer.chat_template
        self._knows_tools = "tool" in (template if isinstance(template, str) else str(template))

    def sample(self, row: ChatRow) -> Sample | None:
        """Return the row as tokens; None when the template cannot render it, or no token is learned."""
        rendered = self._rendered(row.messages, row.learned, row.tools)
        if rendered is None:
            return None
        ids, labels = self._labelled(rendered)
        if rendered.ends_learned:
            ids, labels = self._ended(ids, labels)
        truncated = len(ids) > self._max_tokens
        ids, labels = ids[: self._max_tokens], labels[: self._max_tokens]
        if all(label == NOT_LEARNED for label in labels):
            return None
        return Sample(ids, labels, truncated=truncated)

    def pair(self, row: PairRow) -> Pair | None:
        """Return the pair as tokens; None when the template cannot render it, or it is too long."""
        sides = []
        for answer in (row.preferred, row.other):
            messages = [*row.messages, *answer]
            learned = [
                place
                for place in range(len(row.messages), len(messages))
                if messages[place]["role"] == Role.ASSISTANT
            ]
            rendered = self._rendered(messages, learned, row.tools)
            if rendered is None or not rendered.spans:
                return None
            ids, labels = self._ended(*self._labelled(rendered))
            n_prompt = next((p for p, label in enumerate(labels) if label != NOT_LEARNED), len(ids))
            sides.append((ids, n_prompt))
        (preferred, n_first), (other, n_second) = sides
        n_prompt = 0
        # Where a token spans the border, the prompt ends before it.
        for a, b in zip(preferred[:n_first], other[:n_second], strict=False):
            if a != b:
                break
            n_prompt += 1
        if n_prompt >= self._max_tokens:
            return None
        chosen = preferred[n_prompt : self._max_tokens]
        rejected = other[n_prompt : self._max_tokens]
        if not chosen or not rejected or chosen == rejected:
            return None
        truncated = max(len(preferred), len(other)) > self._max_tokens
        return Pair(preferred[:n_prompt], chosen, rejected, truncated)

    def _labelled(self, rendered: _Text) -> tuple[list[int], list[int]]:
        """Return the tokens and their labels: each answer is learned up to the token that ends it."""
        # The template writes the special tokens itself.
        encoded = self._tokenizer(
            rendered.text, add_special_tokens=False, return_offsets_mapping=True
        )
        ids = list(encoded["input_ids"])
        labels = [NOT_LEARNED] * len(ids)
        for start, end in rendered.spans:
            places = [
                place
                for place, (a, b) in enumerate(encoded["offset_mapping"])
                if start <= a < b <= end
            ]
            ends = [index for index, place in enumerate(places) if ids[place] in self._end_ids]
            for place in places[: ends[-1] + 1] if ends else places:
                labels[place] = ids[place]
        return ids, labels

    def _ended(self, ids: list[int], labels: list[int]) -> tuple[list[int], list[int]]:
        """Cut what follows the last answer, and end it where the template does not."""
        last = len(ids) - 1
        while last >= 0 and labels[last] == NOT_LEARNED:
            last -= 1
        if last < 0:
            return ids, labels
        ids, labels = ids[: last + 1], labels[: last + 1]
        if ids[last] in self._end_ids:
            return ids, labels
        end = self._tokenizer.eos_token_id
        end = min(self._end_ids) if end is None else end
        return [*ids, end], [*labels, end]

    def _rendered(
        self, messages: list[Message], learned: Sequence[int], tools: Any
    ) -> _Text | None:
        if not self._knows_tools:
            if calls_tools(messages):
                return None
            tools = None
        for given in (messages, _without_system(messages)):
            # The other way is for templates that know no system message.
            shift = len(messages) - len(given)
            try:
                return self._spans(given, [place - shift for place in learned], tools)
            except (TemplateError, TypeError, ValueError, KeyError):
                continue
        return None

    def _spans(self, messages: list[Message], learned: Sequence[int], tools: Any) -> _Text:
        """Return the text with its answers' places. Raises ValueError when they cannot be found."""
        text = self._template(messages, tools)
        spans = []
        for place in learned:
            after = (
                text if place == len(messages) - 1 else self._template(messages[: place + 1], tools)
            )
            if not text.startswith(after):
                # This template shows earlier answers otherwise than the last
                # one, such as without its thoughts. Only the last is learned.
                if place != len(messages) - 1:
                    continue
                raise ValueError("the conversation does not end as it is rendered")
            spans.append((self._start(messages, place, after, tools), len(after)))
        return _Text(text, spans, len(messages) - 1 in learned)

    def _start(self, messages: list[Message], place: int, after: str, tools: Any) -> int:
        """Return where the answer begins in `after`, which ends with it."""
        if place:
            for prompt in (True, False):
                before = self._template(messages[:place], tools, prompt=prompt)
                if after.startswith(before) and len(before) < len(after):
                    return len(before)
        content = messages[place]["content"]
        if content and content.strip() in after:
            return after.rindex(content.strip())
        raise ValueError("the answer does not stand in the conversation")

    def _template(self, messages: list[Message], tools: Any, *, prompt: bool = False) -> str:
        text: str = self._tokenizer.apply_chat_template(
            messages, tools=tools, tokenize=False, add_generation_prompt=prompt
        )
        return text


def _without_system(messages: list[Message]) -> list[Message]:
    """Return the conversation with its leading system message put before the first question."""
    if len(messages) < 2 or messages[0]["role"] != Role.SYSTEM or messages[1]["role"] != Role.USER:
        return messages
    first, second = messages[0], messages[1]
    joined = f"{first['content']}\n\n{second['content']}"
    return [{**second, "content": joined}, *messages[2:]]
