"""What one key may ask in a minute."""

from typing import Any

import pytest
from starlette.requests import Request

from tests.trainerbot.modelserver.inprocess import in_process
from trainerbot.modelserver.api.chat.answering import Answers
from trainerbot.modelserver.api.chat.metering import metered
from trainerbot.modelserver.api.limits import Limits
from trainerbot.modelserver.runtimes.base import Finish, Piece, Start


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(tmp_path, clock):
    limits = Limits(requests_per_minute=2, tokens_per_minute=60, clock=clock)
    with in_process(tmp_path, api_keys=("one", "two"), limits=limits) as running:
        yield running


def asked(server, key: str, path: str = "/v1/files"):
    return server.send("GET", path, headers={"authorization": f"Bearer {key}"})


def test_one_request_too_many_is_refused_as_openai_refuses_it(server):
    asked(server, "one")
    asked(server, "one")

    reply = asked(server, "one")

    assert reply.status == 429
    assert reply.error == {
        "message": "Rate limit reached on requests per min (RPM): Limit 2, Used 2, Requested 1. "
        "Please try again in 30s.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert (reply.headers["retry-after"], reply.headers["retry-after-ms"]) == ("30", "30000")
    assert reply.headers["x-request-id"].startswith("req_")


def test_the_headers_say_where_the_key_stands(server):
    headers = asked(server, "one").headers

    assert headers["x-ratelimit-limit-requests"] == "2"
    assert headers["x-ratelimit-remaining-requests"] == "1"
    assert headers["x-ratelimit-reset-requests"] == "30s"
    assert headers["x-ratelimit-limit-tokens"] == "60"
    assert headers["x-ratelimit-remaining-tokens"] == "60"
    assert headers["x-ratelimit-reset-tokens"] == "0ms"


def test_each_key_has_its_own_and_it_fills_again(server, clock):
    for _ in range(3):
        asked(server, "one")

    assert asked(server, "two").status == 200
    assert asked(server, "one").status == 429
    clock.now_s += 30
    assert asked(server, "one").status == 200


def test_a_wrong_key_counts_for_nobody(server):
    for _ in range(5):
        assert asked(server, "three").status == 401

    assert asked(server, "one").status == 200


def test_health_is_never_limited(server):
    replies = [server.send("GET", "/healthz") for _ in range(5)]

    assert not any(reply.status == 429 for reply in replies)


def test_what_answers_cost_is_paid_before_the_next_question(clock):
    limits = Limits(tokens_per_minute=60, clock=clock)

    limits.spend(0, 90)

    assert limits.admit(0, "/v1/files") is None
    refusal = limits.admit(0, "/v1/chat/completions")
    assert refusal is not None
    assert (refusal.type, refusal.headers["retry-after"]) == ("tokens", "31")
    clock.now_s += 31
    assert limits.admit(0, "/v1/chat/completions") is None


def test_without_limits_nothing_is_counted_or_told(tmp_path):
    with in_process(tmp_path) as server:
        replies = [server.send("GET", "/v1/files") for _ in range(20)]

    assert {reply.status for reply in replies} == {200}
    assert not any("ratelimit" in name for reply in replies for name in reply.headers)


async def test_an_answer_is_counted_when_it_ends_and_when_nobody_waits_for_its_end(clock):
    limits = Limits(tokens_per_minute=60, clock=clock)
    scope: dict[str, Any] = {"type": "http"}
    limits.meter(scope, 0)
    request = Request(scope)

    async def answers() -> Answers:
        yield 0, Start("f")
        yield 0, Piece("Good ")
        yield 0, Piece("day")
        yield 0, Finish("stop", 20, 10)

    whole = [event async for _, event in metered(request, answers())]
    left = metered(request, answers())
    for _ in range(2):
        await anext(left)
    await left.aclose()

    assert len(whole) == 4
    told = dict(limits.headers(0))
    assert told[b"x-ratelimit-remaining-tokens"] == b"29"  # 60 - 30 - 1
