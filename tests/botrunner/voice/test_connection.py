"""Hearing everybody, whatever Discord does to the connection: real DAVE at both ends."""

import asyncio
import gc
from contextlib import suppress

import pytest

from botrunner.voice.connection import MOST_UNNAMED, End, ReceivingClient
from botrunner.voice.packets import Packet
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.voice import SILENCE
from tests.fakes.discord.world import ChannelType, User

FRAMES = [bytes([0xF8, number, 1, 2, 3]) for number in range(100)]


class Heard:
    """What a client hears, by speaker."""

    def __init__(self, client: ReceivingClient) -> None:
        self.frames: dict[int, list[bytes]] = {}
        self.client = client
        self._more = asyncio.Event()
        client.listen(self._hear)

    def _hear(self, discord_user_id, packet) -> None:
        self.frames.setdefault(discord_user_id, []).append(packet.frame)
        self._more.set()

    async def of(self, fake: FakeDiscord, user: User) -> list[bytes]:
        """What is heard of 100 frames, all said after whatever happened to the keys."""
        self.frames.clear()
        await until_understood(fake, self.client, user)
        await fake.voice.speak(user, FRAMES)
        with suppress(TimeoutError):  # what came is compared, and says more
            async with asyncio.timeout(60):
                while len(self.frames.get(int(user.id), [])) < len(FRAMES):
                    self._more.clear()
                    await self._more.wait()
        return self.frames.get(int(user.id), [])


async def until(look) -> None:
    """Wait for what the fake does not notice."""
    async with asyncio.timeout(60):
        while not look():  # noqa: ASYNC110 (a thread counts)
            await asyncio.sleep(0.005)


async def until_understood(fake: FakeDiscord, client: ReceivingClient, user: User) -> None:
    """Wait until the bot can decrypt this person; what was said before is lost in Discord, too."""

    def can() -> bool:
        session = client._connection.dave_session
        members = fake.voice.call.group.members if fake.voice.call.group else {}
        return (
            int(user.id) in client.speakers.values()
            and bool(session and session.ready)
            and user.id in members
            and members[user.id].epoch == session.epoch
        )

    await until(can)


@pytest.fixture
async def fake():
    async with FakeDiscord(dave=1) as fake:
        yield fake


@pytest.fixture
def ada(fake):
    return fake.add_user("Ada")


@pytest.fixture
async def client(fake, ada, connected):
    client = await connected(fake)
    await fake.voice.enter(ada, ssrc=7)
    yield client
    gc.collect()  # a socket that was forgotten would warn here


async def test_everybody_is_heard_whole_also_those_who_come_later(fake, client, ada):
    heard = Heard(client)

    assert await heard.of(fake, ada) == FRAMES
    grace, edsger = fake.add_user("Grace"), fake.add_user("Edsger")
    for number, late in enumerate((grace, edsger)):
        await fake.voice.enter(late, ssrc=8 + number)
        assert await heard.of(fake, late) == FRAMES
    assert await heard.of(fake, grace) == FRAMES
    assert await heard.of(fake, ada) == FRAMES
    assert client.is_end_to_end
    assert client.counts["heard"] == client.counts["received"] == 500


async def test_a_session_that_is_gone_is_replaced_at_once_and_again(fake, client, ada):
    heard = Heard(client)
    assert await heard.of(fake, ada) == FRAMES

    for n_calls in (2, 3):
        await fake.voice.end(4006)
        await fake.until(lambda n=n_calls: fake.voice.n_calls == n, "the bot is back")

        assert await heard.of(fake, ada) == FRAMES


async def test_a_crashed_voice_server_takes_the_bot_back_with_its_keys(fake, client, ada):
    heard = Heard(client)
    assert await heard.of(fake, ada) == FRAMES

    await fake.voice.end(4015)
    await fake.until(lambda: fake.voice.call.n_resumed, "the bot resumes")

    assert await heard.of(fake, ada) == FRAMES
    assert fake.voice.n_calls == 1


async def test_where_no_session_can_be_resumed_a_new_one_begins(fake, client, ada):
    heard = Heard(client)
    assert await heard.of(fake, ada) == FRAMES
    fake.voice.allows_resume = False

    await fake.voice.end(4015)
    await fake.until(lambda: fake.voice.n_calls == 2, "the bot is back")

    assert await heard.of(fake, ada) == FRAMES


