"""Every chat provider, pointed at the fake endpoint."""

from collections.abc import AsyncIterator

import pytest

from trainerbot.llm import ChatModel, Endpoint, open_chat
from trainerbot.llm.registry import CHAT


@pytest.fixture(params=CHAT)
async def chat(request: pytest.FixtureRequest, endpoint: Endpoint) -> AsyncIterator[ChatModel]:
    """Every chat provider in turn."""
    model = open_chat(endpoint, request.param)
    yield model
    await model.close()
