"""The model endpoint of tests that ask or train: a scripted one on a loopback port."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from dashboard.services import providers
from tests.fakes.openai_endpoint import API_KEY, FakeOpenAI


@pytest.fixture(scope="session")
def running_endpoint() -> Iterator[FakeOpenAI]:
    """One server for all tests: starting and stopping take longer than most of them."""
    with FakeOpenAI() as running:
        yield running


@pytest.fixture
def endpoint(running_endpoint: FakeOpenAI, settings: Settings) -> Iterator[FakeOpenAI]:
    """The endpoint as if just started, set as the one that answers and trains."""
    running_endpoint.reset()
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = running_endpoint.base_url, API_KEY
    settings.CHAT_TIMEOUT_S = 60.0
    yield running_endpoint
    providers.close_finetune_provider()
