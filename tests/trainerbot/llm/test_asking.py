"""A request built from the one before says what the SDK's own would."""

from typing import Any

import httpx2
import openai
import pytest

from trainerbot.endpoints import Endpoint
from trainerbot.endpoints.openai_sdk import client_settings
from trainerbot.llm.providers.asking import PATH, AskingClient

ENDPOINT = Endpoint("test", "http://127.0.0.1:9/v1", "sk-test", timeout_s=7.0)


class Recorder(httpx2.AsyncBaseTransport):
    """Answers with the given statuses, then with 200, and keeps what it was asked."""

    def __init__(self, *statuses: int) -> None:
        self.requests: list[httpx2.Request] = []
        self._statuses = list(statuses)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.requests.append(request)
        status = self._statuses.pop(0) if self._statuses else 200
        return httpx2.Response(status, headers={"Retry-After-Ms": "1"}, json={})


def client_of(kind: type[openai.AsyncOpenAI], transport: Recorder) -> Any:
    http_client = openai.DefaultAsyncHttpxClient(transport=transport, trust_env=False)
    return kind(**client_settings(ENDPOINT), http_client=http_client)


def said(request: httpx2.Request) -> tuple[object, ...]:
    headers = sorted((name.lower(), value) for name, value in request.headers.multi_items())
    return request.method, str(request.url), headers, request.content, request.extensions


async def asked_of_the_sdk(*contents: bytes, statuses: tuple[int, ...] = ()) -> list[Any]:
    transport = Recorder(*statuses)
    async with client_of(openai.AsyncOpenAI, transport) as client:
        for content in contents:
            await client.post(
                PATH,
                content=content,
                cast_to=httpx2.Response,
                stream=True,
                stream_cls=openai.AsyncStream[Any],
            )
    return [said(request) for request in transport.requests]


async def asked_of_ours(*contents: bytes, statuses: tuple[int, ...] = ()) -> list[Any]:
    transport = Recorder(*statuses)
    async with client_of(AskingClient, transport) as client:
        for content in contents:
            await client.ask(content)
    return [said(request) for request in transport.requests]


async def test_each_request_is_what_the_sdk_would_have_sent():
    contents = b'{"model": "a"}', b'{"model": "another"}', '{"model": "ещё"}'.encode()
    assert await asked_of_ours(*contents) == await asked_of_the_sdk(*contents)


async def test_a_second_try_says_in_its_headers_that_it_is_one():
    contents = b"{}", b'{"model": "a"}'
    ours = await asked_of_ours(*contents, statuses=(503, 429, 200, 503))
    assert ours == await asked_of_the_sdk(*contents, statuses=(503, 429, 200, 503))
    counts = [dict(headers)["x-stainless-retry-count"] for _, _, headers, _, _ in ours]
    assert counts == ["0", "1", "2", "0", "1"]


async def test_other_requests_of_the_client_go_the_sdks_own_way():
    transport = Recorder()
    async with client_of(AskingClient, transport) as client:
        await client.ask(b"{}")
        await client.models.with_raw_response.list()
    assert str(transport.requests[1].url).endswith("/v1/models")
    assert transport.requests[1].method == "GET"


async def test_a_refusal_is_the_sdks():
    transport = Recorder(401)
    async with client_of(AskingClient, transport) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.ask(b"{}")


class Unreachable(Recorder):
    """Is not there for the first requests of each kind that it is told."""

    def __init__(self, *errors: type[httpx2.RequestError]) -> None:
        super().__init__()
        self._errors = list(errors)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if self._errors:
            raise self._errors.pop(0)("away", request=request)
        return response


def client_on(road: httpx2.AsyncBaseTransport) -> AskingClient:
    http_client = openai.DefaultAsyncHttpxClient(transport=road, trust_env=False)
    return AskingClient(**client_settings(ENDPOINT), http_client=http_client, road=road)


async def test_a_later_question_that_fails_is_tried_again_as_often_and_as_the_sdk_says():
    road = Recorder(200, 503, 429)
    async with client_on(road) as client:
        await client.ask(b"{}")
        response = await client.ask(b'{"model": "a"}')
    assert response.status_code == 200
    expected = await asked_of_the_sdk(b"{}", b'{"model": "a"}', statuses=(200, 503, 429))
    assert [said(request) for request in road.requests] == expected


async def test_a_later_question_that_is_refused_is_refused_as_by_the_sdk():
    async with client_on(Recorder(200, 401)) as client:
        await client.ask(b"{}")
        with pytest.raises(openai.AuthenticationError):
            await client.ask(b"{}")


async def test_a_later_question_to_whoever_is_away_for_a_moment_is_sent_again(monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    road = Unreachable()
    async with client_on(road) as client:
        await client.ask(b"{}")
        road._errors[:] = [httpx2.ConnectError]
        await client.ask(b"{}")
        road._errors[:] = [httpx2.ReadTimeout] * 9
        with pytest.raises(openai.APITimeoutError):
            await client.ask(b"{}")
    counts = [request.headers["x-stainless-retry-count"] for request in road.requests]
    assert counts == ["0", "0", "1", "0", "1", "2"]


class Moved(Recorder):
    """Says of its first version that there is a second."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if request.url.path.startswith("/v1"):
            return httpx2.Response(307, headers={"Location": "/v2" + PATH})
        return response


async def test_questions_go_straight_to_the_road_and_are_tried_again_as_the_sdk_does():
    transport, road = Recorder(), Recorder(503)
    http_client = openai.DefaultAsyncHttpxClient(transport=transport, trust_env=False)
    async with AskingClient(
        **client_settings(ENDPOINT), http_client=http_client, road=road
    ) as client:
        response = await client.ask(b"{}")
        await client.models.with_raw_response.list()
    assert response.status_code == 200
    assert [request.url.path for request in road.requests] == ["/v1" + PATH] * 2
    assert [request.url.path for request in transport.requests] == ["/v1/models"]


async def test_a_question_that_is_sent_elsewhere_arrives_there():
    road = Moved()
    http_client = openai.DefaultAsyncHttpxClient(transport=road, trust_env=False)
    async with AskingClient(
        **client_settings(ENDPOINT), http_client=http_client, road=road
    ) as client:
        await client.ask(b'{"model": "a"}')
        await client.ask(b'{"model": "b"}')
    elsewhere = [request for request in road.requests if request.url.path == "/v2" + PATH]
    assert [request.content for request in elsewhere] == [b'{"model": "a"}', b'{"model": "b"}']
