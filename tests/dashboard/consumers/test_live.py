"""The socket of every open page: nothing missed, nothing told to the wrong person."""

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.test import Client

from dashboard.consumers import live
from dashboard.services import outbox
from tests.dashboard.sockets import Closed, open_socket
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

make_user = sync_to_async(UserFactory)
publish = sync_to_async(outbox.publish)
latest_id = sync_to_async(outbox.latest_id)
PATH = "/ws/live/"


async def push(topic: str, **payload: object) -> int:
    """Publish as a service does, and hand over as the tail does."""
    kind = f"{topic}.changed"
    await publish(topic, kind, **payload)
    event_id: int = await latest_id()
    message = {"type": "outbox.event", "id": event_id, "topic": topic}
    await get_channel_layer().group_send(
        f"topic.{topic}", message | {"kind": kind, "payload": payload}
    )
    return event_id


@pytest.mark.origin(49)
async def test_a_page_hears_what_happens_on_its_topics_only():
    trainer = await make_user(trainer=True)
    async with open_socket(PATH, user=trainer) as socket:
        await socket.send({"topics": ["jobs"], "after": await latest_id()})
        assert await socket.is_silent()

        await push("datasets", id=1)
        event_id = await push("jobs", id=7)

        assert await socket.receive() == {
            "id": event_id,
            "topic": "jobs",
            "kind": "jobs.changed",
            "payload": {"id": 7},
        }
        assert await socket.is_silent()


async def test_a_page_that_reconnects_is_told_what_it_missed_in_order():
    trainer = await make_user(trainer=True)
    await publish("jobs", "job.changed", id=1)
    seen = await latest_id()
    for number in (2, 3):
        await publish("jobs", "job.changed", id=number)
    await publish("datasets", "dataset.changed", id=9)

    async with open_socket(PATH, user=trainer) as socket:
        await socket.send({"topics": ["jobs"], "after": seen})

        assert [(await socket.receive())["payload"]["id"] for _ in range(2)] == [2, 3]
        assert await socket.is_silent()


async def test_a_page_that_missed_too_much_is_told_to_look_at_everything(monkeypatch):
    monkeypatch.setattr(outbox, "REPLAY_LIMIT", 2)
    trainer = await make_user(trainer=True)
    for number in range(5):
        await publish("jobs", "job.changed", id=number)

    async with open_socket(PATH, user=trainer) as socket:
        await socket.send({"topics": ["jobs"], "after": 0})

        assert [(await socket.receive()).get("type") for _ in range(3)] == [None, None, "resync"]


async def test_a_swapped_fragment_follows_other_topics():
    trainer = await make_user(trainer=True)
    async with open_socket(PATH, user=trainer) as socket:
        await socket.send({"topics": ["jobs"], "after": 0})
        await socket.send({"topics": ["datasets"], "after": 0})
        assert await socket.is_silent()

        await push("jobs")
        await push("datasets")

        assert (await socket.receive())["topic"] == "datasets"
        assert await socket.is_silent()


@pytest.mark.parametrize(
    "topic", ["jobs", "job.7", "datasets", "corrections", "conversations", "calls"]
)
async def test_a_member_is_refused_what_only_trainers_see(topic):
    member = await make_user()
    async with open_socket(PATH, user=member) as socket:
        await socket.send({"topics": [topic, "system"], "after": 0})
        assert await socket.receive() == {"type": "refused", "topic": topic}

        await push(topic)
        await push("system")

        heard = {(await socket.receive())["topic"]}
        while not await socket.is_silent():  # what comes while it subscribes may come twice
            heard.add((await socket.receive())["topic"])
        assert heard == {"system"}


@pytest.mark.parametrize(
    "topic", ["tasks.secret", "system.é x", "job.", "job." + "9" * 200, "job.7/8", "system\x00"]
)
async def test_a_topic_that_nobody_knows_is_refused(topic):
    admin = await make_user(admin=True)
    async with open_socket(PATH, user=admin) as socket:
        await socket.send({"topics": [topic], "after": 0})

        assert (await socket.receive())["type"] == "refused"


