"""What an answer costs, and how it is counted in its month."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.utils.timezone import now

from dashboard.models import Conversation, DiscordGuild, DiscordUser, Message, Usage
from dashboard.services import budgets, places, prices
from tests.dashboard.services.budgets.talks import answer, talk_in
from tests.factories import (
    AnswerFactory,
    ConversationFactory,
    DiscordUserFactory,
    ModelPriceFactory,
    UsageFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def test_an_answer_is_priced_and_counted_for_its_guild_and_its_asker(guild, ada):
    ModelPriceFactory(model="big", prompt_usd=Decimal("2.5"), completion_usd=Decimal("10"))
    given = answer(talk_in(guild, ada), model="big")

    budgets.charge(answer=given)

    given.refresh_from_db()
    cost = Decimal("0.00175")  # 300 tokens at 2.5 and 100 at 10 dollars a million
    assert given.cost_usd == cost
    month = f"{now():%Y-%m}"
    counted = Usage.objects.values_list("key", "n_answers", "n_tokens", "cost_usd")
    assert sorted(counted) == [
        (f"{month}:g{guild.pk}", 1, 400, cost),
        (f"{month}:g{guild.pk}:u{ada.pk}", 1, 400, cost),
    ]


def test_an_answer_counts_once_however_often_it_is_charged(guild, ada):
    given = answer(talk_in(guild, ada))

    budgets.charge(answer=given)
    budgets.charge(answer=Message.objects.get(pk=given.pk))

    assert set(Usage.objects.values_list("n_answers", flat=True)) == {1}


def test_what_two_people_use_adds_up_for_the_guild(guild, ada):
    grace = DiscordUserFactory()
    for person in (ada, ada, grace):
        budgets.charge(
            answer=answer(talk_in(guild, person) if person is grace else _talk(guild, ada))
        )

    tokens = dict(Usage.objects.values_list("discord_user__name", "n_tokens"))
    assert tokens == {None: 1200, "ada": 800, grace.name: 400}


def _talk(guild: DiscordGuild, person: DiscordUser) -> Conversation:
    known = Conversation.objects.filter(discord_user=person).first()
    return known or talk_in(guild, person)


def test_counting_takes_two_updates_once_the_month_has_begun(guild, ada, django_assert_num_queries):
    talk = talk_in(guild, ada)
    budgets.charge(answer=answer(talk))
    given, rules = answer(talk), places.rules()

    with django_assert_num_queries(2):
        budgets.charge(answer=given, rules=rules)


def test_without_a_price_tokens_count_and_money_does_not(guild, ada):
    given = answer(talk_in(guild, ada), model="unheard-of")

    budgets.charge(answer=given)

    assert given.cost_usd is None
    assert set(Usage.objects.values_list("n_tokens", "cost_usd")) == {(400, Decimal(0))}


def test_an_answer_of_direct_messages_counts_for_the_person_alone(ada):
    budgets.charge(answer=answer(talk_in(None, ada)))

    assert list(Usage.objects.values_list("key", flat=True)) == [f"{now():%Y-%m}:u{ada.pk}"]


def test_an_answer_of_the_playground_gets_its_price_and_counts_nowhere():
    ModelPriceFactory(model="big")
    given = AnswerFactory(
        conversation=ConversationFactory(), model="big", prompt_tokens=1000, completion_tokens=500
    )

    budgets.charge(answer=given)

    assert given.cost_usd == Decimal("0.003")
    assert not Usage.objects.exists()


def test_a_month_is_a_row_of_its_own(guild, ada):
    UsageFactory(guild=guild, discord_user=ada, month=date(2020, 1, 1), n_tokens=7)

    budgets.charge(answer=answer(talk_in(guild, ada)))

    assert Usage.objects.get(month=date(2020, 1, 1)).n_tokens == 7


@pytest.mark.parametrize(
    ("month", "following"),
    [(date(2026, 1, 1), date(2026, 2, 1)), (date(2026, 12, 1), date(2027, 1, 1))],
)
def test_months_follow_each_other(month, following):
    assert budgets.next_month(month) == following


def test_a_price_is_in_force_for_the_next_answer(guild, ada):
    admin = UserFactory(admin=True)
    before = answer(talk_in(guild, ada), model="big")
    budgets.charge(answer=before)
    prices.save(model="big", prompt_usd=Decimal(1), completion_usd=Decimal(1), actor=admin)
    after = answer(before.conversation, model="big")

    budgets.charge(answer=after)

    assert (before.cost_usd, after.cost_usd) == (None, Decimal("0.0004"))


def test_the_cost_of_a_month_counts_nobody_twice(guild, ada):
    UsageFactory(guild=guild, cost_usd=Decimal("2.5"))
    UsageFactory(guild=guild, discord_user=ada, cost_usd=Decimal("2.5"))
    UsageFactory(guild=None, discord_user=ada, cost_usd=Decimal("0.5"))
    UsageFactory(guild=guild, month=date(2020, 1, 1), cost_usd=Decimal(100))

    assert budgets.cost_of_month() == Decimal(3)


@pytest.mark.django_db(transaction=True)
def test_what_several_processes_count_at_once_adds_up(guild, ada):
    """Each thread has a connection of its own, as a process would."""
    talk = talk_in(guild, ada)
    answers = [answer(talk) for _ in range(24)]

    def charge(given: Message) -> None:
        budgets.charge(answer=given)
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(charge, answers * 2))

    counted = set(Usage.objects.values_list("n_answers", "n_tokens"))
    assert counted == {(24, 24 * 400)}
