"""Turns on Discord, as far as rows are concerned."""

import pytest
from django.db import DatabaseError

from dashboard.models import DiscordUser, Message, Source
from dashboard.services import chat
from dashboard.services.chat import Spot
from dashboard.services.places import Place, Rules
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
