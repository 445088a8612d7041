"""Speech as a service: what was heard, what is said, by whom, in which language and voice.

From async code: `await hear(...)`, `await hear_pcm(...)`, `await say(...)`, `await standings()`.
"""

from dashboard.services.speech.costs import catch_up, is_paid, priced, remove_price, save_price
from dashboard.services.speech.hearing import MOST_S, decoded, hear, hear_pcm
from dashboard.services.speech.results import CannotHear, CannotSpeak, Heard, NothingToSay, Spoken
from dashboard.services.speech.rules import (
    OPENAI,
    hearing_chain,
    hears_elsewhere,
    language_for,
    recognizers,
    save_settings,
    settings_of,
    speaking_chain,
    synthesizers,
)
from dashboard.services.speech.saying import say
from dashboard.services.speech.spoken import forget_spoken
from dashboard.services.speech.spoken import prune as prune_spoken
from dashboard.services.speech.ways import standings

__all__ = [
    "MOST_S",
    "OPENAI",
    "CannotHear",
    "CannotSpeak",
    "Heard",
    "NothingToSay",
    "Spoken",
    "catch_up",
    "decoded",
    "forget_spoken",
    "hear",
    "hear_pcm",
    "hearing_chain",
    "hears_elsewhere",
    "is_paid",
    "language_for",
    "priced",
    "prune_spoken",
    "recognizers",
    "remove_price",
    "save_price",
    "save_settings",
    "say",
    "settings_of",
    "speaking_chain",
    "standings",
    "synthesizers",
]
