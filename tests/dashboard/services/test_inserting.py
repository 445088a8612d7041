"""Rows that are stored by a statement written once: column by column what Django would have stored."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models

from dashboard.models import Message, OutboxEvent, Source
from dashboard.services import outbox
from dashboard.services.inserting import Insert
from tests.factories import ConversationFactory, QuestionFactory

pytestmark = pytest.mark.django_db

ODD = 'it\'s "%s" 100% ? ; -- \\ \u202e \u2028 é 🎉'


def stored(row: models.Model) -> dict[str, Any]:
    """What lies in the row's columns, as the database's driver hands it out."""
    meta = row._meta
    # Names out of the model itself.
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{meta.db_table}" WHERE id = %s', [row.pk])
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


def but(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def test_a_message_is_stored_as_django_stores_it():
    question = QuestionFactory(conversation=ConversationFactory())
    fields = {
        "conversation": question.conversation,
        "role": Message.Role.ASSISTANT,
        "content": ODD,
        "source": Source.DISCORD,
        "reply_to": question,
        "model": ODD,
        "attachments": [{"name": ODD, "n_bytes": None, "kept": True}],
        "example_ids": [1, 2],
        "discord_parts": [2**60],
        "completion_tokens": 0,
        "cost_usd": Decimal("0.000123"),
        "charged_at": datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5))),
    }
    ours = Message(**fields, discord_message_id=2**62)

    assert Insert(Message, unless_taken="discord_message_id")(ours)

    djangos = Message.objects.create(**fields, discord_message_id=2**62 - 1)
    apart = ("id", "discord_message_id", "created_at")
    assert but(stored(ours), *apart) == but(stored(djangos), *apart)
    again = Message(**fields, discord_message_id=2**62)
    assert not Insert(Message, unless_taken="discord_message_id")(again)


def test_an_event_is_stored_as_django_stores_it():
    payload = {"id": 1, "words": ODD, "nested": {"a": [1, None, True]}}

    outbox.publish(ODD[:40], "it.changed", **payload)

    ours = OutboxEvent.objects.get()
    djangos = OutboxEvent.objects.create(topic=ODD[:40], kind="it.changed", payload=payload)
    apart = ("id", "created_at")
    assert but(stored(ours), *apart) == but(stored(djangos), *apart)
