"""Turns on Discord, as far as rows are concerned."""

import pytest
from django.db import DatabaseError

from dashboard.models import DiscordGuild, DiscordUser, Message, Source, Usage
from dashboard.services import assistant, budgets, chat, places
from dashboard.services.chat import Asked, Spot, kept
from dashboard.services.places import Place, Rules
from tests.factories import AliasFactory, GuildSettingsFactory
from trainerbot.errors import TrainerBotError

pytestmark = pytest.mark.django_db(transaction=True)
SPOT = Spot(1, "Testers", 11, "general", 7, "ada")


def here(rules: Rules) -> Place:
    return rules.place(SPOT.guild_id, SPOT.channel_id)


def and_a_row_that_no_commit_takes(rules: Rules) -> Place:
    Message.objects.create(conversation_id=987_654, role=Message.Role.USER, source=Source.API)
    return here(rules)


def test_whose_rows_were_not_committed_is_written_down_the_next_time():
    chat.rules()
    with pytest.raises((DatabaseError, TrainerBotError)):
        chat.admit(SPOT, and_a_row_that_no_commit_takes)

    chat.admit(SPOT, here)

    assert DiscordUser.objects.get().name == "ada"


def test_what_the_cheaper_model_says_tells_nothing_of_the_release():
    alias = AliasFactory(name="support", answered_by="large")
    assistant.use_model("@support", actor=None)
    first = chat.begin(SPOT, Asked(text="Hello?", discord_message_id=1), here)
    assert first is not None
    assert first.question.release_id == alias.stable_id
    guild = DiscordGuild.objects.get()
    GuildSettingsFactory(guild=guild, guild_tokens=100, saving_model="small")
    month = budgets.this_month()
    Usage.objects.create(key=budgets.key(month, guild.pk), month=month, guild=guild, n_tokens=95)
    places.forget()
    kept.forget()

    ready = chat.begin(SPOT, Asked(text="And now?", discord_message_id=2), here)

    assert ready is not None
    assert ready.wanted_model == "small"
    assert Message.objects.get(discord_message_id=2).release_id is None
