"""What a person may say about themselves: what is remembered, what is stored, which language."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner.people import Asker, asker_of, requires
from botrunner.ui import erasing
from botrunner.ui.quoting import in_a_line
from dashboard.services import consent, conversations, languages, privacy
from dashboard.services.access import Permission
from dashboard.services.privacy import Stored

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

EXPORT_NAME = "what-is-stored-about-me.json"
NO_WISH = frozenset({"none", "reset", "default", "auto", "any"})
LISTEN = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
SENT_DIRECTLY = "I have sent it to you in a direct message."
CANNOT_WRITE = (
    "I may not write to you directly, and this is for your eyes only. "
    "Use the command with `/` instead of `!`."
)

count_stored = database_sync_to_async(privacy.stored)
read_all = database_sync_to_async(privacy.export)
forget_leftovers = database_sync_to_async(privacy.forget_leftovers)
may_hear = database_sync_to_async(consent.is_heard)
set_heard = database_sync_to_async(consent.set_heard)
choose_language = database_sync_to_async(languages.choose)
own_language = database_sync_to_async(languages.of)
forget = database_sync_to_async(conversations.forget)


class Myself(commands.Cog, description="About you"):
    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await forget_leftovers()

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Makes me forget what we said here"
    )
    @requires(Permission.CHAT)
    async def reset(self, context: commands.Context[TrainerBot]) -> None:
        asker = await asker_of(context)
        n_messages = await forget(
            discord_user_id=context.author.id, channel_ids=asker.channel_ids[:1]
        )
        await _answer(context, forgotten(n_messages))

    @commands.hybrid_group(  # type: ignore[arg-type]
        description="Shows what is stored about you", fallback="show"
    )
    @requires(Permission.CHAT)
    async def privacy(self, context: commands.Context[TrainerBot]) -> None:
        await _answer(context, counted(await count_stored(context.author.id)))

    @privacy.command(  # type: ignore[arg-type]
        description="Hands you all that is stored about you as a file"
    )
    @commands.cooldown(2, 60, commands.BucketType.user)
    @requires(Permission.CHAT)
    async def export(self, context: commands.Context[TrainerBot]) -> None:
        whole = (await read_all(context.author.id)).encode()
        words = "This is all that is stored about you."
        file = discord.File(io.BytesIO(whole), EXPORT_NAME)
        if context.interaction is not None or context.guild is None:
            await context.send(words, file=file, ephemeral=True)
            return
        try:
            await context.author.send(words, file=file)
        except discord.Forbidden:
            await _answer(context, CANNOT_WRITE)
        else:
            await _answer(context, SENT_DIRECTLY)

    @privacy.command(  # type: ignore[arg-type]
        description="Deletes what is stored about you, once you confirm it"
    )
    @commands.cooldown(2, 60, commands.BucketType.user)
    @requires(Permission.CHAT)
    async def delete(self, context: commands.Context[TrainerBot]) -> None:
        found = await count_stored(context.author.id)
        await context.reply(
            erasing.question(found),
            view=erasing.buttons(context.author.id, has_corrections=bool(found.n_corrections)),
            mention_author=False,
            ephemeral=True,
        )

    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Shows or chooses the language I answer you in", usage="[language]"
    )
    @requires(Permission.CHAT)
    @app_commands.describe(tag="Such as en, de-AT or ru-RU; none for no wish")
    async def language(self, context: commands.Context[TrainerBot], *, tag: str = "") -> None:
        asker = await asker_of(context)
        words = tag.strip()
        if not words:
            await _answer(context, spoken(await own_language(context.author.id), asker))
        elif words.lower() in NO_WISH:
            await choose_language(asker.person, "")
            await _answer(context, f"Your wish is forgotten. {spoken('', asker)}")
        else:
            chosen = await choose_language(asker.person, words)
            await _answer(context, f"I will answer you in {languages.name(chosen)} from now on.")

    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Says whether I may listen to you in calls and keep recordings of you",
        usage="[on|off]",
    )
    @requires(Permission.CHAT)
    @app_commands.describe(wish="on or off; nothing shows what counts now")
    async def listen(self, context: commands.Context[TrainerBot], *, wish: str = "") -> None:
        said = wish.strip().lower()
        if not said:
            await _answer(context, listening(await may_hear(context.author.id)))
            return
        if said not in LISTEN:
            raise commands.UserInputError
        asker = await asker_of(context)
        n_deleted = await set_heard(asker.person, LISTEN[said])
        await _answer(context, listening(LISTEN[said], n_deleted))


# --- What is said ---------------------------------------------------------------
def forgotten(n_messages: int) -> str:
    if not n_messages:
        return "There is nothing to forget: I remember nothing of you here."
    things = "message" if n_messages == 1 else "messages"
    return (
        f"Forgotten: the {n_messages:,} {things} between us here. I start anew with your next "
        "question. The log keeps them for the admins; `/privacy delete` deletes them."
    )


def spoken(own: str, asker: Asker) -> str:
    """Which language is in force, and whose wish it is."""
    if own:
        return f"I answer you in {languages.name(own)}, as you chose."
    if asker.place.language:
        return f"I answer in {languages.name(asker.place.language)}, as the admins chose here."
    return "Nobody chose a language here: I answer in the one that you write in."


def listening(is_heard: bool, n_deleted: int = 0) -> str:
    """Whether somebody is listened to, and what that means."""
    if is_heard:
        return (
            "I listen to you in the calls that I am in. `/listen off` ends that. Recordings are "
            "only kept where a server says so, and for as long as it says."
        )
    deleted = ""
    if n_deleted:
        recordings = "recording" if n_deleted == 1 else "recordings"
        deleted = f" {n_deleted:,} {recordings} of you were deleted."
    return (
        "I do not listen to you in calls, and keep no recording of you. A voice message that you "
        f"send me I still hear, and forget its sound. `/listen on` lets me listen again.{deleted}"
    )


def counted(found: Stored) -> str:
    corrections = f"{found.n_corrections:,}"
    if found.n_corrections:
        corrections += f", of which {found.n_in_force:,} in force"
    account = f"{in_a_line(found.account, 150)} (`/link`)" if found.account else "none linked"
    language = in_a_line(found.language, languages.MAX_CHARACTERS) or "none chosen"
    return "\n".join(
        [
            f"Stored about you since {found.since:%Y-%m-%d}:",
            f"- Conversations: {found.n_conversations:,}, with {found.n_messages:,} messages, "
            "yours and mine",
            f"- Feedback: {found.n_feedback:,}",
            f"- Corrections: {corrections}",
            f"- Months of usage counts: {found.n_usage:,}",
            f"- Things you said aloud: {found.n_utterances:,}, of which {found.n_recordings:,} "
            "with a recording",
            f"- Language: {language}",
            f"- Account on the dashboard: {account}",
            f"- Listening to you in calls: {'on' if found.is_heard else 'off'} (`/listen`)",
            f"- Entries of the audit log (acts, never words; they stay): {found.n_audited:,}",
            "`/privacy export` hands you all of it, `/privacy delete` deletes it.",
        ]
    )


async def _answer(context: commands.Context[TrainerBot], text: str) -> None:
    await context.reply(text, mention_author=False, ephemeral=True)


async def setup(bot: TrainerBot) -> None:
    bot.add_dynamic_items(erasing.Erase)
    await bot.add_cog(Myself())
