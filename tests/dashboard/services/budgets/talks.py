"""Talks of somebody somewhere, and answers in them."""

from dashboard.models import Conversation, DiscordGuild, DiscordUser, Message, Source
from tests.factories import AnswerFactory, DiscordChannelFactory, DiscordTalkFactory


def talk_in(guild: DiscordGuild | None, person: DiscordUser) -> Conversation:
    channel = DiscordChannelFactory(guild=guild) if guild else DiscordChannelFactory(direct=True)
    return DiscordTalkFactory(discord_user=person, discord_channel=channel)


def answer(talk: Conversation, **fields: object) -> Message:
    told = {"prompt_tokens": 300, "completion_tokens": 100} | fields
    return AnswerFactory(conversation=talk, source=Source.DISCORD, **told)
