"""How a text is read for its tone: words, denials, contrasts, questions, signs."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, Literal

from trainerbot.curation.sentiment import grammar, words

Tone = Literal["positive", "negative", "neutral"]

READ_CHARS: Final = 10_000
THRESHOLD: Final = 0.85
# Of all that was said for and against, so much must be left for one side.
MAJORITY: Final = 0.2
STRONG: Final = 1.3
WEAK: Final = 0.7
BEFORE_TURN: Final = 0.5
AFTER_TURN: Final = 1.5
GRANTED: Final = 0.5
ASKED: Final = 0.4
# A denied praise is a reproach; a denied reproach is faint praise.
DENIED_GOOD: Final = -0.75
DENIED_BAD: Final = -0.6
MENDED_REACH: Final = 3
MOST_SIGNS: Final = 4.0
LONGEST_ENDING: Final = 8

_ENDINGS: Final = frozenset((words.ENGLISH_ENDINGS + words.RUSSIAN_ENDINGS).split())
_REFLEXIVE: Final = ("ся", "сь")


def _split(given: Iterable[tuple[float, str]]) -> tuple[dict[str, float], dict[str, float]]:
    """Return whole words and stems, each with its weight. The first that names one has it."""
    whole: dict[str, float] = {}
    stems: dict[str, float] = {}
    for weight, text in given:
        for word in text.split():
            (stems if word.endswith("~") else whole).setdefault(word.removesuffix("~"), weight)
    return whole, stems


_WHOLE, _STEMS = _split([*words.ENGLISH.items(), *words.RUSSIAN.items()])
_DENIED_WHOLE, _DENIED_STEMS = _split(words.DENIED.items())
_MENDED_WHOLE, _MENDED_STEMS = _split([(1, words.MENDED)])
_COURTESY_WHOLE, _COURTESY_STEMS = _split([(1, words.COURTESY)])
_NEGATIONS: Final = {
    word: reach for reach, text in grammar.NEGATIONS.items() for word in text.split()
}
_STRONGER: Final = frozenset(grammar.STRONGER.split())
_WEAKER: Final = frozenset(grammar.WEAKER.split())
_TURNS: Final = frozenset(grammar.TURNS.split())
_GRANTS: Final = frozenset(grammar.GRANTS.split())
_JOINS: Final = frozenset(grammar.JOINS.split())
_OPINIONS: Final = frozenset(grammar.OPINIONS.split())
_ASKS: Final = frozenset(grammar.ASKS.split())
_PHRASES: Final = {tuple(phrase.split()): weight for phrase, weight in grammar.PHRASES.items()}
_DENYING: Final = {tuple(phrase.split()) for phrase in grammar.DENYING}
_BEGINNINGS: Final = {phrase[0] for phrase in (*_PHRASES, *_DENYING)}
_LONGEST_PHRASE: Final = max(map(len, (*_PHRASES, *_DENYING)))
_SIGNS: Final = {sign: weight for weight, text in words.SIGNS.items() for sign in text.split()}

# Quoted code and addresses say nothing about anybody's mood, and hold ":/".
_ELSEWHERE: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|(?<!\w)\w{1,20}://\S+", re.DOTALL)
_UNSEEN: Final = re.compile("[\u200b-\u200f\u2060\ufe0f\ufeff\U0001f3fb-\U0001f3ff]")
_EMOTICON: Final = re.compile(
    r"""
    (?P<glad> [:;=8][-^']?[)\]D]+(?!\w) | (?<!\w)[(\[][-^]?[:;=](?!\w) | \b[xX]D+\b | <3+(?!\d)
        | \^_*\^ )
    | (?P<sad> [:;=]'?[-^]?[(\[]+(?!\w) | (?<!\w)[:;=]-?[/\\|](?![\w/]) | >[:;=][-^]?\(
        | </3 | \bT_+T\b | (?<!\w)-_+-(?!\w) )
    """,
    re.VERBOSE,
)
_BRACKETS_GLAD: Final = re.compile(r"\){2,}|(?:[^\W\d_]{2}|[!?.…\s])\)\s*$", re.MULTILINE)
_BRACKETS_SAD: Final = re.compile(r"\({2,}|(?:[^\W\d_]{2}|[!?.…\s])\(\s*$", re.MULTILINE)
_SENTENCE: Final = re.compile(r"([^.!?…\n]+)([.!?…\n]*)")
_PIECE: Final = re.compile(r"[^\W\d_]+|[,;:()—–\"«»|]")
_APOSTROPHE: Final = re.compile(r"(?<=\w)['’\u02bc](?=\w)")
_STRETCHED: Final = re.compile(r"(.)\1{2,}")


def tone(text: str) -> Tone:
    """Return whether a text sounds positive, negative or neither.

    English and Russian words, whole ones and their usual endings; emoji and
    emoticons in any language. Denied words are turned ("not good", "не
    понравилось"), what follows "but" weighs more than what came before,
    questions weigh little, thanks count only where nothing else is said.
    Irony is not understood. The first 10,000 characters are read.
    """
    plain = _UNSEEN.sub("", _ELSEWHERE.sub(" ", text[:READ_CHARS]))
    plain = unicodedata.normalize("NFKC", plain)
    signs, rest = _signs(plain)
    said = _Said()
    for match in _SENTENCE.finditer(
        _APOSTROPHE.sub("", rest.casefold().replace("\u0451", "\u0435"))
    ):
        _read(_PIECE.findall(match[1]), asked="?" in match[2], said=said)
    if not said.for_it and not said.against:
        signs += said.courtesies
    total = said.for_it - said.against + signs
    if abs(total) < max(THRESHOLD, MAJORITY * (said.for_it + said.against)):
        return "neutral"
    return "positive" if total > 0 else "negative"


class _Said:
    """What was said for it and against it so far."""

    def __init__(self) -> None:
        self.for_it = 0.0
        self.against = 0.0
        self.courtesies = 0

    def add(self, value: float) -> None:
        if value > 0:
            self.for_it += value
        else:
            self.against -= value

    def fade(self) -> None:
        self.for_it *= BEFORE_TURN
        self.against *= BEFORE_TURN


def _signs(text: str) -> tuple[float, str]:
    """Return what emoji and emoticons say, and the text without them."""
    found = sum(_SIGNS.get(character, 0.0) for character in text)
    for match in _EMOTICON.finditer(text):
        found += 2.0 if match["glad"] else -2.0
    rest = _EMOTICON.sub(" , ", text)
    # People who write Russian smile with the bracket alone.
    opened, closed = rest.count("("), rest.count(")")
    if closed > opened and _BRACKETS_GLAD.search(rest):
        found += 1.5
    elif opened > closed and _BRACKETS_SAD.search(rest):
        found -= 1.5
    return max(-MOST_SIGNS, min(MOST_SIGNS, found)), rest


def _read(pieces: list[str], *, asked: bool, said: _Said) -> None:
    """Add what one sentence says."""
    factor = ASKED if asked and not _ASKS.isdisjoint(pieces[:3]) else 1.0
    granted = boost = 1.0
    denied = mended = 0  # How many more words they reach.
    only = 0.0  # With "and" only a word of the same side is denied with the last one.
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        length, value = _phrase(pieces, at)
        at += length
        if not piece.isalpha():
            granted = boost = 1.0
            mended = 0
            if pieces[at : at + 1] != ["что"] or pieces[at - 2] not in _OPINIONS:
                denied = 0
            continue
        if value is None:
            if " ".join(pieces[at - length : at]) in grammar.DENYING:
                denied, only, boost = 5, 0.0, 1.0
                continue
            if piece in _NEGATIONS:
                denied, only, boost = _NEGATIONS[piece], 0.0, 1.0
                continue
            if piece in _TURNS:
                said.fade()
                factor, granted, boost, denied, mended = factor * AFTER_TURN, 1.0, 1.0, 0, 0
                continue
            if piece in _GRANTS:
                granted, denied = GRANTED, 0
                continue
            follows = pieces[at] if at < len(pieces) else ""
            if (piece in _STRONGER or piece in _WEAKER) and (
                follows in _STRONGER or _weight(follows) or (denied and _denied_weight(follows))
            ):
                boost *= STRONG if piece in _STRONGER else WEAK
                continue
            value = _weight(piece)
            if not value and denied:
                value = _denied_weight(piece)
            if _is_mended(piece) and not denied:
                mended = MENDED_REACH + 1
                value = value or 1.0
        if _among(piece, _COURTESY_WHOLE, _COURTESY_STEMS):
            said.courtesies += 1
        if value:
            turned = bool(denied) and (not only or only * value > 0)
            if turned:
                joined = pieces[at] if at < len(pieces) else ""
                said.add(
                    value * (DENIED_GOOD if value > 0 else DENIED_BAD) * boost * factor * granted
                )
                denied = 4 if joined in _JOINS else 0
                only = value if joined in ("and", "и") else 0.0
            elif not (mended and value < 0):
                said.add(value * boost * factor * granted)
                denied = 0
        denied, mended, boost = max(0, denied - 1), max(0, mended - 1), 1.0


def _phrase(pieces: list[str], at: int) -> tuple[int, float | None]:
    """Return how many pieces belong together here, and what they say; None: ask each word."""
    if pieces[at] in _BEGINNINGS:
        for length in range(min(_LONGEST_PHRASE, len(pieces) - at), 1, -1):
            together = tuple(pieces[at : at + length])
            if together in _PHRASES:
                return length, _PHRASES[together]
            if together in _DENYING:
                return length, None
    return 1, None


@lru_cache(maxsize=4096)
def _weight(word: str) -> float:
    """Return what a word says by itself; 0 for most."""
    return _among(word, _WHOLE, _STEMS)


@lru_cache(maxsize=4096)
def _denied_weight(word: str) -> float:
    return _among(word, _DENIED_WHOLE, _DENIED_STEMS)


def _is_mended(word: str) -> bool:
    return bool(_among(word, _MENDED_WHOLE, _MENDED_STEMS))


def _among(word: str, whole: dict[str, float], stems: dict[str, float]) -> float:
    for spelling in _spellings(word):
        if found := whole.get(spelling) or _stemmed(spelling, stems):
            return found
    return 0.0


def _spellings(word: str) -> Iterator[str]:
    """Yield a word as it stands, and as it is meant: "sooo", "loooove"."""
    yield word
    if _STRETCHED.search(word):
        yield _STRETCHED.sub(r"\1\1", word)
        yield _STRETCHED.sub(r"\1", word)


def _stemmed(word: str, stems: dict[str, float]) -> float:
    """Return the weight of the longest stem of which `word` is a usual form."""
    for cut in range(len(word), max(2, len(word) - LONGEST_ENDING), -1):
        weight = stems.get(word[:cut])
        if weight is not None and _is_ending(word[cut:]):
            return weight
    return 0.0


def _is_ending(ending: str) -> bool:
    if not ending or ending in _ENDINGS:
        return True
    return ending.endswith(_REFLEXIVE) and (len(ending) == 2 or ending[:-2] in _ENDINGS)
