"""The end of one call and the beginning of the next, at the same moment."""

import asyncio

import discord
import pytest
from channels.db import database_sync_to_async

from botrunner.voice.places import VoiceUnavailable
from dashboard.models import VoiceCall, VoiceSettings
from dashboard.services import calls
from dashboard.services.calls import Place
from dashboard.services.speech import costs
from tests.botrunner.voice.ears import Ears
from tests.botrunner.voice.lines import until
from tests.botrunner.working import online
from tests.fakes.discord import FakeDiscord

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def fake():
    async with FakeDiscord(dave=1) as fake:
        yield fake


@pytest.fixture
async def bot(aim, fake):
    async with online(fake) as bot:
        yield bot


async def join(bot, fake):
    channel = bot.get_channel(int(fake.world.voice.id))
    words = Place(int(fake.world.general.id), "general")
    return await bot.get_cog("Voice").supervisor.join(channel, text_channel=words, actor=None)


async def test_called_back_while_it_still_says_why_it_left_it_begins_a_new_call(
    bot, fake, monkeypatch
):
    supervisor = bot.get_cog("Voice").supervisor
    call = await join(bot, fake)
    says, go_on = asyncio.Event(), asyncio.Event()
    send = discord.PartialMessageable.send

    async def slowly(self, *words, **more):
        says.set()
        await go_on.wait()
        return await send(self, *words, **more)

    monkeypatch.setattr(discord.PartialMessageable, "send", slowly)
    await fake.voice.kick()
    await asyncio.wait_for(says.wait(), 60)

    again = await asyncio.wait_for(join(bot, fake), 60)
    go_on.set()
    await fake.wait_for_reply(containing="removed me")

    assert again.call_id != call.call_id
    assert supervisor.calls == {again.guild_id: again}
    assert again.client.is_connected()
    ended = await database_sync_to_async(VoiceCall.objects.get)(pk=call.call_id)
    assert ended.ended_because == "A moderator removed me from voice."


async def test_nobody_waits_for_a_call_that_is_over_before_it_began(bot, fake):
    supervisor = bot.get_cog("Voice").supervisor
    fake.voice.is_silent = True
    joining = asyncio.create_task(join(bot, fake))
    await until(lambda: supervisor.calls)

    await supervisor.on_guild_remove(bot.guilds[0])

    with pytest.raises(VoiceUnavailable, match="called out of voice"):
        await asyncio.wait_for(joining, 60)


async def test_they_are_told_when_recordings_are_kept_from_now_on(bot, fake):
    await join(bot, fake)

    @database_sync_to_async
    def keep_for(days: int) -> None:
        guild = VoiceCall.objects.get().guild
        VoiceSettings.objects.update_or_create(guild=guild, defaults={"keeps_audio_days": days})

    await keep_for(30)
    await bot.get_cog("Voice").supervisor.read_settings()

    told = await fake.wait_for_reply(containing="a recording of it for 30 days")
    assert told.channel.name == "voice"


async def test_they_are_told_when_what_they_say_is_sent_to_somebody_else_from_now_on(
    bot, fake, settings
):
    settings.SPEECH_RECOGNIZERS = ["sphinx"]
    await join(bot, fake)

    settings.SPEECH_RECOGNIZERS = ["google", "sphinx"]
    await bot.get_cog("Voice").supervisor.read_settings()

    told = await fake.wait_for_reply(containing="I may send it to Google")
    assert told.channel.name == "voice"


async def test_a_call_that_is_no_longer_wanted_when_it_is_connected_ends_by_itself(bot, fake):
    await join(bot, fake)
    supervisor = bot.get_cog("Voice").supervisor
    [call] = supervisor.calls.values()
    await database_sync_to_async(calls.unwant)(call.call_id, because="Said on another machine.")

    await call._be(VoiceCall.State.RECONNECTING)

    await until(lambda: not supervisor.calls and call.client is None)


async def test_before_the_process_ends_it_is_written_down_what_was_heard_and_cost(bot, fake):
    supervisor = bot.get_cog("Voice").supervisor
    supervisor.attend = Ears
    call = await join(bot, fake)
    ears = call.participant
    counted = asyncio.Event()

    async def count() -> None:
        counted.set()

    await costs.settle(count(), later=True)
    await bot.get_cog("Voice").cog_unload()

    assert (ears.is_closed, ears.is_settled, counted.is_set()) == (True, True, True)
