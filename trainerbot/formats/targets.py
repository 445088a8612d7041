"""Who trains on a file, and what each of them asks of it."""

from dataclasses import dataclass
from typing import Final

from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Target:
    """One place to train at.

    `context_tokens` is what a model reads of one example; the rest is cut off
    at the end. None where it is not known. `encoding` names the counter in
    `formats.tokens`. `min_examples` and `max_bytes` are of one file; None:
    no limit.
    `wants_bom`: the place's guide asks for a byte order mark.
    """

    name: str
    title: str
    kinds: frozenset[Kind]
    min_examples: int
    max_bytes: int | None
    encoding: str
    context_tokens: int | None
    wants_bom: bool = False


TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for target in (
        # Nobody in particular: only the rules of the format count.
        Target(
            name="any",
            title="any place",
            kinds=frozenset(Kind),
            min_examples=1,
            max_bytes=None,
            encoding="o200k_base",
            context_tokens=None,
        ),
        # OpenAI's guide of 2024: 65,536 tokens on gpt-4o and gpt-4o-mini, longer
        # examples "truncated from the end"; its Files API takes 512 MB.
        Target(
            name="openai",
            title="OpenAI",
            kinds=frozenset({Kind.CHAT, Kind.PREFERENCE}),
            min_examples=10,
            max_bytes=512 * MIB,
            encoding="o200k_base",
            context_tokens=65_536,
        ),
        # Our own: its jobs ask for ten rows, pairs for the method dpo, and its
        # language model is served with 2,048 tokens for a conversation
        # (runtimes/llamacpp.py).
        Target(
            name="modelserver",
            title="our model server",
            kinds=frozenset({Kind.CHAT, Kind.PREFERENCE}),
            min_examples=10,
            max_bytes=512 * MIB,
            encoding="smollm2",
            context_tokens=2048,
        ),
        # learn.microsoft.com, "Customize a model with fine-tuning": at least 10
        # examples, UTF-8 with a byte order mark, less than 512 MB a file.
        Target(
            name="azure",
            title="Azure",
            kinds=frozenset({Kind.CHAT, Kind.PREFERENCE}),
            min_examples=10,
            max_bytes=512 * MIB - 1,
            encoding="o200k_base",
            context_tokens=65_536,
            wants_bom=True,
        ),
        # docs.tokenfactory.nebius.com/post-training/datasets: conversations,
        # 5 GB a file (one copy of the page says 50). The models are open ones
        # with encodings of their own, so a count is an estimate, and what they
        # read is chosen with the job (`context_length`).
        Target(
            name="nebius",
            title="Nebius",
            kinds=frozenset({Kind.CHAT}),
            min_examples=1,
            max_bytes=5_000_000_000,
            encoding="o200k_base",
            context_tokens=None,
        ),
    )
}


def target_named(name: str) -> Target:
    """Return the target `name`. Raises InvalidInput, naming those there are."""
    try:
        return TARGETS[name]
    except KeyError:
        raise InvalidInput(
            f"There is no target {name[:40]!r}. Use one of {', '.join(TARGETS)}."
        ) from None
