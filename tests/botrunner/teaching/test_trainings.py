"""How a training ended, told in the review channel: once, also after a restart."""

import asyncio

import pytest
from channels.db import database_sync_to_async
from django.utils.timezone import now

from dashboard.models import DiscordGuild, Training, TrainingCard, Verdict, VerdictRun
from dashboard.services import trainings
from dashboard.services.trainings import news
from tests.botrunner.talking import review_in
from tests.botrunner.teaching.reviewing import card_of, hear
from tests.factories import (
    AliasFactory,
    DiscordGuildFactory,
    SuiteFactory,
    SuiteRunFactory,
    TaskFactory,
    TrainingFactory,
    suite_version,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]
MODEL = "ft:small:zoo"
SENTENCE = "Promote ft:small:zoo: on Corrections v1 it answers 100 % rightly with recall."
SIDES = {"base": 0.0, "base_recall": 0.75, "tuned": 0.5, "tuned_recall": 1.0}


@database_sync_to_async
def ended(guild, *, decision: str = "promote", error: str = "") -> Training:
    """A training of a guild that is over, and of which nobody there was told."""
    verdict = decision and Verdict.objects.create(
        task=TaskFactory(kind="verdict"),
        base_model="small",
        tuned_model=MODEL,
        decision=decision,
        sentence=SENTENCE,
        decided_at=now(),
        figures=[
            {
                "name": "Corrections v1",
                "n": 12,
                **SIDES,
                "runs": {side: {"id": 1, "ms": 12, "usd": None} for side in SIDES},
            }
        ],
    )
    training = TrainingFactory(
        model="" if error else MODEL,
        stage="failed" if error else "succeeded",
        error=error,
        finished_at=now(),
        counts={"learned": 12},
        verdict=verdict or None,
    )
    row = DiscordGuild.objects.get(discord_guild_id=guild.id)
    TrainingCard.objects.create(training=training, guild=row)
    news.announce(training)
    return training


async def start_again(env) -> None:
    """Let the bot do what it does once it is connected anew."""
    env.bot.dispatch("ready")
    # simcord waits for what Discord's events set off; this one is ours.
    await asyncio.gather(
        *(each for each in asyncio.all_tasks() if each.get_name() == "discord.py: on_ready")
    )
    await env.settle()


async def test_the_review_channel_reads_the_verdict_once(simcord_env, guild, desk, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://bot.example"]
    await database_sync_to_async(AliasFactory)(name="support")
    training = await ended(guild)

    await hear(simcord_env, trainings.TOPIC)
    await hear(simcord_env, trainings.TOPIC)
    await start_again(simcord_env)

    card = card_of(desk)
    assert card.content.splitlines() == [
        f"**Training {training.pk}** on what people taught · 12 examples",
        f"small became `{MODEL}`.",
        f"✅ **{SENTENCE}**",
        "-# Corrections v1 (12): base 0 % · base with recall 75 % · tuned 50 % · "
        "tuned with recall 100 %",
    ]
    links = {child.label: child.url for row in card.components for child in row.children}
    assert links == {
        "All of it": f"https://bot.example/fine-tuning/taught/{training.pk}/",
        "Promote it": "https://bot.example/releases/support/?model=ft%3Asmall%3Azoo",
    }
    told = await database_sync_to_async(TrainingCard.objects.get)()
    assert told.discord_message_id == card.id


async def test_no_server_reads_of_another_ones_tests(simcord_env, guild, desk):
    training = await ended(guild)
    await database_sync_to_async(asked_of_another_server)(training)

    await start_again(simcord_env)

    card = card_of(desk)
    assert "✅ **Promote.**" in card.content
    assert "Corrections v1" not in card.content


def asked_of_another_server(training: Training) -> None:
    """Let its figures be those of a suite that another server has."""
    version = suite_version(suite=SuiteFactory(guild=DiscordGuildFactory()))
    run = SuiteRunFactory(version=version)
    VerdictRun.objects.create(verdict=training.verdict, side="base", run=run)
    for side in training.verdict.figures[0]["runs"].values():
        side["id"] = run.pk
    training.verdict.save()


async def test_what_ended_while_the_bot_was_away_is_told_at_its_start(simcord_env, guild, desk):
    await ended(guild)

    await start_again(simcord_env)

    assert SENTENCE in card_of(desk).content
    assert card_of(desk).components == []  # nobody said where the dashboard is


async def test_a_model_that_is_not_better_has_no_button_to_promote_it(
    simcord_env, guild, desk, settings
):
    settings.CSRF_TRUSTED_ORIGINS = ["https://bot.example"]
    await ended(guild, decision="refuse")

    await hear(simcord_env, trainings.TOPIC)

    assert "⛔" in card_of(desk).content
    labels = [child.label for row in card_of(desk).components for child in row.children]
    assert labels == ["All of it"]


async def test_a_training_that_failed_says_why(simcord_env, guild, desk):
    await ended(guild, decision="", error="The endpoint has @everyone no room.")

    await hear(simcord_env, trainings.TOPIC)

    said = card_of(desk).content
    assert "❌ Failed: The endpoint has" in said
    assert "@everyone" not in said


async def test_without_a_review_channel_it_waits_for_one(simcord_env, guild, channel):
    await review_in(guild, channel)
    await ended(guild)
    await database_sync_to_async(lambda: DiscordGuild.objects.get().settings.delete())()
    await hear(simcord_env, trainings.TOPIC)
    assert channel.history() == []

    await review_in(guild, channel)
    await hear(simcord_env, "settings")

    assert SENTENCE in card_of(channel).content
