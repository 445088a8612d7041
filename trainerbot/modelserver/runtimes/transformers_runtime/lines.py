"""What the server and the process of a transformers model tell each other: a line of JSON each."""

from typing import Any, Literal

import msgspec

from trainerbot.modelserver.bases import BaseModel


class Setup(msgspec.Struct, frozen=True, tag="setup"):
    """The first line: which model, and where one of the hub or in GGUF is put."""

    base: BaseModel
    cache: str
    n_threads: int


class LoraFiles(msgspec.Struct, frozen=True):
    """An adapter: the model's id, and PEFT's two files as they lie in the store."""

    id: str
    config: str
    weights: str


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """One question. Messages are as a chat template takes them; None is the model's own default.

    The answer is one that `grammar` allows. With `top_logprobs` each token's
    probability is told, and those of so many others.
    """

    number: int
    messages: list[dict[str, Any]]
    adapter: LoraFiles | None
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    seed: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    stop: list[str]
    logit_bias: list[tuple[int, float]]
    grammar: str | None = None
    top_logprobs: int | None = None


class Embed(msgspec.Struct, frozen=True, tag="embed"):
    """Which vectors have these texts, or lists of token ids?"""

    number: int
    inputs: list[str | list[int]]


class Count(msgspec.Struct, frozen=True, tag="count"):
    """How many tokens has this text?"""

    number: int
    text: str


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Nobody waits for this answer any more."""

    number: int


class Forget(msgspec.Struct, frozen=True, tag="forget"):
    """Keep this adapter no longer."""

    adapter_id: str


ToModel = Setup | Ask | Embed | Count | Stop | Forget


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The model is loaded, and its process has so much memory."""

    n_bytes: int


class Chunk(msgspec.Struct, frozen=True, tag="chunk"):
    """Some of an answer, in the shape of a chat.completion.chunk."""

    number: int
    chunk: dict[str, Any]


class Embedded(msgspec.Struct, frozen=True, tag="embedded"):
    """Some more of the vectors, each as its 32-bit numbers, and the tokens of their inputs."""

    number: int
    vectors: list[bytes]
    n_tokens: int


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """The answer to Count."""

    number: int
    n_tokens: int


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """An answer is over."""

    number: int


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """A question, or with number -1 the loading, failed; `message` is a sentence for people."""

    number: int
    kind: Literal["unavailable", "invalid", "too_long"]
    message: str


FromModel = Ready | Chunk | Embedded | Counted | Ended | Fault
