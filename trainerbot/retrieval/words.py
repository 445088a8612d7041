"""Words that mean little, deny, or are spelled in two ways. English first, Russian beside it."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BEFORE: Final = _words("hey hi hello ok okay um uh please pls plz эй привет пожалуйста")
AFTER: Final = _words("please pls plz thanks пожалуйста плиз спасибо")

CONTRACTIONS: Final[dict[str, tuple[str, ...]]] = {
    **{f"{word}s": (word, "is") for word in ("what", "who", "where", "when", "how", "that")},
    **{
        f"{word}nt": (word, "not")
        for word in (
            *("do", "does", "did", "is", "are", "was", "were", "has", "have", "had"),
            *("could", "would", "should", "must", "need"),
        )
    },
    "cant": ("can", "not"),
    "cannot": ("can", "not"),
    "wont": ("will", "not"),
    "aint": ("is", "not"),
    "im": ("i", "am"),
    "ive": ("i", "have"),
    "youre": ("you", "are"),
    "theyre": ("they", "are"),
}

NEGATIONS: Final = _words(
    "not no never without none nothing nobody nowhere neither nor "
    "не нет ни без никогда нельзя ничего никто "
    "nicht kein keine keinen nie ohne pas jamais sans nunca"
)

# Words that carry grammar rather than meaning: a question that differs only in
# them is a paraphrase, in any other word it asks for something else.
GRAMMAR: Final = _words(
    "a an the do does did can could would should will shall may might is are was were be am"
)

# Latin letters that are words of their own, in English, chats and Spanish.
LETTER_WORDS: Final = _words("a i u e o y")

# The bot is asked for "the" or for "your" prices alike; "my" is another matter.
DETERMINERS: Final = _words("the your")

# Words of so many questions that sharing them says nothing.
COMMON: Final = _words(
    "an the is are was were be do does did can could would will i me my you your we our "
    "it its this that of to in for on at and or what whats how please tell "
    "как что какой какая какое какие это этот эта мне мой я ты вы мы в на и или по для"
)
