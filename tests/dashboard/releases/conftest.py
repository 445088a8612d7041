"""An admin who has signed in."""

import pytest
from django.test import Client

from tests.factories import UserFactory


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(UserFactory(admin=True))
    return client
