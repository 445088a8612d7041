"""Which models there are, which one answers here, and what it is told before a talk."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner import arguments
from botrunner.people import Asker, asker_of, require, requires
from botrunner.progress import Progress, Said, carry_out
from botrunner.quoting import in_a_line
from botrunner.replies import clip
from botrunner.ui.names import offering
from dashboard.models import FineTuneJob
from dashboard.services import chat, here, library, routing
from dashboard.services.access import Permission
from dashboard.services.here import Here
from trainerbot.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

RESTARTED = "The bot is being restarted. Ask again in a moment."
SHOWN = 20
KEPT_S = 10.0  # what the endpoint offers, while somebody types
DEFAULT = "default"
CLEAR = frozenset({"default", "clear", "none", "reset"})
ONLY_ON_A_SERVER = "This works on a server only; elsewhere, use the dashboard's settings."

use_model = database_sync_to_async(here.use_model)
set_persona = database_sync_to_async(here.set_persona)
aliases = database_sync_to_async(routing.names)


_offered: tuple[float, list[str]] = (-math.inf, [])


async def find_models(containing: str) -> list[str]:
    global _offered
    asked_at, names = _offered
    if time.monotonic() - asked_at > KEPT_S:
        names = [*await aliases(), *(model.id for model in await chat.models())]
        _offered = (time.monotonic(), names)
    wanted = containing.strip().casefold()
    return [name for name in [*names, DEFAULT] if wanted in name.casefold()]


class Models(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(  # type: ignore[arg-type]
        name="models",
        description="The models at hand, tuned ones first, and which one answers here",
    )
    @requires(Permission.CHAT)
    async def list_models(self, context: commands.Context[TrainerBot]) -> None:
        async def work(live: Progress) -> Said:
            asker = await asker_of(context)
            names = [model.id for model in await chat.models()]
            answers = asker.place.model or await chat.default_model()
            return Said(listed(names, answers, await learnt(names[:SHOWN])))

        await carry_out(context, work, cut_short=RESTARTED)

    @commands.hybrid_command(  # type: ignore[arg-type]  # as above
        usage="<model>|default [everywhere]", description="Lets a model answer in this channel"
    )
    @app_commands.describe(
        model="A model, or default for the one that answers elsewhere",
        everywhere="In all of this server instead of this channel",
    )
    @app_commands.autocomplete(model=offering(Permission.SETTINGS, find_models))
    @requires(Permission.SETTINGS)
    async def use(
        self, context: commands.Context[TrainerBot], *, model: str, everywhere: bool = False
    ) -> None:
        words, said = arguments.everywhere(model)
        wanted = arguments.unquoted(words)
        if not wanted:
            raise commands.UserInputError
        in_guild = everywhere or said

        async def work(live: Progress) -> Said:
            asker = await asker_of(context)
            place = place_of(context, everywhere=in_guild)
            where = "on this server" if in_guild else "in this channel"
            if wanted.casefold() == DEFAULT:
                await use_model(place, "", actor=asker.person)
                return Said(f"The model that answers elsewhere answers {where} again.")
            name = await known(wanted)
            said = await use_model(place, name, actor=asker.person)
            return Said(f"`{name}` answers {where} from the next message on.\n{said}".rstrip())

        await carry_out(context, work, cut_short=RESTARTED)

    @commands.hybrid_command(  # type: ignore[arg-type]  # as above
        usage="[text]|clear [everywhere]",
        description="What the model is told before each talk here: shown, set or cleared",
    )
    @app_commands.describe(
        text="The new persona; clear for the one that counts elsewhere; nothing shows it",
        everywhere="In all of this server instead of this channel",
    )
    @requires(Permission.CHAT)
    async def persona(
        self, context: commands.Context[TrainerBot], *, text: str = "", everywhere: bool = False
    ) -> None:
        words, said = arguments.everywhere(text)
        wanted, in_guild = arguments.unfenced(words), everywhere or said

        async def work(live: Progress) -> Said:
            asker = await asker_of(context)
            if not wanted:
                return Said(
                    f"The persona here{by_release(asker)}:\n{quoted(asker.place.system_prompt)}"
                )
            await require(asker, Permission.SETTINGS, what="persona")
            place = place_of(context, everywhere=in_guild)
            where = "on this server" if in_guild else "in this channel"
            if wanted.casefold() in CLEAR:
                await set_persona(place, "", actor=asker.person)
                return Said(f"The persona that counts elsewhere counts {where} again.")
            await set_persona(place, wanted, actor=asker.person)
            overridden = by_release(await asker_of(context))
            if overridden:
                return Said(
                    f"The persona {where} is set, but another one counts{overridden}:\n"
                    f"{quoted(asker.place.system_prompt)}"
                )
            return Said(f"The persona {where} from the next message on:\n{quoted(wanted)}")

        await carry_out(context, work, cut_short=RESTARTED)


def by_release(asker: Asker) -> str:
    """Where the persona that counts is that of a release, which one's; else ""."""
    here = asker.rules.place(asker.guild_id, *asker.channel_ids)
    if not asker.has_release_prompt:
        return ""
    return f", which belongs to what answers under `{here.model}`"


def listed(names: list[str], answers: str, learnt: dict[str, FineTuneJob]) -> str:
    """The models, each with what it learnt, and a mark at the one that answers."""
    lines = ["Models, tuned ones first:"]
    for name in names[:SHOWN]:
        job = learnt.get(name)
        of = f" · learnt {in_a_line(str(job.version))}" if job else ""
        lines.append(f"• `{name}`{of}{' ← answers here' if name == answers else ''}")
    if len(names) > SHOWN:
        lines.append(f"and {len(names) - SHOWN:,} more, on the dashboard")
    if answers not in names[:SHOWN]:
        gone = "" if answers in names else ", which the endpoint does not list"
        lines.append(f"`{answers}` answers here{gone}.")
    return "\n".join(lines)


def quoted(words: str) -> str:
    """Return a persona so that Discord shows it as it is."""
    return "```\n" + clip(words, 1500).replace("```", "'''") + "\n```"


def place_of(context: commands.Context[TrainerBot], *, everywhere: bool) -> Here:
    """This channel, or the whole guild. Raises InvalidInput in direct messages."""
    guild, channel = context.guild, context.channel
    if guild is None:
        raise InvalidInput(ONLY_ON_A_SERVER)
    if everywhere:
        return Here(guild.id, guild.name)
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    return Here(
        guild_id=guild.id,
        guild_name=guild.name,
        channel_id=channel.id,
        channel_name=getattr(channel, "name", None) or "",
        parent_id=parent.id if parent else None,
        parent_name=parent.name if parent else "",
    )


async def known(wanted: str) -> str:
    """Return the name of a model that the endpoint has, or of an alias, whatever its case.

    Raises NotFound with names that are near.
    """
    known_aliases = await aliases()
    for alias in known_aliases:  # also where the endpoint is down
        if alias.casefold() == wanted.casefold():
            return alias
    names = [*known_aliases, *(model.id for model in await chat.models())]
    by_folded = {name.casefold(): name for name in names}
    if name := by_folded.get(wanted.casefold()):
        return name
    near = library.nearest(wanted, names)
    hint = f" Did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
    raise NotFound(f"The endpoint has no model {in_a_line(wanted)}.{hint} `!models` lists them.")


@database_sync_to_async
def learnt(names: list[str]) -> dict[str, FineTuneJob]:
    """The jobs of ours that made these models."""
    found = FineTuneJob.objects.filter(fine_tuned_model__in=names)
    return {job.fine_tuned_model: job for job in found.select_related("version__dataset")}


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Models(bot))
