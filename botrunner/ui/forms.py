"""Forms that may be sent long after they were opened, also to a bot that has restarted since.

discord.py keeps each open form in memory and forgets it with the process, and
with it what somebody spent minutes on writing. Here all that a form needs is
in its id.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import discord

from botrunner.replies import OUT_OF_REACH, width
from botrunner.ui.acting import answer_error
from trainerbot.errors import TrainerBotError

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

MAX_CHARACTERS = 4000  # in one field, says Discord
MOST_FIELDS = 5
MOST_DESCRIPTION = 100
SEEN = "seen"

Values = Mapping[str, str]
Handler = Callable[["discord.Interaction[TrainerBot]", int, Values], Awaitable[None]]


class Form(discord.ui.Modal):
    """An open form about the row `about`; `handles` names what is done once it is sent.

    seen: which revision of the row it showed, for `seen_in` to tell.
    """

    def __init__(self, *, title: str, handles: str, about: int, seen: int | None = None) -> None:
        shown = "" if seen is None else f".{seen}"
        super().__init__(title=title, custom_id=f"{handles}:{about}{shown}", timeout=None)
        self.stop()  # nobody listens to this one object: `submitted` serves them all

    def ask(
        self,
        label: str,
        *,
        name: str,
        value: str = "",
        hint: str = "",
        required: bool = True,
        max_length: int = MAX_CHARACTERS,
        description: str = "",
    ) -> None:
        """Add a field for a text of any length and any number of lines."""
        field: discord.ui.TextInput[Form] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph,
            custom_id=name,
            default=value or None,
            placeholder=hint or None,
            required=required,
            max_length=max_length,
        )
        beneath = shorten(description, MOST_DESCRIPTION, placeholder="…") or None
        self.add_item(discord.ui.Label(text=label, description=beneath, component=field))

    def ask_long(self, label: str, *, value: str, hint: str, description: str = "") -> None:
        """Ask for one text that starts as `value`, in as many fields as it needs.

        Where it needs more than a form has, it starts empty with the `hint`.
        """
        pieces = in_fields(value)
        if not pieces:
            self.ask(label, name="text0", hint=hint, description=description)
        for number, piece in enumerate(pieces):
            more = f"{label} ({number + 1} of {len(pieces)})" if len(pieces) > 1 else label
            said = description if number == 0 else ""
            self.ask(
                more, name=f"text{number}", value=piece, required=number == 0, description=said
            )


def in_fields(text: str) -> list[str]:
    """Cut `text` at line ends into fields; empty if it does not fit into one form."""
    pieces: list[str] = []
    for line in text.split("\n"):
        if width(line) > MAX_CHARACTERS:
            return []
        if pieces and width(longer := f"{pieces[-1]}\n{line}") <= MAX_CHARACTERS:
            pieces[-1] = longer
        else:
            pieces.append(line)
    return pieces if len(pieces) <= MOST_FIELDS else []


def long_text(values: Values) -> str:
    """Put together again what `ask_long` asked for."""
    pieces = [values[name] for name in sorted(values) if re.fullmatch("text[0-9]", name)]
    return "\n".join(piece for piece in pieces if piece)


class TooFast(TrainerBotError):
    """Somebody sends more forms than a person writes."""


def check_pace(interaction: discord.Interaction[TrainerBot]) -> None:
    """Raise TooFast, in words, when somebody sends more forms than a person writes."""
    if wait_s := interaction.client.forms_sent.update_rate_limit(interaction):
        raise TooFast(f"Not so fast: send it again in {wait_s:.0f} s.")


@asynccontextmanager
async def taking(
    interaction: discord.Interaction[TrainerBot], doing: str, *, words: str = ""
) -> AsyncIterator[None]:
    """Take a form that was sent.

    Whatever goes wrong in the block, they hear of it in one sentence and get
    back the `words` they wrote: Discord forgets a form once it is sent.
    """
    with interaction.client.in_flight.answering():
        try:
            yield
        except Exception as error:
            await answer_error(interaction, error, doing)
            if words:
                await _hand_back(interaction, words)


async def _hand_back(interaction: discord.Interaction[TrainerBot], words: str) -> None:
    file = discord.File(io.BytesIO(words.encode()), "what-you-wrote.txt")
    try:
        await interaction.followup.send("Your words are not lost:", file=file, ephemeral=True)
    except OUT_OF_REACH as refusal:
        log.warning("The words of a form could not be handed back: %s", refusal)


async def submitted(
    interaction: discord.Interaction[TrainerBot], handlers: Mapping[str, Handler]
) -> bool:
    """Serve a form that was sent, if it is one of `handlers`."""
    if interaction.type is not discord.InteractionType.modal_submit or not interaction.data:
        return False
    handles, _, about = str(interaction.data.get("custom_id", "")).rpartition(":")
    about, _, seen = about.partition(".")
    if handles not in handlers or not about.isdecimal():
        return False
    components: Any = interaction.data.get("components", [])
    values = dict(_values(components)) | ({SEEN: seen} if seen else {})
    await handlers[handles](interaction, int(about), values)
    return True


def seen_in(values: Values) -> int | None:
    """Which revision of its row a form showed; None where it did not tell."""
    seen = values.get(SEEN, "")
    return int(seen) if seen.isdecimal() else None


def _values(components: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The fields of a form, wherever they lie in rows and labels."""
    for each in components:
        if "value" in each:
            yield str(each["custom_id"]), str(each["value"])
        yield from _values(each.get("components", []))
        if "component" in each:
            yield from _values([each["component"]])
