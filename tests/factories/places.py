"""How the bot behaves where, what it costs, and what went wrong."""

from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from dashboard.models import GuildSettings, Incident, ModelPrice, PlaceSettings, Usage
from dashboard.services import budgets
from tests.factories.people import DiscordGuildFactory


class GuildSettingsFactory(DjangoModelFactory[GuildSettings]):
    class Meta:
        model = GuildSettings

    guild = factory.SubFactory(DiscordGuildFactory)


class PlaceSettingsFactory(DjangoModelFactory[PlaceSettings]):
    class Meta:
        model = PlaceSettings

    guild = factory.SubFactory(DiscordGuildFactory)


class ModelPriceFactory(DjangoModelFactory[ModelPrice]):
    class Meta:
        model = ModelPrice

    model = "smollm2-135m-instruct"
    prompt_usd = Decimal("1")
    completion_usd = Decimal("4")


class UsageFactory(DjangoModelFactory[Usage]):
    """A month of a guild; `discord_user=person` is that of a person in it."""

    class Meta:
        model = Usage

    guild = factory.SubFactory(DiscordGuildFactory)
    month = factory.LazyFunction(budgets.this_month)
    key = factory.LazyAttribute(
        lambda row: budgets.key(
            row.month,
            row.guild and row.guild.pk,
            getattr(getattr(row, "discord_user", None), "pk", None),
        )
    )


class IncidentFactory(DjangoModelFactory[Incident]):
    class Meta:
        model = Incident

    reference = factory.Sequence(lambda n: f"{n:06x}")
    process = "bot"
    doing = "Command train"
    error = "RuntimeError in submit, line 7"
