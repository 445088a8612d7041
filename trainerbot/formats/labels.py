"""Classes of a labelled text, and the original bot's two words for them."""

from collections.abc import Sequence
from typing import Final

from trainerbot.errors import InvalidInput

POSITIVE: Final = "positive"
NEGATIVE: Final = "negative"

# The original classified pages as shops or not; one of its documents says so in these words.
_ALIASES: Final = {"online_store": POSITIVE, "not_online_store": NEGATIVE}

_YES: Final = frozenset({"true", "yes", "on", "1", POSITIVE, "да"})
_NO: Final = frozenset({"false", "no", "off", "0", NEGATIVE, "нет"})


def canonical(label: str) -> str:
    """Return the label as it is kept: the original's aliases translated, any other as it is."""
    return _ALIASES.get(label.strip().casefold(), label)


def instruction(labels: Sequence[str]) -> str:
    """Return what a model is told before each text, in training and in a test alike."""
    return f"Answer with exactly one of: {', '.join(labels)}."


def of_flag(positive: bool) -> str:
    """Return the label that `positive=True` or `positive=False` gives a whole batch."""
    return POSITIVE if positive else NEGATIVE


def parse_flag(words: str) -> bool:
    """Return what was meant by `positive=False`, `false`, `negative` or a bare `positive`.

    Nothing at all means True, as the original's commands had it. Raises
    InvalidInput for any other word.
    """
    name, equals, value = words.strip().casefold().partition("=")
    if equals and name.strip() != POSITIVE:
        raise InvalidInput("Write positive=True or positive=False.")
    word = (value if equals else name).strip().strip("\"'")
    if word in _YES or (not word and not equals):
        return True
    if word in _NO:
        return False
    raise InvalidInput("Write positive=True or positive=False.")
