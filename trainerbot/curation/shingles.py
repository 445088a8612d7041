"""Texts as numbers: their words, what tells short ones apart, and MinHash signatures."""

from __future__ import annotations

import re
import unicodedata
from array import array
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from trainerbot.retrieval.words import CONTRACTIONS, LETTER_WORDS, NEGATIONS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

N_HASHES: Final = 126
"""Length of a signature. Divisible by 6 and 7, which the usual thresholds take as rows a band."""

SHORT_WORDS: Final = 100
"""Up to so many words, texts with other numbers or negations are different texts."""

# A number with its sign and its separators; a word, with what makes C++ of C. A
# letter of a script without spaces is a word.
_WORD: Final = re.compile(
    r"(?<!\w)[-\u2212]?\d+(?:[.,:/]\d+)*%?"
    r"|[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
    r"|[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+[+#]*"
)
_PLAIN_WORD: Final = re.compile(r"(?<!\w)-?\d+(?:[.,:/]\d+)*%?|\w+[+#]*")
_APOSTROPHES: Final = dict.fromkeys(map(ord, "'\u2018\u2019\u02bc\u00b4`"))

_DENYING: Final = NEGATIONS | {word for word, parts in CONTRACTIONS.items() if "not" in parts}


def words_of(text: str) -> list[str]:
    """Return the words of a text in one spelling: NFKC, casefolded, without punctuation.

    Numbers keep sign, separators and percent sign; "don't" is "dont".
    """
    if text.isascii():
        return _PLAIN_WORD.findall(text.lower().replace("'", ""))
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    return _WORD.findall(folded)


def marks_of(words: list[str]) -> int:
    """Return a 64-bit digest of what must be equal in short texts that are one.

    The numbers, names with digits and single letters, in order, and how often
    something is denied.
    """
    marks = [
        word
        for word in words
        if not word.isalpha() or (len(word) == 1 and word.isascii() and word not in LETTER_WORDS)
    ]
    n_denied = sum(word in _DENYING for word in words)
    told = " ".join((*marks, str(n_denied))).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(told, digest_size=8).digest(), "big", signed=True)


class Texts:
    """Many texts as numbered words, 4 bytes a word, with a signature each.

    A text's shingles are its words and its pairs of neighbouring words: order
    counts, and one word replaced among fourteen leaves 80 % in common. Texts
    without a word are left out. Adding is in order; `keys[i]` is the key of
    the i-th text kept.
    """

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.marks = array("q")
        self.lengths = array("I")
        self._numbers: dict[str, int] = {}
        self._words = array("I")
        self._starts = array("Q", [0])

    def __len__(self) -> int:
        """Return how many texts were kept."""
        return len(self.keys)

    def add(self, key: int, text: str) -> None:
        """Keep a text, unless it has no words."""
        words = words_of(text)
        if not words:
            return
        numbers = self._numbers
        self.keys.append(key)
        self.lengths.append(len(words))
        # Twice as far as they are asked for: no text is like one of half its length.
        self.marks.append(marks_of(words) if len(words) <= 2 * SHORT_WORDS else 0)
        self._words.extend([numbers.setdefault(word, len(numbers)) for word in words])
        self._starts.append(len(self._words))

    def shingles(self, at: int) -> set[int]:
        """Return the words and the pairs of words of one text, each as its own number."""
        words = self._words[self._starts[at] : self._starts[at + 1]]
        found = {first << 32 | second for first, second in zip(words[1:], words, strict=False)}
        found.update(-1 - word for word in words)
        return found

    def signatures(self) -> npt.NDArray[np.uint32]:
        """Return the MinHash of every text, uint32, shape (n_texts, N_HASHES).

        Broder's MinHash with N_HASHES multiplicative hashes of seeded odd
        factors. The share of equal columns of two rows estimates the Jaccard
        likeness of their shingles, with a standard error of 0.04 at 0.8.
        """
        import numpy as np

        words = np.frombuffer(self._words, dtype=np.uint32)
        starts = np.frombuffer(self._starts, dtype=np.uint64).astype(np.int64)
        found = np.empty((len(self), N_HASHES), dtype=np.uint32)
        random = np.random.Generator(np.random.PCG64(20_261_121))
        factors = random.integers(1, 2**63, N_HASHES, dtype=np.uint64) << np.uint64(1)
        factors |= np.uint64(1)
        first = 0
        while first < len(self):
            # A step of about 16,000 words stays in the processor's cache.
            last = int(np.searchsorted(starts, starts[first] + 16_384, side="right")) - 1
            last = max(first + 1, last)
            self._sign(words, starts[first : last + 1], factors, found[first:last])
            first = last
        return found

    def _sign(
        self,
        words: npt.NDArray[np.uint32],
        starts: npt.NDArray[np.int64],
        factors: npt.NDArray[np.uint64],
        found: npt.NDArray[np.uint32],
    ) -> None:
        """Fill in the signatures of neighbouring texts; `starts` has one more than they are."""
        import numpy as np

        own = words[starts[0] : starts[-1]].astype(np.uint64)
        # Behind each word its pair with the next one; the last word of a text,
        # which has none, is paired with itself twice over: with no other.
        mixed = np.empty((len(own), 2), dtype=np.uint64)
        mixed[:, 0] = own + np.uint64(1) << np.uint64(32)
        mixed[:-1, 1] = own[:-1] + np.uint64(1) << np.uint64(32) | own[1:] + np.uint64(1)
        ends = starts[1:] - starts[0] - 1
        mixed[ends, 1] = mixed[ends, 0]
        flat = _mix(mixed.reshape(-1))
        bounds = (starts[:-1] - starts[0]) * 2
        for at, factor in enumerate(factors):
            hashed = (flat * factor >> np.uint64(32)).astype(np.uint32)
            found[:, at] = np.minimum.reduceat(hashed, bounds)


def _mix(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return numbers spread over all 64 bits, one to one: the finalizer of SplitMix64."""
    import numpy as np

    mixed = numbers ^ numbers >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