@pytest.mark.parametrize(
    "nonsense", [[], "jobs", {"topics": "jobs"}, {"topics": [1], "after": "x"}]
)
async def test_a_message_that_is_none_follows_nothing(nonsense):
    admin = await make_user(admin=True)
    async with open_socket(PATH, user=admin) as socket:
        await socket.send(nonsense)
        await push("jobs")

        assert await socket.is_silent()


async def test_a_message_that_is_no_json_closes_the_socket_with_a_reason():
    admin = await make_user(admin=True)
    async with open_socket(PATH, user=admin) as socket:
        await socket.send_text("{")

        with pytest.raises(Closed, match=str(live.DAMAGED)):
            await socket.receive()


@pytest.mark.origin(7)
async def test_whoever_has_not_signed_in_is_told_so():
    async with open_socket(PATH) as socket:
        with pytest.raises(Closed, match=str(live.SIGNED_OUT)):
            await socket.receive()


@pytest.mark.parametrize("path", [PATH, "/ws/playground/"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://testserver:9999",  # another program on the same machine
        "http://localhost",
        "http://testserver.evil.example",
        "http://[",
        "null",
        "",
    ],
)
@pytest.mark.origin(7)
async def test_another_site_cannot_open_a_socket(path, origin):
    admin = await make_user(admin=True)

    with pytest.raises(Closed):
        async with open_socket(path, user=admin, origin=origin):
            pass


@pytest.mark.parametrize("trusted", ["https://testserver:8443", "https://*.testserver"])
async def test_a_page_that_may_send_forms_may_open_a_socket(settings, trusted):
    settings.CSRF_TRUSTED_ORIGINS = [trusted]
    origin = trusted.replace("*.", "")

    async with open_socket(PATH, user=await make_user(admin=True), origin=origin) as socket:
        await socket.send({"topics": ["system"], "after": 0})

        assert await socket.is_silent()


async def test_a_socket_ends_soon_after_its_user_has_signed_out(monkeypatch):
    monkeypatch.setattr(live, "RECHECK_S", 0.0)
    client = Client()
    async with open_socket(PATH, user=await make_user(trainer=True), client=client) as socket:
        await socket.send({"topics": ["jobs"], "after": 0})
        assert await socket.is_silent()
        await sync_to_async(client.logout)()

        await push("jobs")

        with pytest.raises(Closed, match=str(live.SIGNED_OUT)):
            await socket.receive()


async def test_a_socket_ends_soon_after_its_user_has_lost_the_role(monkeypatch):
    monkeypatch.setattr(live, "RECHECK_S", 0.0)
    trainer = await make_user(trainer=True)
    async with open_socket(PATH, user=trainer) as socket:
        await socket.send({"topics": ["jobs"], "after": 0})
        assert await socket.is_silent()
        await sync_to_async(trainer.groups.clear)()

        await push("jobs")

        with pytest.raises(Closed):
            await socket.receive()


@pytest.mark.parametrize("after", [10**30, -(10**30), True, "1", None])
async def test_a_page_that_names_an_event_that_cannot_be_still_hears(after):
    async with open_socket(PATH, user=await make_user()) as socket:
        await socket.send({"topics": ["settings"], "after": after})
        assert await socket.is_silent()

        event_id = await push("settings")

        assert (await socket.receive())["id"] == event_id


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ({}, {"places", "tasks", "conversations", "corrections", "jobs", "import"}),
        ({"trainer": True}, {"places"}),
        ({"admin": True}, set()),
    ],
    ids=["member", "trainer", "admin"],
)
async def test_each_role_follows_what_its_pages_show(role, refused):
    topics = ["system", "settings", "places", "tasks", "conversations", "corrections", "jobs"]
    async with open_socket(PATH, user=await make_user(**role)) as socket:
        await socket.send({"topics": [*topics, "import"], "after": await latest_id()})

        told = [await socket.receive() for _ in refused]

        assert {each["topic"] for each in told if each["type"] == "refused"} == refused
        assert await socket.is_silent()
