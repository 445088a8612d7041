"""What hearing and speaking cost: counted with the month's budget, at the admins' prices."""

import asyncio
from decimal import Decimal

import pytest
from channels.db import database_sync_to_async

from dashboard.models import AuditEvent, DiscordUser, GuildSettings, SpeechPrice, Usage
from dashboard.services import budgets, places, speech
from dashboard.services.budgets import OverBudget
from dashboard.services.speech import costs
from tests.factories import DiscordGuildFactory, DiscordUserFactory, UserFactory
from tests.fakes.speech import Refusal, tone
from trainerbot.errors import InvalidInput
from trainerbot.speech import NothingHeard

rows = pytest.mark.django_db
async_rows = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def anew():
    places.forget()
    yield
    places.forget()


def used() -> list[tuple[bool, int, int, Decimal]]:
    found = Usage.objects.order_by("pk")
    return [
        (each.discord_user_id is not None, each.heard_ms, each.n_spoken, each.cost_usd)
        for each in found
    ]


def price(provider: str = "scripted", *, heard: str = "0.06", spoken: str = "15") -> None:
    SpeechPrice.objects.create(
        provider=provider, heard_usd=Decimal(heard), spoken_usd=Decimal(spoken)
    )


@rows
def test_what_is_heard_and_spoken_counts_for_the_person_and_the_guild():
    guild, ada = DiscordGuildFactory(), DiscordUserFactory()
    price()
    ids = {"guild_id": guild.discord_guild_id, "payer_id": ada.discord_user_id}

    costs.count("scripted", heard_ms=30_000, **ids)
    costs.count("scripted", n_spoken=200, **ids)

    assert used() == [
        (True, 30_000, 200, Decimal("0.033")),
        (False, 30_000, 200, Decimal("0.033")),
    ]


@rows
def test_without_a_price_it_is_counted_and_costs_nothing():
    ada = DiscordUserFactory()

    costs.count("google", guild_id=None, payer_id=ada.discord_user_id, heard_ms=1_500)

    assert used() == [(True, 1_500, 0, Decimal(0))]


@rows
def test_nobody_gets_a_row_by_being_heard():
    guild = DiscordGuildFactory()

    costs.count("google", guild_id=guild.discord_guild_id, payer_id=77, heard_ms=1_500)

    assert not DiscordUser.objects.exists()
    assert used() == [(False, 1_500, 0, Decimal(0))]


@rows
def test_speech_uses_up_a_budget_of_money():
    guild, ada = DiscordGuildFactory(), DiscordUserFactory()
    GuildSettings.objects.create(guild=guild, user_cost_usd=Decimal("0.06"))
    price()
    places.forget()
    budgets.check_open(guild=guild, discord_user=ada, rules=places.rules())

    costs.count(
        "scripted",
        guild_id=guild.discord_guild_id,
        payer_id=ada.discord_user_id,
        heard_ms=60_000,
    )

    with pytest.raises(OverBudget, match="your budget"):
        budgets.check_open(guild=guild, discord_user=ada, rules=places.rules())
    budgets.check_open(guild=guild, discord_user=None, rules=places.rules())
    assert Usage.objects.filter(warned_at__isnull=False).count() == 0


@async_rows
@pytest.mark.parametrize("refusal", [None, Refusal(422, "nothing_heard")])
async def test_who_listened_is_paid_also_where_no_words_were_in_it(speech_server, refusal):
    ada = await database_sync_to_async(DiscordUserFactory)()
    speech_server.script.refusals = {"scripted": refusal} if refusal else {}

    try:
        await speech.hear_pcm(tone(1.0), language="en-US", payer_id=ada.discord_user_id)
    except NothingHeard:
        assert refusal

    assert await database_sync_to_async(used)() == [(True, 1_000, 0, Decimal(0))]


@async_rows
async def test_who_failed_is_not_paid(speech_server, settings):
    settings.SPEECH_RECOGNIZERS = ["first", "second"]
    speech_server.script.refusals = {"first": Refusal(503, "overloaded")}
    ada = await database_sync_to_async(DiscordUserFactory)()
    await database_sync_to_async(price)("first")

    await speech.hear_pcm(tone(1.0), language="en-US", payer_id=ada.discord_user_id)

    assert await database_sync_to_async(used)() == [(True, 1_000, 0, Decimal(0))]


