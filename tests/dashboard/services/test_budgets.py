"""How fast people may ask, what they may use in a month, and how it is counted."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils.timezone import now

from dashboard.models import (
    Conversation,
    DiscordGuild,
    DiscordUser,
    GuildSettings,
    Message,
    Source,
    Usage,
)
from dashboard.services import assistant, budgets, places, prices
from dashboard.services.budgets import Admission, OverBudget, TooFast
from tests.factories import (
    AnswerFactory,
    ConversationFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordTalkFactory,
    DiscordUserFactory,
    ModelPriceFactory,
    QuestionFactory,
    UsageFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    places.forget()
    yield
    places.forget()


@pytest.fixture
def guild() -> DiscordGuild:
    return DiscordGuildFactory()


@pytest.fixture
def ada() -> DiscordUser:
    return DiscordUserFactory(name="ada")


def limit(guild: DiscordGuild, **limits: object) -> None:
    row = GuildSettings.objects.filter(guild=guild).first() or GuildSettings(guild=guild)
    for name, value in limits.items():
        setattr(row, name, value)
    places.save_guild(row, actor=None)


def admit(guild: DiscordGuild | None, person: DiscordUser, **more: Message) -> Admission:
    return budgets.admit(guild=guild, discord_user=person, rules=places.rules(), **more)


def talk_in(guild: DiscordGuild | None, person: DiscordUser) -> Conversation:
    channel = DiscordChannelFactory(guild=guild) if guild else DiscordChannelFactory(direct=True)
    return DiscordTalkFactory(discord_user=person, discord_channel=channel)


def ask(guild: DiscordGuild | None, person: DiscordUser, *, seconds_ago: float = 0) -> Message:
    question = QuestionFactory(conversation=talk_in(guild, person), source=Source.DISCORD)
    Message.objects.filter(pk=question.pk).update(created_at=now() - timedelta(seconds=seconds_ago))
    return question


def answer(talk: Conversation, **fields: object) -> Message:
    told = {"prompt_tokens": 300, "completion_tokens": 100} | fields
    return AnswerFactory(conversation=talk, source=Source.DISCORD, **told)


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


# --- counting ------------------------------------------------------------------------
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
