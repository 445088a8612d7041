"""An embedding endpoint that an admin chose."""

import json

import numpy as np
import pytest
from django.test import Client

from dashboard.models import MeaningSettings
from dashboard.services import meanings, providers
from dashboard.services.meanings import asking, spaces
from tests.factories import UserFactory
from tests.fakes.embedding_endpoint import API_KEY, EmbeddingEndpoint
from trainerbot.retrieval.calibration import Calibration
from trainerbot.retrieval.weights import BY_MEANING


@pytest.fixture
def endpoint(settings):
    with EmbeddingEndpoint() as opened:
        settings.MORE_ENDPOINTS = json.dumps(
            {"vectors": {"base_url": opened.base_url, "api_key": API_KEY}}
        )
        yield opened
        asking.close_clients()
        asking.take_tokens()


@pytest.fixture
def chosen(db, endpoint):
    """The endpoint's model, chosen on the page and not calibrated yet."""
    return meanings.choose(by="chosen", endpoint="vectors", model="embed-test", actor=None)


@pytest.fixture
def in_force(chosen, endpoint):
    """The model, calibrated as plainly as can be, so that no test waits seconds for it."""
    n = endpoint.n_dimensions
    strangers = np.random.default_rng(5).normal(size=(20, n)).astype(np.float32)
    kept = Calibration(
        means=np.zeros((3, n), dtype=np.float32),
        projection=np.eye(n, dtype=np.float32),
        strangers=strangers / np.linalg.norm(strangers, axis=1, keepdims=True),
        weights=BY_MEANING,
    ).to_bytes()
    MeaningSettings.objects.filter(pk=1).update(
        space=spaces.name_of(providers.named("vectors"), "embed-test", kept),
        space_endpoint="vectors",
        space_model="embed-test",
        calibration=kept,
    )
    return meanings.current()


@pytest.fixture
def admin(db):
    """The browser of somebody who may change settings."""
    client = Client()
    client.force_login(UserFactory(admin=True))
    return client