@async_rows
async def test_a_sentence_that_was_spoken_before_costs_nothing_again(speech_server):
    ada = await database_sync_to_async(DiscordUserFactory)()

    for _ in range(2):
        await speech.say("Hello.", language="en-US", payer_id=ada.discord_user_id)

    assert await database_sync_to_async(used)() == [(True, 0, len("Hello."), Decimal(0))]


@async_rows
async def test_what_nobody_pays_is_not_counted(speech_server):
    await speech.hear_pcm(tone(1.0), language="en-US")
    await speech.say("Hello.", language="en-US")

    assert await database_sync_to_async(used)() == []


@async_rows
async def test_who_waits_for_a_sentence_waits_for_no_count_of_it(speech_server):
    ada = await database_sync_to_async(DiscordUserFactory)()
    payer_id = ada.discord_user_id

    await speech.say("Good morning.", language="en", payer_id=payer_id, is_urgent=True)

    assert await database_sync_to_async(used)() == []
    await asyncio.gather(*costs._under_way)
    assert [n_spoken for _, _, n_spoken, _ in await database_sync_to_async(used)()] == [13]
    again = await speech.say("Good morning.", language="en", payer_id=payer_id, is_urgent=True)
    assert again.is_cached


@async_rows
async def test_what_is_put_off_is_counted_before_the_process_ends(speech_server, monkeypatch):
    monkeypatch.setattr(costs, "LATER_S", 3600.0)
    ada = await database_sync_to_async(DiscordUserFactory)()
    payer_id = ada.discord_user_id
    await speech.hear_pcm(tone(1.0), language="en", payer_id=payer_id, is_urgent=True)
    await speech.say("Good day.", language="en", payer_id=payer_id, is_urgent=True)

    await speech.catch_up()

    assert await database_sync_to_async(used)() == [(True, 1_000, 9, Decimal(0))]
    assert not costs._under_way


@async_rows
@pytest.mark.parametrize("at_once", [True, False])
async def test_the_same_sentence_in_the_next_moment_is_paid_once(speech_server, at_once):
    ada = await database_sync_to_async(DiscordUserFactory)()
    asked = {"language": "en", "payer_id": ada.discord_user_id, "is_urgent": True}

    if at_once:
        said = await asyncio.gather(*(speech.say("Good evening.", **asked) for _ in range(3)))
    else:
        said = [await speech.say("Good evening.", **asked) for _ in range(3)]
    await speech.catch_up()

    assert sorted(each.is_cached for each in said) == [False, True, True]
    assert [each.text for each in speech_server.spoken] == ["Good evening."]
    assert await database_sync_to_async(used)() == [(True, 0, 13, Decimal(0))]


async def test_what_is_still_to_be_counted_at_the_end_is_let_go_in_silence():
    async def count() -> None:
        raise AssertionError

    await costs.settle(count(), later=True)
    [waiting] = costs._under_way
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


@rows
def test_a_price_is_in_force_at_once_and_noted():
    admin = UserFactory(admin=True)
    assert not costs.is_paid(["google", "sphinx"])

    costs.save_price(
        provider="google", heard_usd=Decimal("0.016"), spoken_usd=Decimal(0), actor=admin
    )
    assert costs.is_paid(["google", "sphinx"])
    assert costs.cost("google", heard_ms=90_000) == Decimal("0.024")

    costs.remove_price(provider="google", actor=admin)
    assert not costs.is_paid(["google", "sphinx"])
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "speech_price.set",
        "speech_price.remove",
    ]


@rows
@pytest.mark.parametrize(("provider", "heard"), [("nobody", "1"), ("google", "-1")])
def test_a_price_that_is_none_is_refused_in_words(provider, heard):
    with pytest.raises(InvalidInput):
        costs.save_price(
            provider=provider,
            heard_usd=Decimal(heard),
            spoken_usd=Decimal(0),
            actor=UserFactory(admin=True),
        )
