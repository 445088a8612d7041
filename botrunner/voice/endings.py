# ruff: noqa: RUF001, RUF002, SIM905 (words of two scripts, line by line)
"""What the words tell of a turn: whether it is over, and whether it was one at all."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
# Said while the other one speaks, to show that one listens.
_LISTENING: Final = frozenset(
    "mm mhm mmhm mm-hm mm-hmm mhmm hm hmm hmmm mmm uh-huh uhuh uhhuh huh aha ah oh ok okay yeah yep "
    "yes yup right sure i see good cool wow nice exactly interesting indeed "
    "мм м ммм мгм мхм угу ага ааа а о да ну хм хмм так ясно понятно вот точно верно хорошо ладно "
    "интересно окей ок классно ого ух".split()
)
_MOST_WORDS: Final = 3
# Who says one of these, and nothing else but what may stand beside it, wants silence.
_STOPS: Final = frozenset(
    "stop quiet silence enough shut hush shush "
    "стоп хватит тихо тише замолчи замолчите молчи молчать помолчи помолчите перестань прекрати "
    "остановись достаточно заткнись".split()
)
_BESIDE_STOPS: Final = frozenset(
    "please be up now it that's that is talking speaking just okay ok hey "
    "пожалуйста ну уже всё все да эй".split()
)
_MOST_STOP_WORDS: Final = 4
# After these a sentence goes on.
_HANGING: Final = frozenset(
    "and or but because so that which who if when while then than as like the a an of to in on at "
    "for with from by about into my your his her our their this these those is are was were i we "
    "it's what's um uh er erm "
    "и или но а что чтобы потому если когда пока как где куда который которая которое которые "
    "чем то же ведь хотя либо в во на с со к ко от до из у о об по за под над при про для без "
    "через мой моя твой твоя наш ваш этот эта эти ээ эээ э эм ну вот значит типа короче".split()
)
_ENDS: Final = re.compile(r"[.!?。！？][\"'”’»)\]]*$")
_GOES_ON: Final = re.compile(r"(?:,|;|:|…|\.\.\.|—|–|-)$")


def is_listening(text: str) -> bool:
    """Whether `text` only shows that somebody listens ("mm-hm", «угу»), or is no word at all."""
    words = [word.casefold() for word in _WORD.findall(text)]
    return len(words) <= _MOST_WORDS and all(map(_is_hum, words))


def is_stop(text: str) -> bool:
    """Whether `text` tells whoever speaks to be silent, and nothing else."""
    words = {word.casefold() for word in _WORD.findall(text)}
    is_short = len(words) <= _MOST_STOP_WORDS
    return is_short and bool(words & _STOPS) and words <= _STOPS | _BESIDE_STOPS


def _is_hum(word: str) -> bool:
    # «да-да», "yeah-yeah"
    return word in _LISTENING or all(part in _LISTENING for part in word.split("-"))


def is_finished(text: str) -> bool | None:
    """Whether a sentence has come to its end, as far as its last word and mark tell.

    None where they tell nothing: many recognisers write no marks.
    """
    said = text.strip()
    if _GOES_ON.search(said):
        return False
    words = _WORD.findall(said)
    hangs = bool(words) and words[-1].casefold() in _HANGING
    if _ENDS.search(said):
        return True
    return False if hangs else None
