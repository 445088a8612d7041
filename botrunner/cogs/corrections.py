"""Corrections, verdicts and reasons: commands, menus, thumbs and forms about the bot's answers."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import discord
from channels.db import database_sync_to_async
from discord import app_commands
from discord.ext import commands

from botrunner.people import Asker, asker_of, interaction_asker, requires, who
from botrunner.ui import correcting, forms, reasons, verdict
from botrunner.ui.acting import answering, say
from dashboard.models import Message
from dashboard.services import answers, cards, feedback, proofs
from dashboard.services.access import Permission, Person, Role
from trainerbot.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

HANDLERS: dict[str, forms.Handler] = {correcting.CORRECT: correcting.receive}
THANKS = "Thank you for your feedback! It is kept with the answer, where the trainers read it."
# An id as Discord copies it: alone, with its channel's, or as a link.
_ID = re.compile(
    r"(?:https://(?:\w+\.)?discord(?:app)?\.com/channels/\S*/|[0-9]{1,20}-)?(?P<id>[0-9]{1,20})"
)
MOST_NUMBER = 2**53 - 1  # of Discord's whole numbers
SHORTEST_ID = 15  # shorter numbers begin a sentence
SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A proof as Discord shows it: a line, the picture, and the picture in words."""

    sentence: str
    png: bytes
    text: str


class Corrections(commands.Cog, description="Teaching"):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        correct = app_commands.ContextMenu(name="Correct this answer", callback=self.correct_menu)
        why = app_commands.ContextMenu(name="Why this answer?", callback=self.why_menu)
        self.menus = requires(Permission.PROPOSE)(correct), requires(Permission.CHAT)(why)

    async def cog_load(self) -> None:
        for menu in self.menus:
            self.bot.tree.add_command(menu)

    async def cog_unload(self) -> None:
        for menu in self.menus:
            self.bot.tree.remove_command(menu.name, type=menu.type)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[TrainerBot]) -> None:
        await forms.submitted(interaction, HANDLERS)

    # --- commands ---------------------------------------------------------------
    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Says what an answer should have been",
        usage="[message_id] <better answer>",
        rest_is_raw=True,
    )
    @commands.cooldown(6, 60, commands.BucketType.user)
    @requires(Permission.PROPOSE)
    @app_commands.describe(
        text="The better answer; left out, a form opens with the old one",
        message_id="Id of the answer, or a link to it; left out, the latest to you here",
    )
    async def correct(
        self, context: commands.Context[TrainerBot], *, text: str = "", message_id: str = ""
    ) -> None:
        asker = await asker_of(context)
        if context.interaction is None:
            found_id, text = pointed_at(context.message, text)
            if found_id is None or not text.strip():
                raise commands.UserInputError
            answer = await correcting.posted_answer(found_id, channel_ids=asker.channel_ids)
        elif message_id:
            found = _ID.fullmatch(message_id.strip())
            if found is None:
                raise NotFound(answers.NOT_FOUND)
            answer = await correcting.posted_answer(int(found["id"]), channel_ids=asker.channel_ids)
        else:
            answer = await latest_answer(asker)
        if context.interaction is not None and not text.strip():
            await context.interaction.response.send_modal(correcting.form(answer))
            return
        correction = await correcting.propose(asker, answer, text)
        await context.reply(correcting.received(correction), mention_author=False, ephemeral=True)

    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Says what you think of an answer",
        usage="<your words>",
        rest_is_raw=True,
    )
    @commands.cooldown(6, 60, commands.BucketType.user)
    @requires(Permission.CHAT)
    @app_commands.describe(text="What you think of my latest answer to you here")
    async def feedback(self, context: commands.Context[TrainerBot], *, text: str) -> None:
        if not text.strip():
            raise commands.UserInputError
        asker = await asker_of(context)
        await keep_words(asker, text.strip(), replied_to(context.message))
        await context.reply(THANKS, mention_author=False, ephemeral=True)

    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Tells how an answer came about"
    )
    @requires(Permission.CHAT)
    async def why(self, context: commands.Context[TrainerBot]) -> None:
        asker = await asker_of(context)
        said = await explain_answer(asker, replied_to(context.message))
        await context.reply(said, mention_author=False, ephemeral=True)

    @commands.hybrid_command(  # type: ignore[arg-type]
        description="Shows what came of a correction, as a picture",
        usage="<number>",
    )
    @commands.cooldown(6, 60, commands.BucketType.user)
    @requires(Permission.REVIEW)
    @app_commands.describe(number="The correction's number, as its card tells it")
    async def proof(
        self, context: commands.Context[TrainerBot], number: commands.Range[int, 1, MOST_NUMBER]
    ) -> None:
        await context.defer()
        guild_id = context.guild.id if context.guild else None
        drawn = await drawn_proof(number, guild_id=guild_id, channel_id=context.channel.id)
        await context.reply(
            drawn.sentence,
            file=discord.File(io.BytesIO(drawn.png), f"proof-{number}.png", description=drawn.text),
            mention_author=False,
        )

    # --- menus ------------------------------------------------------------------
    async def correct_menu(
        self, interaction: discord.Interaction[TrainerBot], message: discord.Message
    ) -> None:
        async with answering(interaction, f"The form for message {message.id}"):
            asker = await interaction_asker(interaction)
            answer = await correcting.posted_answer(message.id, channel_ids=asker.channel_ids)
            await interaction.response.send_modal(correcting.form(answer))

    async def why_menu(
        self, interaction: discord.Interaction[TrainerBot], message: discord.Message
    ) -> None:
        async with answering(interaction, f"The reasons of message {message.id}"):
            asker = await interaction_asker(interaction)
            await say(interaction, await explain_answer(asker, message.id))

    # --- reactions --------------------------------------------------------------
    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        rating = rating_of(event)
        if rating is None or self._is_a_bot(event) or not self._is_on_ours(event):
            return
        if event.member is not None:
            channel = self.bot.get_channel(event.channel_id)
            asker = await who(self.bot, event.member, guild=event.member.guild, channel=channel)
            await react(asker, event.message_id, rating)
        elif event.guild_id is None:
            await react_directly(event.user_id, event.message_id, rating, event.channel_id)

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        rating = rating_of(event)
        if rating is not None and not self._is_a_bot(event):
            await take_back(event.user_id, event.message_id, rating, self._places(event))

    def _is_a_bot(self, event: discord.RawReactionActionEvent) -> bool:
        assert self.bot.user is not None  # nothing is heard before the login
        return event.user_id == self.bot.user.id or (event.member is not None and event.member.bot)

    def _is_on_ours(self, event: discord.RawReactionActionEvent) -> bool:
        """Whether the message may be the bot's: Discord tells whose it is, mostly."""
        return self.bot.user is not None and event.message_author_id in (None, self.bot.user.id)

    def _places(self, event: discord.RawReactionActionEvent) -> tuple[int, ...]:
        channel = self.bot.get_channel(event.channel_id)
        if isinstance(channel, discord.Thread):
            return channel.id, channel.parent_id
        return (event.channel_id,)


