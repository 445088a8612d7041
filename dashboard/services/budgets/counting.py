"""After an answer: what it cost, counted in the month of its guild and of its asker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils.timezone import now

from dashboard.models import Message, Usage
from dashboard.services import places, prices
from dashboard.services.budgets.months import key, this_month
from dashboard.services.statements import Statement

if TYPE_CHECKING:
    from dashboard.services.places import Rules


@transaction.atomic(savepoint=False)
def charge(*, answer: Message, rules: Rules | None = None) -> None:
    """Price an answer, and count it in the month of its guild and of its asker.

    Once for each answer, whoever asks for it and how often. With `rules` no
    row is read for the prices. An answer that was not given on Discord only
    gets its price. One that is not stored yet is for the caller to store, with
    its price, in the same transaction.
    """
    known = (rules or places.rules()).prices
    moment = now()
    cost = prices.cost(
        known,
        model=answer.model,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
    )
    if answer.pk is not None:
        uncharged = Message.objects.filter(pk=answer.pk, charged_at=None)
        if not uncharged.update(charged_at=moment, cost_usd=cost):
            return
    answer.charged_at, answer.cost_usd = moment, cost
    _count(answer, moment.date().replace(day=1), cost or Decimal(0))


def _count(answer: Message, month: date, cost: Decimal) -> None:
    conversation = answer.conversation
    if conversation.discord_user_id is None:
        return
    channel = conversation.discord_channel
    guild_id = channel.guild_id if channel else None
    person_id = conversation.discord_user_id
    keys = [key(month, guild_id, person_id)]
    if guild_id is not None:
        keys.append(key(month, guild_id))
    n_tokens = (answer.prompt_tokens or 0) + (answer.completion_tokens or 0)
    n_counted = _add(keys, n_tokens, cost)
    if n_counted == len(keys):
        return
    # The first answer of this month. A guild's row is there whenever one of its
    # people's is, so where one of two was counted, the person's is missing.
    # What another process makes at this moment is not made twice.
    missing = keys[:1] if n_counted else keys
    Usage.objects.bulk_create(
        [
            Usage(
                key=each,
                month=month,
                guild_id=guild_id,
                discord_user_id=person_id if each == keys[0] else None,
            )
            for each in missing
        ],
        ignore_conflicts=True,
    )
    _add(missing, n_tokens, cost)


# Written out, since each answer waits for it and Django would write it anew each time.
_ADD = Statement("""
    UPDATE dashboard_usage SET n_answers = n_answers + 1, n_tokens = n_tokens + %s,
    cost_usd = cost_usd + %s WHERE key IN (%s, %s)
""")


def _add(keys: Sequence[str], n_tokens: int, cost: Decimal) -> int:
    """Count one answer in each of these one or two months; how many of them there were."""
    usd = connection.ops.adapt_decimalfield_value(cost, max_digits=12, decimal_places=6)
    return _ADD.n_changed(n_tokens, usd, keys[0], keys[-1])


def cost_of_month() -> Decimal:
    """US dollars that this month's answers on Discord came to, as far as prices are known."""
    # A guild's row holds what its people used; direct messages belong to no guild.
    whole = Usage.objects.filter(Q(discord_user=None) | Q(guild=None), month=this_month())
    return whole.aggregate(usd=Sum("cost_usd"))["usd"] or Decimal(0)
