"""Rows and words that several tests about talking on Discord share."""

from channels.db import database_sync_to_async

from botrunner.ui import verdict
from dashboard.models import (
    DiscordChannel,
    DiscordRole,
    GuildSettings,
    Message,
    Source,
)
from dashboard.services import conversations, places
from tests.factories import AnswerFactory, QuestionFactory

QUESTION, ANSWER = "When does the library open?", "It never closes."


def bots_words(channel) -> list[str]:
    return [m.content for m in channel.history() if m.author.bot and not m.webhook_id]


@database_sync_to_async
def grant(guild, role, grants: str) -> None:
    """Let the holders of a Discord role be trainers or admins."""
    row, _ = DiscordRole.objects.get_or_create(
        discord_role_id=role.id, defaults={"guild": places.guild(guild.id), "name": role.name}
    )
    places.save_role(row, grants=grants, access="", actor=None)


@database_sync_to_async
def review_in(guild, channel) -> None:
    """Let proposals of a guild be reviewed in one of its channels."""
    row = places.guild(guild.id)
    reviewed, _ = DiscordChannel.objects.update_or_create(
        discord_channel_id=channel.id, defaults={"guild": row, "name": channel.name}
    )
    settings, _ = GuildSettings.objects.get_or_create(guild=row)
    settings.review_channel = reviewed
    places.save_guild(settings, actor=None)


async def say_as_bot(env, channel, text: str = ANSWER, **kwargs):
    """Let the bot post a message, of which nothing is logged."""
    message = await env.bot.get_partial_messageable(
        channel.id, guild_id=channel.guild.id if channel.guild else None
    ).send(text, **kwargs)
    await env.settle()
    return message


async def answered(env, channel, member, *, text: str = ANSWER, question: str = QUESTION, **fields):
    """An answer of the bot to `member`, on Discord and in the log: the message and its row."""
    asked = await log_question(channel, member, question)
    message = await env.bot.get_partial_messageable(
        channel.id, guild_id=channel.guild.id if channel.guild else None
    ).send(text, view=verdict.buttons(asked.pk))
    await env.settle()
    return message, await log_answer(asked, message.id, text, fields)


@database_sync_to_async
def log_question(channel, member, question: str) -> Message:
    conversation = conversations.for_discord(
        guild_id=channel.guild.id if channel.guild else None,
        guild_name=channel.guild.name if channel.guild else "",
        channel_id=channel.id,
        channel_name="general",
        discord_user_id=member.id,
        user_name=member.name,
    )
    return QuestionFactory(conversation=conversation, source=Source.DISCORD, content=question)


@database_sync_to_async
def log_answer(asked: Message, discord_message_id: int, text: str, fields) -> Message:
    return AnswerFactory(
        conversation=asked.conversation,
        reply_to=asked,
        source=Source.DISCORD,
        content=text,
        discord_message_id=discord_message_id,
        **fields,
    )


@database_sync_to_async
def rows(query):
    return list(query)
