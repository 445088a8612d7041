"""Services that answer as a test tells them."""

from collections.abc import Iterator

import pytest

from tests.trainerbot.speech.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        yield running
