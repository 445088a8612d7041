"""Which letters the bytes of a text table mean: UTF-8, or UTF-16 that says so."""

import codecs
import re
from typing import Final, NamedTuple

from trainerbot.formats.report import Problem, of_file

HEAD_BYTES: Final = 64 * 1024

# Letters that make most of a Russian text; in Windows-1251 they are 0xE0 to 0xFF.
_CYRILLIC: Final = frozenset("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъ")


class Decoded(NamedTuple):
    """The beginning of a file as text, and the codec that read it."""

    text: str
    encoding: str


def decode_head(head: bytes) -> Decoded | Problem:
    """Return the first HEAD_BYTES of a file as text, or why they are no text we read.

    UTF-8 with or without a byte order mark, and UTF-16 with one. Single bytes
    that are no UTF-8 do not count against UTF-8 when most of the text is: the
    rows that hold them are refused one by one.
    """
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return _refuse("UTF-32")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return Decoded(codecs.getincrementaldecoder("utf-16")().decode(head), "utf-16")
        except UnicodeDecodeError:
            return _refuse("damaged UTF-16")
    if _is_wide(head):
        return _refuse("UTF-16 without a byte order mark")
    text = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape").decode(head)
    n_wrong = sum("\ud800" <= char <= "\udfff" for char in text)
    n_right = sum(char > "\x7f" for char in text) - n_wrong
    if n_wrong > n_right:
        return _refuse(_guess_code_page(head))
    return Decoded(text, "utf-8-sig")


def _is_wide(head: bytes) -> bool:
    """Say whether every other byte is zero, as ASCII's are in UTF-16."""
    sample = head[:2000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    return len(sample) >= 4 and max(even, odd) > len(sample) // 4 and min(even, odd) == 0


def _guess_code_page(head: bytes) -> str:
    """Name the Windows code page that the bytes most look like."""
    # Russian words are all high bytes; of Western ones, a letter here and there.
    n_in_words = sum(len(word) for word in re.findall(rb"[\x80-\xff]{2,}", head))
    letters = [char for char in head.decode("cp1251", errors="ignore").lower() if char > "\x7f"]
    n_high = sum(byte > 0x7F for byte in head)
    n_cyrillic = sum(letter in _CYRILLIC for letter in letters)
    if n_in_words > n_high * 0.8 and n_cyrillic > len(letters) * 0.8:
        return "most likely Windows-1251 (Cyrillic)"
    return "most likely Windows-1252 (Western European)"


def _refuse(encoding: str) -> Problem:
    return of_file(
        "invalid_encoding",
        f"This file is {encoding}, not UTF-8. Save it as UTF-8 and try again; Excel calls it "
        '"CSV UTF-8".',
    )
