"""How fast people may ask, and what they may use in a month."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now

from dashboard.models import (
    DiscordGuild,
    DiscordUser,
    GuildSettings,
    Message,
    Source,
)
from dashboard.services import assistant, budgets, places
from dashboard.services.budgets import Admission, OverBudget, TooFast
from tests.dashboard.services.budgets.talks import answer, talk_in
from tests.factories import (
    AnswerFactory,
    DiscordGuildFactory,
    DiscordUserFactory,
    QuestionFactory,
    UsageFactory,
)

pytestmark = pytest.mark.django_db


def limit(guild: DiscordGuild, **limits: object) -> None:
    row = GuildSettings.objects.filter(guild=guild).first() or GuildSettings(guild=guild)
    for name, value in limits.items():
        setattr(row, name, value)
    places.save_guild(row, actor=None)


def admit(guild: DiscordGuild | None, person: DiscordUser, **more: Message) -> Admission:
    return budgets.admit(guild=guild, discord_user=person, rules=places.rules(), **more)


def ask(guild: DiscordGuild | None, person: DiscordUser, *, seconds_ago: float = 0) -> Message:
    question = QuestionFactory(conversation=talk_in(guild, person), source=Source.DISCORD)
    Message.objects.filter(pk=question.pk).update(created_at=now() - timedelta(seconds=seconds_ago))
    return question


# --- cooldowns --------------------------------------------------------------------
def test_where_nothing_is_limited_the_database_is_not_asked(guild, ada, django_assert_num_queries):
    limit(guild, user_tokens=None)
    rules = places.rules()

    with django_assert_num_queries(0):
        admission = budgets.admit(guild=guild, discord_user=ada, rules=rules)

    assert admission == Admission()


@pytest.mark.origin(6)
def test_a_person_waits_between_two_questions_anywhere_in_the_guild(guild, ada):
    limit(guild, user_cooldown_s=10.0)
    ask(guild, ada, seconds_ago=3)

    with pytest.raises(TooFast, match="One moment, please: you may ask again in 7 s") as refused:
        admit(guild, ada)

    assert refused.value.retry_after_s == 7


def test_the_wait_of_one_is_not_that_of_others_or_of_other_guilds(guild, ada):
    limit(guild, user_cooldown_s=10.0)
    ask(guild, DiscordUserFactory())
    ask(DiscordGuildFactory(), ada)
    ask(guild, ada, seconds_ago=11)

    assert admit(guild, ada) == Admission()


def test_a_question_does_not_count_against_itself(guild, ada):
    limit(guild, user_cooldown_s=10.0, guild_per_minute=1)
    question = ask(guild, ada)

    assert admit(guild, ada, question=question) == Admission()


def test_a_question_that_was_refused_does_not_begin_the_wait_anew(guild, ada):
    limit(guild, user_cooldown_s=10.0)
    refused = ask(guild, ada, seconds_ago=1)
    AnswerFactory(conversation=refused.conversation, reply_to=refused, error="One moment, please.")

    assert admit(guild, ada) == Admission()


@pytest.mark.origin(6)
def test_a_guild_is_answered_so_many_times_a_minute(guild, ada):
    limit(guild, guild_per_minute=2)
    ask(guild, DiscordUserFactory(), seconds_ago=70)
    ask(guild, DiscordUserFactory(), seconds_ago=40)
    assert admit(guild, ada) == Admission()
    ask(guild, DiscordUserFactory(), seconds_ago=5)

    with pytest.raises(TooFast, match="ask again in 20 s") as refused:
        admit(guild, ada)

    assert refused.value.retry_after_s == 20


def test_direct_messages_have_a_wait_of_their_own(guild, ada):
    row = assistant.current()
    row.direct_cooldown_s = 60
    assistant.save(changed=row, actor=None)
    ask(guild, ada)
    assert admit(None, ada) == Admission()
    ask(None, ada)

    with pytest.raises(TooFast):
        admit(None, ada)


# --- budgets ------------------------------------------------------------------------
@pytest.mark.origin(6)
def test_from_four_fifths_on_a_person_is_warned_once_a_month(guild, ada):
    limit(guild, user_tokens=1000)
    UsageFactory(guild=guild, discord_user=ada, n_tokens=830)

    first, second = admit(guild, ada), admit(guild, ada)

    month = f"{now():%B}"
    assert first.warning == f"You have used 83 % of the budget for {month}."
    assert (first.saving, second) == (False, Admission())


def test_a_budget_that_changes_warns_anew(guild, ada):
    limit(guild, user_tokens=1000)
    UsageFactory(guild=guild, discord_user=ada, n_tokens=900)
    admit(guild, ada)
    limit(guild, user_tokens=1100)

    assert "81 %" in admit(guild, ada).warning


def test_from_nine_tenths_on_the_cheaper_model_answers(guild, ada):
    limit(guild, guild_cost_usd=Decimal("10.00"), saving_model="small")
    UsageFactory(guild=guild, cost_usd=Decimal("9.00"))

    admission = admit(guild, ada)

    assert (admission.saving, admission.model) == (True, "small")
    assert "This server has used 90 %" in admission.warning


@pytest.mark.origin(6)
@pytest.mark.parametrize(
    ("limits", "used", "words"),
    [
        ({"user_tokens": 1000}, {"n_tokens": 1000}, "you have used up your budget"),
        ({"user_cost_usd": Decimal("0.50")}, {"cost_usd": Decimal("0.5")}, "you have used up"),
        ({"guild_tokens": 1000}, {"n_tokens": 1200}, "this server has used up its budget"),
        ({"guild_cost_usd": Decimal("3")}, {"cost_usd": Decimal("3.1")}, "this server has used"),
    ],
)
def test_a_budget_that_is_used_up_refuses_and_says_when_it_opens_again(
    guild, ada, limits, used, words
):
    limit(guild, **limits)
    whose = {"discord_user": ada} if "user" in next(iter(limits)) else {}
    UsageFactory(guild=guild, **whose, **used)

    with pytest.raises(OverBudget, match=words) as refused:
        admit(guild, ada)

    opens = budgets.next_month(now().date())
    assert str(refused.value).startswith("Sorry, ")
    assert str(refused.value).endswith(f"again on 1 {opens:%B}.")


def test_a_budget_of_nothing_lets_nobody_ask(guild, ada):
    limit(guild, user_tokens=0)

    with pytest.raises(OverBudget):
        admit(guild, ada)


@pytest.mark.parametrize(
    ("limits", "whose"),
    [
        ({"user_tokens": 1000}, "your budget"),
        ({"user_cost_usd": Decimal(1)}, "your budget"),
        ({"guild_tokens": 1000}, "the budget of this server"),
        ({"guild_cost_usd": Decimal(1)}, "the budget of this server"),
    ],
)
def test_of_those_who_ask_at_once_no_more_are_let_in_than_what_is_left_is_for(
    guild, ada, limits, whose
):
    limit(guild, **limits)
    used = {"n_answers": 8, "n_tokens": 800, "cost_usd": Decimal("0.8")}
    UsageFactory(guild=guild, discord_user=ada, **used)
    UsageFactory(guild=guild, **used)
    first, _, third = (ask(guild, ada) for _ in range(3))

    with pytest.raises(TooFast, match=f"the rest of {whose}. Ask again in 10 s") as refused:
        admit(guild, ada, question=third)

    assert refused.value.retry_after_s == 10
    answer(first.conversation, reply_to=first)
    assert admit(guild, ada, question=third).saving is False


def test_what_is_answered_elsewhere_or_was_left_long_ago_is_not_expected(guild, ada):
    limit(guild, user_tokens=1000, guild_tokens=1000)
    for whose in ({"discord_user": ada}, {}):
        UsageFactory(guild=guild, n_answers=1, n_tokens=700, **whose)
    ask(None, ada)
    ask(DiscordGuildFactory(), ada)
    ask(guild, ada, seconds_ago=3600)

    assert admit(guild, ada) == Admission()


def test_what_others_and_other_months_used_does_not_count(guild, ada):
    limit(guild, user_tokens=1000)
    UsageFactory(guild=guild, discord_user=DiscordUserFactory(), n_tokens=5000)
    UsageFactory(guild=guild, discord_user=ada, month=date(2020, 1, 1), n_tokens=5000)

    assert admit(guild, ada) == Admission()


def test_direct_messages_have_a_budget_of_their_own(guild, ada):
    row = assistant.current()
    row.direct_tokens = 100
    assistant.save(changed=row, actor=None)
    UsageFactory(guild=guild, discord_user=ada, n_tokens=100)
    assert admit(None, ada) == Admission()
    UsageFactory(guild=None, discord_user=ada, n_tokens=100)

    with pytest.raises(OverBudget):
        admit(None, ada)
