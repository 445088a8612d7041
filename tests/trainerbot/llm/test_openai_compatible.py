"""What the provider on the openai SDK does beyond the contract."""

import asyncio
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.fakes.openai_endpoint import API_KEY, Reply, error_body
from trainerbot.errors import InvalidInput, ProviderRefused, ProviderUnavailable
from trainerbot.llm import ChatModel, Completion, Endpoint, open_chat
from trainerbot.llm.events import read_events
from trainerbot.messages import ChatMessage, Role

HI = (ChatMessage(Role.USER, "Hi"),)


async def ask(chat: ChatModel, *, model: str = "small", **kwargs: float) -> Completion:
    *_, completion = [piece async for piece in chat.stream(HI, model=model, **kwargs)]
    assert isinstance(completion, Completion)
    return completion


def a_closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_a_dead_endpoint_is_told_in_words_and_soon():
    endpoint = Endpoint("Local", f"http://127.0.0.1:{a_closed_port()}/v1", "k", max_retries=1)
    chat = open_chat(endpoint)
    began = time.monotonic()

    with pytest.raises(ProviderUnavailable, match=r"Local \(127.0.0.1:\d+\) cannot be reached"):
        await ask(chat)
    with pytest.raises(ProviderUnavailable, match="Start it"):
        await chat.models()

    assert time.monotonic() - began < 30  # seconds; asked without end it would be sixty
    await chat.close()


async def test_a_wrong_key_is_told_without_the_key(fake, endpoint):
    chat = open_chat(replace(endpoint, api_key="sk-wrong-0123456789"))

    with pytest.raises(ProviderRefused, match="does not accept the API key") as caught:
        await ask(chat)

    assert "wrong" not in str(caught.value)
    assert "sk-wrong" not in repr(replace(endpoint, api_key="sk-wrong-0123456789"))
    await chat.close()


@pytest.mark.origin(34)
async def test_busy_and_broken_endpoints_are_tried_again_a_bounded_number_of_times(fake, endpoint):
    chat = open_chat(replace(endpoint, max_retries=2))
    soon = {"retry-after-ms": "10"}
    fake.replies = [
        Reply(status=429, error=error_body("busy"), headers=soon),
        Reply(status=503, error=error_body("down"), headers=soon),
    ]

    assert (await ask(chat)).text == "Hello there."

    fake.default = Reply(status=503, error=error_body("down"), headers=soon)
    fake.chats.clear()
    with pytest.raises(ProviderUnavailable):
        await ask(chat)
    assert len(fake.chats) == 3
    await chat.close()


async def test_waiting_for_a_retry_counts_as_silence(fake, endpoint):
    chat = open_chat(replace(endpoint, max_retries=5, timeout_s=0.3))
    fake.default = Reply(status=429, error=error_body("busy"), headers={"retry-after": "30"})
    began = time.monotonic()

    with pytest.raises(ProviderUnavailable, match="said nothing for"):
        await ask(chat)

    assert time.monotonic() - began < 20  # seconds; to obey would take thirty
    await chat.close()


@pytest.mark.parametrize(
    ("refused", "sent", "told"),
    [
        (
            "max_tokens",
            "max_completion_tokens",
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
        ),
        ("temperature", None, "Unsupported value: 'temperature' does not support 0.5."),
        ("stream_options", None, "Extra inputs are not permitted: stream_options"),
    ],
)
async def test_a_name_that_a_model_does_not_take_is_exchanged_once_and_remembered(
    fake, endpoint, refused, sent, told
):
    chat = open_chat(endpoint)
    fake.default = Reply(refuses={refused: told})

    for _ in range(2):
        assert (await ask(chat, max_tokens=9, temperature=0.5)).text == "Hello there."

    assert [refused in body for body in fake.chats] == [True, False, False]
    if sent:
        assert [body.get(sent) for body in fake.chats] == [None, 9, 9]
    await chat.close()


async def test_what_one_model_refuses_is_still_sent_to_another(fake, endpoint):
    chat = open_chat(endpoint)
    fake.replies = [Reply(refuses={"max_tokens": "Unsupported parameter: max_tokens"})]

    await ask(chat, max_tokens=9)
    await ask(chat, max_tokens=9, model="large")

    assert "max_tokens" in fake.chats[-1]
    await chat.close()


async def test_a_model_that_refuses_both_names_is_not_asked_for_ever(fake, endpoint):
    chat = open_chat(endpoint)
    told = "Unsupported parameter"
    fake.default = Reply(
        refuses={
            "max_tokens": f"{told}: max_tokens",
            "max_completion_tokens": f"{told}: max_completion_tokens",
        }
    )

    with pytest.raises(ProviderRefused, match="max_completion_tokens"):
        await ask(chat, max_tokens=9)

    assert len(fake.chats) == 2
    await chat.close()


async def test_a_proxy_is_not_asked_for_the_way_to_this_machine(fake, endpoint, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{a_closed_port()}")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    chat = open_chat(endpoint)

    assert (await ask(chat)).text == "Hello there."
    await chat.close()


async def test_an_endpoint_without_keys_is_asked_without_one(fake, endpoint):
    chat = open_chat(replace(endpoint, api_key=""))

    with pytest.raises(ProviderRefused, match="does not accept the API key"):
        await ask(chat)

    assert API_KEY not in str(fake.headers)
    await chat.close()


@pytest.mark.parametrize(
    "url", ["localhost:8001", "ftp://x/v1", "http://", "http://x:port/v1", "http://[::1/v1"]
)
def test_an_address_that_leads_nowhere_is_refused_at_once(url):
    with pytest.raises(InvalidInput, match="endpoint Mine"):
        Endpoint("Mine", url, "k")


@pytest.mark.parametrize("key", ["sk-\n", "sk-ключ"])
def test_a_key_that_cannot_be_sent_is_refused_at_once(key):
    with pytest.raises(InvalidInput, match="Copy it again"):
        Endpoint("Mine", "http://127.0.0.1/v1", key)


def test_an_address_is_shown_without_user_and_password():
    endpoint = Endpoint("Mine", "https://me:secret@models.example:8443/v1?key=1", "k")

    assert endpoint.address == "models.example:8443"
    assert Endpoint("Mine", "http://[::1]:80/v1", "k").address == "[::1]:80"


def test_an_unknown_provider_is_refused_in_words(endpoint):
    with pytest.raises(InvalidInput, match="no chat provider telepathy"):
        open_chat(endpoint, "telepathy")


def test_importing_the_packages_loads_no_client():
    code = (
        "import sys, trainerbot.llm, trainerbot.finetune, trainerbot.conversation;"
        "assert not {'openai', 'httpx2', 'sklearn', 'numpy', 'django'} & sys.modules.keys()"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=180)


async def test_comments_alone_are_silence():
    async def pings():
        yield b'data: {"choices": []}\n\n'
        while True:
            await asyncio.sleep(0.02)
            yield b": still working\n\n"

    events = read_events(pings(), silence_s=0.1)

    assert await anext(events) == [b'{"choices": []}']
    with pytest.raises(TimeoutError):
        await anext(events)
