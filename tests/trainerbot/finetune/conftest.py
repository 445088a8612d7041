"""Every fine-tuning provider, pointed at the fake endpoint."""

from collections.abc import Iterator

import pytest

from trainerbot.finetune import Endpoint, FineTuneProvider, open_finetune
from trainerbot.finetune.registry import FINETUNE


@pytest.fixture(params=FINETUNE)
def provider(request: pytest.FixtureRequest, endpoint: Endpoint) -> Iterator[FineTuneProvider]:
    """Every provider in turn."""
    opened = open_finetune(endpoint, request.param)
    yield opened
    opened.close()
