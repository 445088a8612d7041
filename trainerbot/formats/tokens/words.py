"""Counting word by word: the same words come again and again, and each is encoded once.

A byte-level BPE never joins what its pre-tokenizer has split, so a text has
as many tokens as its words have together. Where the split is certain, it is
done here by a regular expression and the words are looked up; that takes a
quarter of the time of encoding every text whole.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_KNOWN: Final = 200_000
"""Words that are kept, about 30 MB; with more the memory begins anew."""

LONGEST_KNOWN: Final = 40

# Letters, digits, white space and signs of which every Unicode since 5.0 says the
# same: ASCII, Latin, Cyrillic, usual punctuation. Texts with others are encoded whole.
_LETTERS: Final = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0400-\u0481\u048a-\u04ff"  # fmt: skip
_NUMBERS: Final = "0-9\u00b2\u00b3\u00b9\u00bc-\u00be"
_SPACES: Final = "\t\n\x0b\x0c\r \u00a0"
_CERTAIN: Final = re.compile(
    "[\x00-\x7f\u00a0-\u024f\u0400-\u0481\u048a-\u04ff\u2010-\u2027\u2030-\u203a\u20ac\u2116]*"
)

# llama.cpp's "smollm": every digit is split off, then GPT-2's pattern is applied to what lies
# between, so that a digit ends a run of white space as the end of a text does.
_SMOLLM: Final = re.compile(
    "'(?:s|t|re|ve|m|ll|d)"
    f"| ?[{_LETTERS}]+"
    f"|[{_NUMBERS}]"
    f"| ?[^{_SPACES}{_LETTERS}{_NUMBERS}]+"
    f"|[{_SPACES}]+(?![^{_SPACES}{_NUMBERS}])"
    f"|[{_SPACES}]+"
)


class WordCounts:
    """How many tokens the words of `tokenizer`, which splits as smollm does, have.

    Safe to use from several threads.
    """

    def __init__(self, tokenizer: "Tokenizer", *, special: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._special = re.compile("|".join(map(re.escape, special)) or "(?!)")
        self._known: dict[str, int] = {}

    def takes(self, text: str) -> bool:
        """Whether it is certain how `text` is split."""
        return _CERTAIN.fullmatch(text) is not None and self._special.search(text) is None

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text that `takes` lets through."""
        if len(self._known) > MAX_KNOWN:
            # Another one, since another thread may just be reading this one.
            self._known = {}
        known = self._known
        split = [_SMOLLM.findall(text) for text in texts]
        fresh = list({word for words in split for word in words} - known.keys())
        encodings = self._tokenizer.encode_batch_fast(fresh, add_special_tokens=False)
        counted = {word: len(each) for word, each in zip(fresh, encodings, strict=True)}
        rare = {word: n for word, n in counted.items() if len(word) > LONGEST_KNOWN}
        known.update((word, n) for word, n in counted.items() if len(word) <= LONGEST_KNOWN)
        if not rare:
            return [sum(map(known.__getitem__, words)) for words in split]
        return [
            sum(rare[word] if word in rare else known[word] for word in words) for words in split
        ]
