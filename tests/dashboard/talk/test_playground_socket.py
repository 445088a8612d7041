"""The Playground's socket, through the whole ASGI application and real model bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from dashboard.models import Conversation, Message, Source
from dashboard.services import corrections, recall
from tests import left_open
from tests.factories import ConversationFactory, UserFactory
from tests.fakes.openai_endpoint import FakeOpenAI, Reply, error_body
from trainerbot.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 60.0
SLOW = Reply(pieces=tuple(f"word{n} " for n in range(200)), delay_s=0.05)


class Socket(ApplicationCommunicator):
    """A page's end of the socket. (Channels' own needs daphne, which we do not run.)"""

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__(
            application,
            {
                "type": "websocket",
                "path": "/ws/playground/",
                "query_string": b"",
                "headers": headers,
                "subprotocols": [],
            },
        )

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        first = await self.receive_output(WAIT_S)
        return bool(first["type"] == "websocket.accept")

    async def go_away(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wait(WAIT_S)

    async def send(self, **frame: Any) -> None:
        await self.send_input({"type": "websocket.receive", **frame})

    async def tell(self, **content: Any) -> None:
        await self.send(text=json.dumps(content))

    async def ask(self, question: Any, **fields: Any) -> None:
        await self.tell(type="ask", question=question, **fields)

    async def hear(self) -> dict[str, Any]:
        frame = await self.receive_output(WAIT_S)
        news: dict[str, Any] = json.loads(frame["text"])
        return news

    async def until(self, *kinds: str) -> dict[str, Any]:
        """The first news of one of `kinds`; whatever comes before is passed over."""
        while (news := await self.hear())["type"] not in kinds:
            pass
        return news

    async def whole_answer(self, question: str, **fields: Any) -> Message:
        await self.ask(question, **fields)
        return await message((await self.until("answer", "failed", "refused"))["id"])


Open = Callable[..., Awaitable[Socket]]


@pytest.fixture
async def open_socket() -> AsyncIterator[Open]:
    opened: list[Socket] = []

    async def open_(user: User | None) -> Socket:
        headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
        if user is not None:
            client = Client()
            await database_sync_to_async(client.force_login)(user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()))
        socket = Socket(headers)
        assert await socket.connect()
        opened.append(socket)
        return socket

    yield open_
    for socket in opened:
        if not socket.future.done():
            await socket.go_away()


make_user = database_sync_to_async(UserFactory)


@database_sync_to_async
def message(pk: int) -> Message:
    return Message.objects.select_related("reply_to", "conversation__user").get(pk=pk)


@database_sync_to_async
def contents(**wanted: Any) -> list[str]:
    return list(Message.objects.filter(**wanted).order_by("pk").values_list("content", flat=True))


async def test_what_makes_ready_for_the_first_question_closes_its_connection(open_socket):
    recall.warm.cache_clear()

    socket = await open_socket(await make_user())
    await socket.send(text="")
    await socket.hear()  # what was to begin has begun

    # All threads but the one for rows have ended then.
    await asyncio.get_running_loop().shutdown_default_executor()
    assert recall.warm.cache_info().currsize == 1
    assert left_open.connections() == []


async def test_an_answer_comes_in_pieces_and_is_then_in_the_log(open_socket, endpoint: FakeOpenAI):
    user = await make_user()
    endpoint.replies = [Reply(pieces=("At ", "nine."), model="small-2026", system_fingerprint="fp")]
    socket = await open_socket(user)

    await socket.ask("When?")
    news = [await socket.hear()]
    while news[-1]["type"] != "answer":
        news.append(await socket.hear())

    # Pieces that the endpoint's socket gave together are told together.
    started, *deltas, ended = news
    assert (started["type"], {each["type"] for each in deltas}) == ("started", {"delta"})
    assert "".join(each["text"] for each in deltas) == "At nine."
    answer = await message(ended["id"])
    assert (answer.content, answer.reply_to.content) == ("At nine.", "When?")
    assert answer.conversation_id == started["conversation"]
    assert answer.conversation.user == user
    assert answer.conversation.source == Source.PLAYGROUND


async def test_a_conversation_goes_on_and_remembers(open_socket, endpoint: FakeOpenAI):
    socket = await open_socket(await make_user())

    first = await socket.whole_answer("My name is Maya.")
    second = await socket.whole_answer("Who am I?", conversation=first.conversation_id)

    assert second.conversation_id == first.conversation_id
    said = [each["content"] for each in endpoint.chats[-1]["messages"]]
    assert "My name is Maya." in said
    assert said[-1] == "Who am I?"


async def test_the_chosen_model_is_asked(open_socket, endpoint: FakeOpenAI):
    socket = await open_socket(await make_user())

    answer = await socket.whole_answer("When?", model="large")

    assert endpoint.chats[-1]["model"] == "large"
    assert answer.model == "large"


async def test_asked_again_after_a_correction_the_right_words_come(
    open_socket, endpoint: FakeOpenAI
):
    user = await make_user(admin=True)
    socket = await open_socket(user)
    wrong = await socket.whole_answer("When does the library open?")
    correction = await database_sync_to_async(corrections.propose_for)(
        message=wrong, better_answer="At nine.\nOn Sundays never.", author=user
    )

    right = await socket.whole_answer(
        "When does the library open?", conversation=wrong.conversation_id
    )

    assert right.content == "At nine.\nOn Sundays never."
    assert right.correction_id == correction.pk


async def test_a_stopped_answer_is_kept_as_far_as_it_came(open_socket, endpoint: FakeOpenAI):
    endpoint.replies = [SLOW]
    socket = await open_socket(await make_user())
    await socket.ask("Tell me all.")
    await socket.until("delta")

    await socket.tell(type="stop")
    stopped = await socket.until("stopped")

    answer = await message(stopped["id"])
    assert answer.content.startswith("word0 ")
    assert answer.error
    assert await asyncio.to_thread(endpoint.stopped.wait, WAIT_S)


async def test_after_a_stop_the_next_question_is_answered(open_socket, endpoint: FakeOpenAI):
    endpoint.replies = [SLOW, Reply(pieces=("Here.",))]
    socket = await open_socket(await make_user())
    await socket.ask("Tell me all.")
    await socket.until("delta")
    await socket.tell(type="stop")
    await socket.until("stopped")

    answer = await socket.whole_answer("Are you there?")

    assert answer.content == "Here."


async def test_stopping_when_nothing_comes_changes_nothing(open_socket, endpoint: FakeOpenAI):
    socket = await open_socket(await make_user())

    await socket.tell(type="stop")

    assert (await socket.whole_answer("When?")).content == "Hello there."


async def test_who_goes_away_mid_answer_leaves_what_came_in_the_log(
    open_socket, endpoint: FakeOpenAI
):
    endpoint.replies = [SLOW]
    socket = await open_socket(await make_user())
    await socket.ask("Tell me all.")
    await socket.until("delta")

    await socket.go_away()

    (partial,) = await contents(role=Message.Role.ASSISTANT)
    assert partial.startswith("word0 ")


async def test_a_second_question_waits_its_turn(open_socket, endpoint: FakeOpenAI):
    endpoint.replies = [SLOW]
    socket = await open_socket(await make_user())
    await socket.ask("First?")
    await socket.until("delta")

    await socket.ask("Second?")
    refused = await socket.until("refused")

    assert "still coming" in refused["sentence"]
    assert await contents(role=Message.Role.USER) == ["First?"]


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (404, error_body("The model `nix` does not exist", "model_not_found"), "nix"),
        (401, error_body("bad key sk-secret-key-123", "invalid_api_key"), "key"),
    ],
)
async def test_a_refusal_of_the_endpoint_is_told_in_words_and_logged(
    open_socket, endpoint: FakeOpenAI, status, error, told
):
    endpoint.replies = [Reply(status=status, error=error)]
    socket = await open_socket(await make_user())

    await socket.ask("When?", model="nix")
    failed = await socket.until("failed")

    answer = await message(failed["id"])
    assert answer.error == failed["sentence"]
    assert told in failed["sentence"]
    assert "sk-secret" not in failed["sentence"]


async def test_a_dead_endpoint_is_told_in_words(open_socket, settings, endpoint: FakeOpenAI):
    settings.MODELSERVER_URL = "http://127.0.0.1:9/v1"
    socket = await open_socket(await make_user())

    await socket.ask("When?")
    failed = await socket.until("failed")

    assert failed["id"]
    assert failed["sentence"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        '{"type": "dance"}',
        '{"type": "ask"}',
        '{"type": "ask", "question": 7}',
        '{"type": "ask", "question": "When?", "conversation": true}',
        '{"type": "ask", "question": "When?", "conversation": "1"}',
        '{"type": "ask", "question": "When?", "conversation": 1e400}',
        '{"type": "ask", "question": "When?", "conversation": -1}',
        '{"type": "ask", "question": "When?", "conversation": 99999999999999999999}',
        '{"type": "ask", "question": "When?", "conversation": 4711}',
        '{"type": "ask", "question": "When?", "model": ["small"]}',
        json.dumps({"type": "ask", "question": "When?", "model": "x" * 201}),
        '{"type": "ask", "question": ""}',
        '{"type": "ask", "question": " \\n "}',
        json.dumps({"type": "ask", "question": "x" * 32_001}),
        '{"type": "ask", "question": "a\\u0000b"}',
        '{"type": "ask", "question": "half \\ud83d a face"}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:70],
)
async def test_what_makes_no_sense_is_refused_in_words_and_the_socket_lives(
    open_socket, endpoint: FakeOpenAI, text
):
    socket = await open_socket(await make_user())

    await socket.send(text=text)
    refused = await socket.hear()

    assert refused["type"] == "refused"
    assert refused["sentence"].endswith(".")
    assert await contents() == []
    assert (await socket.whole_answer("And now?")).content == "Hello there."


async def test_bytes_are_refused_in_words(open_socket, endpoint: FakeOpenAI):
    socket = await open_socket(await make_user())

    await socket.send(bytes=b"\x00\x01")

    assert (await socket.hear())["type"] == "refused"


@pytest.mark.parametrize("role", [{}, {"trainer": True}, {"admin": True}])
async def test_nobody_talks_in_somebody_elses_conversation(open_socket, endpoint: FakeOpenAI, role):
    other = await database_sync_to_async(ConversationFactory)()
    socket = await open_socket(await make_user(**role))

    await socket.ask("When?", conversation=other.pk)
    refused = await socket.hear()

    assert refused["type"] == "refused"
    assert await contents() == []


async def test_a_conversation_on_discord_is_not_gone_on_with_here(
    open_socket, endpoint: FakeOpenAI
):
    user = await make_user()
    row = await database_sync_to_async(ConversationFactory)(user=user, source=Source.DISCORD)
    socket = await open_socket(user)

    await socket.ask("When?", conversation=row.pk)

    assert "not yours to go on with" in (await socket.hear())["sentence"]


async def test_a_refused_question_leaves_no_empty_conversation(open_socket, endpoint: FakeOpenAI):
    socket = await open_socket(await make_user())

    await socket.ask("  ")
    await socket.hear()

    assert not await Conversation.objects.aexists()


async def test_without_a_sign_in_the_socket_closes_with_a_code_that_the_page_knows(open_socket):
    socket = await open_socket(None)

    assert (await socket.receive_output(WAIT_S))["code"] == 4401


@database_sync_to_async
def sign_out_everywhere(user: User) -> None:
    user.set_password("a new one")
    user.save()


@database_sync_to_async
def switch_off(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.parametrize("end", [sign_out_everywhere, switch_off])
async def test_a_socket_that_outlives_its_sign_in_asks_nothing_more(
    open_socket, endpoint: FakeOpenAI, end
):
    user = await make_user()
    socket = await open_socket(user)
    await end(user)

    await socket.ask("When?")

    assert (await socket.receive_output(WAIT_S))["code"] == 4401
    assert await contents() == []


async def test_a_page_of_another_site_cannot_open_the_socket():
    socket = Socket([(b"host", b"localhost"), (b"origin", b"http://evil.example")])

    assert not await socket.connect()
