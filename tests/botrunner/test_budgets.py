"""Pace and budgets as people meet them: a wait, a warning, a cheaper model, a polite no."""

from decimal import Decimal

import pytest
from channels.db import database_sync_to_async
from django.utils.timezone import now

from dashboard.models import (
    AuditEvent,
    DiscordGuild,
    DiscordUser,
    GuildSettings,
    Message,
    ModelPrice,
    Usage,
)
from dashboard.services import budgets, places
from tests.fakes.openai_endpoint import Reply

# The first turn imports what it needs, which takes seconds on a busy machine.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="The library").create_text_channel("desk")


@pytest.fixture
def ada(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("ada"))


@pytest.fixture
def ask(simcord_env, channel, ada, model):
    async def ask(words: str = "When do you open?") -> str:
        await ada.send(channel, f"{simcord_env.bot.user.mention} {words}")
        return str(channel.last_message.content)

    return ask


@database_sync_to_async
def limit(**limits: object) -> None:
    guild = DiscordGuild.objects.get()
    row = GuildSettings.objects.filter(guild=guild).first() or GuildSettings(guild=guild)
    for name, value in limits.items():
        setattr(row, name, value)
    places.save_guild(row, actor=None)


@database_sync_to_async
def use(n_tokens: int) -> None:
    """Let ada have used so many tokens this month."""
    guild, person = DiscordGuild.objects.get(), DiscordUser.objects.get()
    Usage.objects.update_or_create(
        key=budgets.key(budgets.this_month(), guild.pk, person.pk),
        defaults={
            "guild": guild,
            "discord_user": person,
            "month": budgets.this_month(),
            "n_tokens": n_tokens,
        },
    )


@database_sync_to_async
def denials() -> list[tuple[str, str]]:
    return list(
        AuditEvent.objects.filter(action="access.deny")
        .order_by("pk")
        .values_list("actor_name", "target")
    )


@database_sync_to_async
def questions() -> int:
    return Message.objects.filter(role=Message.Role.USER).count()


@pytest.mark.origin(6)
async def test_who_asks_too_soon_is_told_when_to_ask_again(ask):
    assert await ask() == "Hello there."
    await limit(user_cooldown_s=3600.0)

    said = await ask()

    assert said.startswith("One moment, please: you may ask again in 3")
    assert await denials() == [("ada", "ask")]
    assert await questions() == 1


@pytest.mark.origin(6)
async def test_from_80_percent_the_answer_carries_a_warning_once(ask):
    await ask()
    await limit(user_tokens=1_000_000)
    await use(850_000)

    first, second = await ask(), await ask()

    assert first.startswith("Hello there.")
    assert f"You have used 85 % of the budget for {now():%B}." in first
    assert second == "Hello there."


@pytest.mark.origin(6)
async def test_from_90_percent_the_cheaper_model_answers(ask, model):
    await ask()
    await limit(user_tokens=1_000_000, saving_model="tiny")
    await use(950_000)

    await ask()

    assert [chat["model"] for chat in model.chats] == ["small", "tiny"]


@pytest.mark.origin(6)
async def test_at_100_percent_a_question_is_refused_politely_and_noted(ask, model):
    await ask()
    await limit(user_tokens=1_000)
    await use(1_000)

    said = await ask()

    opens = budgets.next_month(now().date())
    assert said.startswith(
        f"Sorry, you have used up your budget for {now():%B}. I answer you again on 1 {opens:%B}."
        "\n-# reference `"
    )
    assert (len(model.chats), await denials()) == (1, [("ada", "ask")])


async def test_an_answer_is_priced_and_counted_with_its_turn(ask, model):
    await database_sync_to_async(ModelPrice.objects.create)(
        model="small", prompt_usd=Decimal(1000), completion_usd=Decimal(1000)
    )
    await database_sync_to_async(places.forget)()
    model.replies = [Reply(pieces=("At nine.",))]

    await ask()

    answer = await database_sync_to_async(Message.objects.get)(role=Message.Role.ASSISTANT)
    n_tokens = answer.prompt_tokens + answer.completion_tokens
    assert answer.cost_usd == Decimal(n_tokens) / 1000
    rows = await database_sync_to_async(list)(Usage.objects.order_by("key"))
    assert [(row.n_answers, row.n_tokens, row.cost_usd) for row in rows] == [
        (1, n_tokens, answer.cost_usd)
    ] * 2
