import asyncio

import pytest

from dashboard.services import providers
from tests.fakes.openai_endpoint import API_KEY
from trainerbot.errors import InvalidInput


@pytest.fixture(autouse=True)
def nothing_configured(settings):
    settings.OPENAI_BASE_URL = settings.OPENAI_API_KEY = ""


def test_our_own_server_answers_while_nothing_else_is_configured(settings):
    endpoint = providers.endpoint()
    assert providers.uses_embedded_server()
    assert (endpoint.name, endpoint.base_url) == ("modelserver", settings.MODELSERVER_URL)


def test_a_key_alone_means_openai(settings):
    settings.OPENAI_API_KEY = API_KEY
    assert not providers.uses_embedded_server()
    assert (providers.endpoint().name, providers.endpoint().base_url) == (
        "openai",
        "https://api.openai.com/v1",
    )


def test_an_address_wins_and_names_the_endpoint_without_its_password(settings):
    settings.OPENAI_API_KEY = API_KEY
    settings.OPENAI_BASE_URL = "https://me:secret@models.example.org/openai/v1/"
    assert providers.endpoint().name == "models.example.org/openai/v1"
    assert providers.endpoint().api_key == API_KEY


@pytest.mark.parametrize("url", ["ftp://example.org/v1", "nonsense", "http://[::1", "http://"])
def test_an_address_that_is_none_is_refused_in_words(settings, url):
    settings.OPENAI_BASE_URL = url
    with pytest.raises(InvalidInput, match="endpoint"):
        providers.endpoint()


def test_one_client_serves_all_threads_until_the_settings_change(settings):
    first = providers.finetune_provider()
    assert providers.finetune_provider() is first
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert providers.finetune_provider() is not first
    providers.close_finetune_provider()


async def test_one_client_serves_an_event_loop_until_the_settings_change(settings):
    first, second = await asyncio.gather(providers.chat_model(), providers.chat_model())
    assert first is second
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert await providers.chat_model() is not first
    await providers.close_chat_model()
