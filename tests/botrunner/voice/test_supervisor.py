"""The bot is where the rows want it, whatever Discord and its moderators do."""

import asyncio

import discord
import pytest
from channels.db import database_sync_to_async

from botrunner.voice import call as calls_module
from botrunner.voice.places import VoiceUnavailable
from botrunner.voice.supervisor import Supervisor
from dashboard.models import OutboxEvent, VoiceCall, VoiceSettings
from dashboard.services import calls, consent
from dashboard.services.access import Person, Role
from dashboard.services.calls import Place
from tests.botrunner.voice.ears import Ears
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.world import ChannelType
from trainerbot.errors import NotAllowed

pytestmark = pytest.mark.django_db(transaction=True)

ASKER = Person(Role.MEMBER, "Ada", discord_user_id=42)


@pytest.fixture
async def discord_server():
    async with FakeDiscord(dave=1) as fake:
        yield fake


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@pytest.fixture
def room(discord_server):
    return discord_server.world.voice


@pytest.fixture
async def supervisor(connected_bot, discord_server, ada):
    await discord_server.voice.enter(ada, ssrc=7)
    cog = connected_bot.get_cog("Voice")
    cog.supervisor.attend, cog.supervisor.look_s = Ears, 0.02
    return cog.supervisor


def channel_of(bot, room) -> discord.VoiceChannel:
    return bot.get_channel(int(room.id))


async def join(supervisor, room):
    text = Place(int(supervisor.bot.guilds[0].text_channels[0].id), "general")
    return await supervisor.join(channel_of(supervisor.bot, room), text_channel=text, actor=ASKER)


@database_sync_to_async
def row() -> VoiceCall:
    return VoiceCall.objects.select_related("channel").latest("pk")


async def until(look, what: str):
    """Return what an async `look` finds, as soon as it finds something."""
    try:
        async with asyncio.timeout(60):
            while not (found := await look()):  # noqa: ASYNC110 (rows wake nobody up)
                await asyncio.sleep(0.01)
            return found
    except TimeoutError:
        raise AssertionError(f"Waited in vain until {what}.") from None


async def until_state(state: str) -> VoiceCall:
    async def look():
        found = await row()
        return found if found.state == state else None

    return await until(look, f"the call is {state}")


async def said(discord_server, words: str) -> str:
    message = await discord_server.wait_for_reply(containing=words)
    return message.content


async def is_heard(discord_server, call, user, *, n_frames: int = 50) -> None:
    """Fail unless the bot hears this person."""

    async def has_keys():
        group = discord_server.voice.call.group
        session = call.client._connection.dave_session
        return (
            group and user.id in group.members and session and session.ready
            and group.members[user.id].epoch == session.epoch
            and int(user.id) in call.client.speakers.values()
            and call.consents.is_heard(int(user.id))
        )  # fmt: skip

    await until(has_keys, "the bot has the keys")
    before = call.participant.heard.get(int(user.id), 0)
    await discord_server.voice.speak(user, [b"\xf8\xff\xfe"] + [bytes([0xF8, 0, 0])] * n_frames)

    async def all_heard():
        return call.participant.heard.get(int(user.id), 0) - before >= n_frames

    await until(all_heard, "everything was heard")


async def test_it_hears_in_the_call_and_says_how_it_goes(supervisor, discord_server, room, ada):
    call = await join(supervisor, room)

    await is_heard(discord_server, call, ada)

    found = await until_state("connected")
    assert found.channel.name == "voice"

    async def figures():
        return (await row()).figures.get("heard")

    supervisor.calls[call.guild_id]._reported_at = -1e9
    assert await until(figures, "figures are reported")
    found = await row()
    assert found.figures["is_end_to_end"] is True
    assert found.figures["people"] == [ada.id]


async def test_lost_for_good_it_connects_anew_and_hears_again(
    supervisor, discord_server, room, ada
):
    call = await join(supervisor, room)
    await is_heard(discord_server, call, ada)

    call.client.abandon()  # as where no resumption and no new session help
    await discord_server.until(lambda: discord_server.voice.n_calls == 2, "it is back")
    await until_state("connected")

    await is_heard(discord_server, call, ada)
    assert not call.participant.is_closed
    assert call.participant.n_lost == 1  # nobody's half sentence goes on


