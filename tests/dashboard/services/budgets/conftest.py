"""A guild and somebody in it; the settings are read anew for each test."""

from collections.abc import Iterator

import pytest

from dashboard.models import DiscordGuild, DiscordUser
from dashboard.services import places
from tests.factories import DiscordGuildFactory, DiscordUserFactory


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