async def test_another_region_and_a_lost_gateway_cost_nothing(fake, client, ada):
    heard = Heard(client)
    assert await heard.of(fake, ada) == FRAMES

    await fake.voice.change_server()
    await fake.until(lambda: fake.voice.n_calls == 2, "the bot follows")
    assert await heard.of(fake, ada) == FRAMES

    await fake.gateway.drop()
    await fake.until(lambda: fake.gateway.resumes, "the gateway is back")
    assert await heard.of(fake, ada) == FRAMES


async def test_moved_by_a_moderator_it_follows_and_leaves_no_socket_behind(fake, client, ada):
    other = fake.world.add_channel("other", ChannelType.VOICE)
    await fake.add_to_guild(other)
    heard = Heard(client)
    assert await heard.of(fake, ada) == FRAMES

    await fake.voice.move_bot(other)
    await fake.until(lambda: fake.voice.n_calls == 2, "the bot follows")

    assert await heard.of(fake, ada) == FRAMES
    assert client.channel.name == "other"


async def test_removed_by_a_moderator_it_stays_out(fake, client, ada):
    Heard(client)

    await fake.voice.kick()
    async with asyncio.timeout(60):
        await client.ended.wait()

    assert client.end is End.REMOVED
    assert fake.voice.n_calls == 1


async def test_let_in_anew_on_its_own_wish_it_has_new_keys(fake, client, ada):
    heard = Heard(client)
    assert await heard.of(fake, ada) == FRAMES

    await client.begin_anew()
    await fake.until(lambda: fake.voice.n_calls == 2, "the bot is back")

    assert await heard.of(fake, ada) == FRAMES


async def test_what_is_said_before_discord_says_by_whom_is_not_lost(fake, client, ada):
    heard = Heard(client)
    await until_understood(fake, client, ada)
    client.speakers.clear()

    await fake.voice.speak(ada, FRAMES[:10])
    await until(lambda: client.counts["received"] == 10)
    assert heard.frames == {}
    await fake.voice.join(ada, ssrc=7)
    await until(lambda: heard.frames)

    assert heard.frames == {int(ada.id): FRAMES[:10]}


async def test_of_a_stranger_no_more_is_kept_than_half_a_second(fake, client, ada):
    Heard(client)
    await until_understood(fake, client, ada)
    client.speakers.clear()

    await fake.voice.speak(ada, FRAMES)
    await until(lambda: client.counts["unnamed"] == 75)

    assert client.counts["heard"] == 0


async def test_strangers_who_were_never_named_keep_nobody_else_from_being_heard(fake, client, ada):
    heard = Heard(client)
    await until_understood(fake, client, ada)
    client.speakers.clear()
    for ssrc in range(100, 100 + MOST_UNNAMED):
        client._take(Packet(ssrc, 1, 960, b"nobody's"))

    await fake.voice.speak(ada, FRAMES[:10])
    await until(lambda: client.counts["received"] == 10)
    await fake.voice.join(ada, ssrc=7)
    await until(lambda: heard.frames)

    assert heard.frames == {int(ada.id): FRAMES[:10]}
    assert client.counts["unnamed"] == 1


async def test_it_is_known_how_often_somebody_began_to_speak_and_what_only_ends_speech(
    fake, client, ada
):
    await Heard(client).of(fake, ada)
    before = client.n_begun, client.counts["silent"]

    await fake.voice.join(ada, ssrc=7)
    await fake.voice.speak(ada, [SILENCE] * 5)
    await until(lambda: client.counts["silent"] == before[1] + 5)

    assert client.n_begun == before[0] + 1


async def test_nothing_is_heard_in_clear_where_it_must_be_encrypted(fake, client, ada):
    heard = Heard(client)
    assert await heard.of(fake, ada) == FRAMES
    fake.voice.call.group.members.clear()  # from now on Ada's client encrypts nothing

    await fake.voice.speak(ada, FRAMES)
    await until(lambda: client.counts["plain"] == 100)

    assert client.counts["heard"] == 100


async def test_a_path_without_voice_is_kept_open(fake, client, ada):
    client.keep_path_open()

    await fake.until(lambda: fake.voice.n_kept_open, "it has come")
    await client.disconnect(force=True)
    client.keep_path_open()  # nowhere to, and no fault