async def test_a_new_session_of_the_gateway_finds_it_in_its_call_again(
    supervisor, discord_server, room, ada
):
    call = await join(supervisor, room)
    await is_heard(discord_server, call, ada)
    former = call.client

    # What discord.py does with READY; a real one would take five seconds.
    supervisor.bot._connection._voice_clients.clear()
    await supervisor.on_ready()
    await discord_server.until(lambda: discord_server.voice.n_calls == 2, "it is back")
    await until_state("connected")

    assert call.client is not former
    await is_heard(discord_server, call, ada)


async def test_after_a_restart_it_goes_back_where_it_is_wanted(
    supervisor, discord_server, room, ada
):
    before = await join(supervisor, room)
    await supervisor.close()
    assert (await row()).state == "reconnecting"
    assert before.participant is None

    again = Supervisor(supervisor.bot, attend=Ears, look_s=0.02)
    await again.on_ready()
    await until_state("connected")

    [call] = again.calls.values()
    assert call.call_id == before.call_id
    await said(discord_server, "I listen to everybody here")
    await is_heard(discord_server, call, ada)
    await again.close()


async def test_moved_by_a_moderator_it_stays_there(supervisor, discord_server, room, ada):
    other = discord_server.world.add_channel("other", ChannelType.VOICE)
    await discord_server.add_to_guild(other)
    call = await join(supervisor, room)

    await discord_server.voice.move_bot(other)
    await discord_server.until(lambda: discord_server.voice.n_calls == 2, "it follows")

    async def follows():
        return (await row()).channel.name == "other"

    await until(follows, "the row says so")
    assert call.name == "other"
    assert (await row()).ended_at is None
    # Nobody there has called it, so they must be told.
    told = await discord_server.wait_for_reply(containing="I listen to everybody here")
    assert told.channel.name == "other"


async def test_removed_by_a_moderator_it_stays_out_and_says_so(
    supervisor, discord_server, room, ada
):
    call = await join(supervisor, room)

    await discord_server.voice.kick()

    assert "removed me" in await said(discord_server, "moderator")
    assert (await until_state("ended")).ended_because == "A moderator removed me from voice."
    assert call.participant is None
    assert supervisor.calls == {}


@pytest.mark.origin(46)
async def test_left_alone_it_leaves_after_a_while(supervisor, discord_server, room, ada):
    call = await join(supervisor, room)
    call.leaves_after_s = 300
    await discord_server.voice.sit(ada, None)

    async def is_alone():
        return not call.people()

    await until(is_alone, "Ada has left")
    now = asyncio.get_running_loop().time()

    assert await call.look(now) == ""
    assert await call.look(now + 299) == ""
    assert await call.look(now + 301) == "Nobody else was in voice any more."
    assert call.participant.left == [int(ada.id)]
    call.leaves_after_s = 0
    assert await call.look(now + 1e6) == ""


async def test_the_wait_alone_is_the_guilds_to_set(supervisor, discord_server, room, ada):
    call = await join(supervisor, room)

    @database_sync_to_async
    def set_it():
        guild = VoiceCall.objects.get().guild
        VoiceSettings.objects.update_or_create(guild=guild, defaults={"leaves_after_s": 7})

    await set_it()
    await supervisor.read_settings()

    assert call.leaves_after_s == 7


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"deaf": True}, "deafened me in voice"),
        ({"mute": True}, "muted me in voice"),
        ({"suppress": True}, "audience of voice"),
    ],
)
async def test_what_hampers_it_is_said_in_the_text_channel(
    supervisor, discord_server, room, ada, what, words
):
    await join(supervisor, room)

    await discord_server.voice.hamper_bot(**what)

    assert words in await said(discord_server, words)
    assert words in (await row()).problem
    await discord_server.voice.hamper_bot()

    async def is_well():
        return not (await row()).problem

    await until(is_well, "nothing is wrong any more")


async def test_without_permission_to_speak_it_says_so(supervisor, discord_server, room, ada):
    await discord_server.forbid(room, discord.Permissions.speak.flag)

    await join(supervisor, room)

    assert await said(discord_server, "permission Speak")


