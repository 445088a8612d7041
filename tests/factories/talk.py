"""What was said, and what was taught by it."""

import factory
from django.utils.timezone import now
from factory.django import DjangoModelFactory

from dashboard.models import Conversation, Correction, Message, Source, Utterance, VoiceCall
from tests.factories.people import (
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordUserFactory,
    UserFactory,
)


class ConversationFactory(DjangoModelFactory[Conversation]):
    class Meta:
        model = Conversation

    source = Source.PLAYGROUND
    user = factory.SubFactory(UserFactory)


class QuestionFactory(DjangoModelFactory[Message]):
    class Meta:
        model = Message

    conversation = factory.SubFactory(ConversationFactory)
    role = Message.Role.USER
    content = "When does the library open?"
    source = Source.PLAYGROUND


class AnswerFactory(DjangoModelFactory[Message]):
    class Meta:
        model = Message

    conversation = factory.SubFactory(ConversationFactory)
    reply_to = factory.SubFactory(
        QuestionFactory, conversation=factory.SelfAttribute("..conversation")
    )
    role = Message.Role.ASSISTANT
    content = "It never closes."
    source = Source.PLAYGROUND
    model = "smollm2-135m-instruct"
    total_ms = 120


class DiscordTalkFactory(ConversationFactory):
    """What one person says to the bot in one channel of Discord."""

    source = Source.DISCORD
    user = None
    discord_user = factory.SubFactory(DiscordUserFactory)
    discord_channel = factory.SubFactory(DiscordChannelFactory)


class VoiceCallFactory(DjangoModelFactory[VoiceCall]):
    """A call that goes on; `ended=True` is one that is over."""

    class Meta:
        model = VoiceCall

    guild = factory.SubFactory(DiscordGuildFactory)
    channel = factory.SubFactory(
        DiscordChannelFactory, guild=factory.SelfAttribute("..guild"), kind="voice"
    )
    state = VoiceCall.State.CONNECTED

    class Params:
        ended = factory.Trait(
            state=VoiceCall.State.ENDED,
            ended_at=factory.LazyFunction(now),
            ended_because="Everybody had left.",
        )


class UtteranceFactory(DjangoModelFactory[Utterance]):
    """What somebody said in a call; `message` is the question that it became, if it was one."""

    class Meta:
        model = Utterance

    call = factory.SubFactory(VoiceCallFactory)
    discord_user = factory.SubFactory(DiscordUserFactory)
    text = "When does the library open?"
    language = "en-US"
    provider = "sphinx"
    duration_ms = 1800


class CorrectionFactory(DjangoModelFactory[Correction]):
    class Meta:
        model = Correction

    question = factory.Sequence(lambda n: f"When does library number {n} open?")
    rejected_answer = "It never closes."
    better_answer = factory.Sequence(lambda n: f"At {n} o'clock.")
    author_name = "maya"

    class Params:
        approved = factory.Trait(state=Correction.State.APPROVED)
