"""The model endpoint that the pages of talking speak to: a scripted one on a loopback port."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.fakes.openai_endpoint import API_KEY, FakeOpenAI


@pytest.fixture(scope="session")
def running_endpoint() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        yield running


@pytest.fixture
def endpoint(running_endpoint: FakeOpenAI, settings: Settings) -> FakeOpenAI:
    """The endpoint as if just started, configured as the one that answers."""
    running_endpoint.reset()
    settings.MODELSERVER_URL = running_endpoint.base_url
    settings.MODELSERVER_API_KEY = API_KEY
    return running_endpoint