async def test_whoever_objects_is_not_heard_from_then_on(supervisor, discord_server, room, ada):
    call = await join(supervisor, room)
    await is_heard(discord_server, call, ada)
    heard = dict(call.participant.heard)

    supervisor.note_consent(int(ada.id), False)
    await discord_server.voice.speak(ada, [b"\xf8\x00\x00"] * 20)
    await discord_server.until(lambda: call.client.counts["unheard"] == 20, "it was dropped")

    assert call.participant.heard.keys() == heard.keys()
    assert call.client.counts["heard"] == 51
    assert call.participant.refused == [int(ada.id)]


async def test_whoever_objected_before_is_never_heard(supervisor, discord_server, room, ada):
    person = Person(Role.MEMBER, "Ada", discord_user_id=int(ada.id))
    await database_sync_to_async(consent.set_heard)(person, False)
    call = await join(supervisor, room)

    await discord_server.voice.speak(ada, [b"\xf8\x00\x00"] * 20)
    await discord_server.until(lambda: call.client.counts["unheard"] == 20, "it was dropped")

    assert call.client.counts["heard"] == 0


async def test_whoever_comes_later_is_told_but_not_each_of_them(
    supervisor, discord_server, room, ada
):
    call = await join(supervisor, room)
    for name in ("Grace", "Edsger"):
        await discord_server.voice.sit(discord_server.add_user(name), room)

    await said(discord_server, "I listen to everybody here")

    async def both_are_in():
        return len(call.people()) == 3

    await until(both_are_in, "both are in")
    told = [m for m in discord_server.world.said_by_bot() if "I listen to" in m.content]
    assert [m.channel.name for m in told] == ["voice"]
    call._newcomers.close()


async def test_who_comes_soon_after_it_was_announced_gets_a_line(
    supervisor, discord_server, room, ada
):
    call = await join(supervisor, room)
    call._newcomers._together_s = 0.0
    await call.announce()
    await discord_server.voice.sit(discord_server.add_user("*Grace*"), room)

    line = await said(discord_server, "I listen here")

    assert line.startswith(r"-# \*Grace\*: I listen here.")


async def test_a_voice_server_that_does_not_answer_is_said_and_nothing_is_left(
    supervisor, discord_server, room, ada, monkeypatch
):
    monkeypatch.setattr(calls_module, "CONNECT_WITHIN_S", 0.05)
    discord_server.voice.is_silent = True

    with pytest.raises(VoiceUnavailable, match="did not answer"):
        await join(supervisor, room)

    assert (await row()).state == "ended"
    assert supervisor.calls == {}
    assert supervisor.bot.voice_clients == []


async def test_a_connection_that_does_not_come_back_is_said_within_ten_seconds(
    supervisor, discord_server, room, ada
):
    call = await join(supervisor, room)
    now = asyncio.get_running_loop().time()
    discord_server.voice.is_silent = True
    await discord_server.voice.end(4006)
    await until_state("reconnecting")

    await call.look(now + 9)

    assert "try to get back" in await said(discord_server, "I lost the connection to voice")
    assert (await row()).problem


async def test_where_it_may_not_connect_nothing_begins(supervisor, discord_server, room, ada):
    await discord_server.forbid(room, discord.Permissions.connect.flag)

    async def is_forbidden():
        channel = channel_of(supervisor.bot, room)
        return not channel.permissions_for(channel.guild.me).connect

    await until(is_forbidden, "the bot knows")
    with pytest.raises(NotAllowed, match="permission Connect"):
        await join(supervisor, room)

    assert not await database_sync_to_async(VoiceCall.objects.exists)()


async def test_a_wish_without_voice_is_kept_and_explained(supervisor, discord_server, room, ada):
    bot = supervisor.bot

    @database_sync_to_async
    def wish():
        return calls.want(
            discord_guild_id=bot.guilds[0].id,
            guild_name="Testers",
            channel=Place(int(room.id), "voice"),
            text_channel=None,
            actor=None,
        )

    await wish()
    bot.voice_problem = "The Opus library was not found."

    await Supervisor(bot).on_ready()

    found = await row()
    assert (found.state, found.ended_at) == ("reconnecting", None)
    assert "Bot page" in found.problem
    assert await database_sync_to_async(OutboxEvent.objects.filter(topic="calls").exists)()