# On a thread of its own: drawing takes tenths of a second, and others wait for their rows.
@partial(database_sync_to_async, thread_sensitive=False)
def drawn_proof(number: int, *, guild_id: int | None, channel_id: int) -> Drawn:
    """The proof of a correction that this guild reviews. Raises NotFound for any other.

    It names nobody. Somebody's question is on it only in the review channel,
    where its card has shown it to the same people.
    """
    correction = cards.in_guild(number, discord_guild_id=guild_id)
    proof = proofs.of_correction(correction)
    look = proofs.look_for(proof, None, dark=True)
    if cards.review_channel_id(correction) == channel_id:
        look = replace(look, words=True)
    sentence = f"**{proof.headline}** · correction #{number}"
    return Drawn(sentence, proofs.correction_picture(proof, look), f"{proof.lives_in}."[:1000])


# --- What is pointed at ---------------------------------------------------------
def pointed_at(message: discord.Message, words: str) -> tuple[int | None, str]:
    """The id of the message that `!correct` is about, if it names one, and the words, verbatim.

    words: what follows the command's name, with the white space between.
    """
    words = words[1:] if words[:1].isspace() else words
    reference = replied_to(message)
    first = re.match(r"\S+", words)
    found = _ID.fullmatch(first[0]) if first else None
    if first and found and (reference is None or len(found["id"]) >= SHORTEST_ID):
        rest = words[first.end() :]
        return int(found["id"]), rest[1:] if rest[:1].isspace() else rest
    return reference, words


def replied_to(message: discord.Message) -> int | None:
    """The id of the message that this one replies to."""
    reference = message.reference
    is_reply = reference is not None and reference.type is discord.MessageReferenceType.reply
    return reference.message_id if reference is not None and is_reply else None


def rating_of(event: discord.RawReactionActionEvent) -> int | None:
    """What a reaction says of an answer, whatever the colour of its thumb."""
    return verdict.RATINGS.get(SKIN_TONES.sub("", event.emoji.name or ""))


# --- Rows -----------------------------------------------------------------------
@database_sync_to_async
def latest_answer(asker: Asker) -> Message:
    return _meant(asker, None)


@database_sync_to_async
def keep_words(asker: Asker, text: str, discord_message_id: int | None) -> None:
    feedback.give(message=_meant(asker, discord_message_id), text=text, by=asker.person)


@database_sync_to_async
def explain_answer(asker: Asker, discord_message_id: int | None) -> str:
    return reasons.of(_meant(asker, discord_message_id))


@database_sync_to_async
def react(asker: Asker, discord_message_id: int, rating: int) -> None:
    """Keep a thumb given by reaction. Nobody can be answered, so what is not ours is left alone."""
    try:
        answer = answers.posted(discord_message_id, channel_ids=asker.channel_ids)
        asker.check_listens()
    except (NotFound, NotAllowed):
        return
    feedback.give(message=answer, rating=rating, by=asker.person)


@database_sync_to_async
def react_directly(
    discord_user_id: int, discord_message_id: int, rating: int, channel_id: int
) -> None:
    """The same in direct messages, where Discord does not tell the name."""
    try:
        answer = answers.posted(discord_message_id, channel_ids=(channel_id,))
    except NotFound:
        return
    person = answer.conversation.discord_user
    if person is not None and person.discord_user_id == discord_user_id:
        by = Person(Role.MEMBER, person.name, discord_user_id=discord_user_id)
        feedback.give(message=answer, rating=rating, by=by)


@database_sync_to_async
def take_back(
    discord_user_id: int, discord_message_id: int, rating: int, channel_ids: tuple[int, ...]
) -> None:
    try:
        answer = answers.posted(discord_message_id, channel_ids=channel_ids)
    except NotFound:
        return
    feedback.take_back(message=answer, discord_user_id=discord_user_id, rating=rating)


def _meant(asker: Asker, discord_message_id: int | None) -> Message:
    """The answer that was replied to, else the latest one to the asker here."""
    if discord_message_id is not None:
        return answers.posted(discord_message_id, channel_ids=asker.channel_ids)
    assert asker.person.discord_user_id is not None  # everybody on Discord has one
    return answers.latest(
        discord_user_id=asker.person.discord_user_id, channel_ids=asker.channel_ids
    )


async def setup(bot: TrainerBot) -> None:
    bot.add_dynamic_items(verdict.Thumb, correcting.CorrectIt)
    await bot.add_cog(Corrections(bot))
