"""Readers of every role, and an endpoint: none, unless a test asks for one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.services import providers
from dashboard.services.access import Role
from tests.factories import UserFactory
from tests.fakes.openai_endpoint import API_KEY, FakeOpenAI

Reader = Callable[[Role], Client]


def make_user(role: Role) -> User:
    return UserFactory(admin=role is Role.ADMIN, trainer=role is Role.TRAINER)


@pytest.fixture
def reader(db: None) -> Reader:
    """A browser without JavaScript in which somebody of this role has signed in."""

    def signed_in(role: Role) -> Client:
        client = Client()
        if role is not Role.ANONYMOUS:
            client.force_login(make_user(role))
        return client

    return signed_in


@pytest.fixture
def trainer(reader: Reader) -> Client:
    return reader(Role.TRAINER)


@pytest.fixture
def admin(reader: Reader) -> Client:
    return reader(Role.ADMIN)


@pytest.fixture(autouse=True)
def no_endpoint(settings: Any) -> Iterator[None]:
    """Nothing listens on port 9; a model server of the machine is never asked."""
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    yield
    providers.close_finetune_provider()


@pytest.fixture
def endpoint(settings: Any, no_endpoint: None) -> Iterator[FakeOpenAI]:
    """An endpoint that offers two models to chat with and to train."""
    models = ("tiny-chat", "ft:tiny-chat:knn:support")
    # Django's test client runs each async call in an event loop of its own,
    # which no connection may outlive.
    with FakeOpenAI(models=models, keeps_alive=False) as fake:
        settings.OPENAI_BASE_URL = fake.base_url
        settings.OPENAI_API_KEY = API_KEY
        yield fake
