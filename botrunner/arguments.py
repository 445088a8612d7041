"""What people write behind a command, cut into its arguments.

Discord.py would cut at spaces and trip over quotes, so commands take all that
follows their name as one text, and these functions cut it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import discord
from discord.ext import commands

from trainerbot.errors import InvalidInput
from trainerbot.formats import labels

MAX_NAME: Final = 120  # characters of a dataset's name
MOST_WORDS_OF_A_NAME: Final = 4
TOO_MANY: Final = "Attach one file to a message; several at once are best sent as one ZIP archive."
_FENCE: Final = re.compile(r"```(?:[\w+\-.#]{0,20}[ \t]*\r?\n)?(.*?)\s*```", re.DOTALL)
_FLAG_BEHIND: Final = re.compile(r"(?:^|\s)(positive\s*[=:]\s*\S*)$", re.IGNORECASE)
_FLAG_BEFORE: Final = re.compile(r"^(positive\s*[=:]\s*\S+)(?:\s+|$)", re.IGNORECASE)
_BARE_FLAG: Final = re.compile(r"(?:^|\s)(true|false)$", re.IGNORECASE)
_KEY: Final = re.compile(r"^(?:data_dir|data|dataset)\s*=\s*", re.IGNORECASE)
_EVERYWHERE: Final = re.compile(r"(?:^|\s)everywhere(?:\s*[=:]\s*(true|yes))?$", re.IGNORECASE)
_SPOKEN: Final = re.compile(r"^spoken\s*[=:]\s*(true|false|yes|no)(?:\s+|$)", re.IGNORECASE)
_SPOKEN_BEHIND: Final = re.compile(r"(?:^|\s)spoken\s*[=:]\s*(true|false|yes|no)$", re.IGNORECASE)
_QUOTES: Final = ('""', "''", "“”", "„“", "«»", "``")
# What a phone makes of straight quotes.
_CURLY: Final = str.maketrans("“”„‟\u2018’", '""""\'\'')


@dataclass(frozen=True, slots=True)
class Lesson:
    """What `train` was given beside a file. positive: None where nothing was said of it.

    text: a name or pasted words, without a fence; is_name: whether it can only
    be a name, since words that are pasted look otherwise.
    """

    text: str = ""
    is_name: bool = False
    positive: bool | None = None

    @property
    def label(self) -> str:
        """The label of every text that names none."""
        return labels.of_flag(self.positive is not False)


def lesson(words: str, *, folder: str = "", positive: bool | None = None) -> Lesson:
    """Understand what follows `train`: `rooms`, `"my rooms" false`, a fenced JSON, nothing.

    folder, positive: the other options of a slash command. Raises
    BadArgument, which becomes the usage, for a flag that is none.
    """
    rest, said = _cut_flag(words.strip())
    keyed = _KEY.match(rest)
    rest = rest[keyed.end() :] if keyed else rest
    name = unquoted(folder.strip())
    if name:
        if rest:
            raise commands.BadArgument("A dataset has one name.")
        return Lesson(name, is_name=True, positive=said if positive is None else positive)
    fenced = unfenced(rest)
    is_name = bool(rest) and fenced == rest and (keyed is not None or looks_like_a_name(rest))
    return Lesson(
        text=unquoted(rest) if is_name else fenced,
        is_name=is_name,
        positive=said if positive is None else positive,
    )


def name_and_flag(words: str, *, positive: bool | None = None) -> tuple[str, bool | None]:
    """Return a dataset's name and what was said of `positive`, from what follows a command.

    Raises UserInputError without a name and for a flag that is none.
    """
    rest, said = _cut_flag(words.strip())
    keyed = _KEY.match(rest)
    name = unquoted(rest[keyed.end() :] if keyed else rest)
    if not name:
        raise commands.UserInputError
    return name, said if positive is None else positive


def everywhere(words: str) -> tuple[str, bool]:
    """Return the words without a last `everywhere`, and whether it was there."""
    found = _EVERYWHERE.search(words.strip())
    if found is None:
        return words.strip(), False
    return words.strip()[: found.start()].strip(), True


def spoken(words: str) -> tuple[str, bool]:
    """Return the words without `spoken:True` at one of their ends, and whether it was said."""
    text = words.strip()
    for pattern in (_SPOKEN_BEHIND, _SPOKEN):
        if found := pattern.search(text):
            rest = (text[: found.start()] + text[found.end() :]).strip()
            return rest, found[1].lower() in ("true", "yes")
    return text, False


def looks_like_a_name(words: str) -> bool:
    """Whether `words` may be the name of a dataset, and not a text to learn from."""
    quoted = unquoted(words) != words
    return (
        "\n" not in words
        and len(words) <= MAX_NAME
        and not words.startswith(("{", "["))
        and (quoted or len(words.split()) <= MOST_WORDS_OF_A_NAME)
    )


def unfenced(words: str) -> str:
    """Return what stands in a code block or between backticks; other words as they are."""
    stripped = words.strip()
    if found := _FENCE.fullmatch(stripped):
        return found[1]
    if len(stripped) > 1 and stripped[0] == stripped[-1] == "`" and "`" not in stripped[1:-1]:
        return stripped[1:-1]
    return stripped


def straight(words: str) -> str:
    """Return `words` with the curly quotes of a phone made straight."""
    return words.translate(_CURLY)


def unquoted(words: str) -> str:
    """Return `words` without the quotes around them."""
    stripped = words.strip()
    for opening, closing in _QUOTES:
        if len(stripped) > 1 and stripped[0] == opening and stripped[-1] == closing:
            return stripped[1:-1].strip()
    return stripped


def the_one(attachments: Sequence[discord.Attachment]) -> discord.Attachment | None:
    """Return the file that came along, if one did. Raises InvalidInput for several."""
    if len(attachments) > 1:
        raise InvalidInput(TOO_MANY)
    return attachments[0] if attachments else None


def _cut_flag(words: str) -> tuple[str, bool | None]:
    """Return the words without `positive=…` or a bare `false` at one of their ends, and its value."""
    for pattern in (_FLAG_BEHIND, _FLAG_BEFORE):
        if found := pattern.search(words):
            rest = (words[: found.start()] + words[found.end() :]).strip()
            return rest, _value(found[1].replace(":", "=", 1))
    if found := _BARE_FLAG.search(words):
        rest = words[: found.start()].strip()
        # The last word of a sentence is no flag.
        if not rest or unfenced(rest) != rest or rest[-1] in "}]" or looks_like_a_name(rest):
            return rest, _value(found[1])
    return words, None


def _value(flag: str) -> bool:
    try:
        return labels.parse_flag(flag)
    except InvalidInput as error:
        raise commands.BadArgument(str(error)) from error
