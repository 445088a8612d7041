"""The fake's voice against discord.py's own voice client, plain and end-to-end encrypted."""

import asyncio

import davey
import discord
import nacl.secret
import pytest

from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.world import User

FRAMES = [bytes([0xF8, number, 1, 2, 3]) for number in range(20)]


@pytest.fixture
async def call(connect):
    """Return a function that brings a client into the voice channel of a fake."""

    async def call(fake: FakeDiscord) -> discord.VoiceClient:
        client = discord.Client(
            intents=discord.Intents(guilds=True, voice_states=True), guild_ready_timeout=0.05
        )
        await connect(client, fake)
        return await client.get_channel(int(fake.world.voice.id)).connect(timeout=60)

    return call


async def until_encrypted(voice: discord.VoiceClient) -> None:
    def has_keys() -> bool:
        session = voice._connection.dave_session
        return bool(session and session.ready)

    async with asyncio.timeout(60):
        while not has_keys():  # noqa: ASYNC110 (discord.py tells nobody when it has them)
            await asyncio.sleep(0.01)


def heard_by(voice: discord.VoiceClient, user: User) -> asyncio.Queue[bytes]:
    """Collect what this person says, decrypted as a receiver would."""
    loop, heard = asyncio.get_running_loop(), asyncio.Queue[bytes]()

    def decrypt(packet: bytes) -> None:
        header, sealed, nonce = packet[:16], packet[16:-4], packet[-4:]
        box = nacl.secret.Aead(bytes(voice._connection.secret_key))
        opus = box.decrypt(sealed, header, nonce + bytes(20))[8:]  # two words of extension
        if packet[0] & 0x20:
            opus = opus[: -opus[-1]]
        session = voice._connection.dave_session
        if session and session.ready:
            opus = session.decrypt(int(user.id), davey.MediaType.audio, opus)
        heard.put_nowait(opus)

    def on_packet(packet: bytes) -> None:  # on discord.py's reader thread
        if packet[1] & 0x7F == 0x78:
            loop.call_soon_threadsafe(decrypt, packet)

    voice._connection.add_socket_listener(on_packet)
    return heard


async def speak(fake: FakeDiscord, user: User) -> None:
    for number, opus in enumerate(FRAMES):
        padding = 7 if number % 3 == 0 else 0
        fake.voice.send_opus(user, opus, sequence=number, timestamp=number * 960, n_padding=padding)
        await asyncio.sleep(0.002)


async def all_of(frames: asyncio.Queue[bytes]) -> list[bytes]:
    async with asyncio.timeout(60):
        return [await frames.get() for _ in FRAMES]


@pytest.mark.parametrize("dave", [0, 1])
async def test_what_the_bot_says_arrives_whole(dave, call):
    async with FakeDiscord(dave=dave) as fake:
        ada = fake.add_user("Ada")
        voice = await call(fake)
        await fake.voice.join(ada, ssrc=7)
        if dave:
            await fake.voice.encrypt_with(ada)
            await until_encrypted(voice)

        for opus in FRAMES:
            voice.send_audio_packet(opus, encode=False)

        said = await fake.until(
            lambda: fake.voice.call.frames if len(fake.voice.call.frames) == 20 else None, "speech"
        )
        assert [frame.opus for frame in said] == FRAMES
        assert fake.voice.call.n_undecryptable == 0
        await voice.disconnect()


@pytest.mark.parametrize("dave", [0, 1])
async def test_what_a_person_says_arrives_whole_though_padded(dave, call):
    async with FakeDiscord(dave=dave) as fake:
        ada = fake.add_user("Ada")
        voice = await call(fake)
        await fake.voice.join(ada, ssrc=7)
        if dave:
            await fake.voice.encrypt_with(ada)
            await until_encrypted(voice)
        heard = heard_by(voice, ada)

        await speak(fake, ada)

        assert await all_of(heard) == FRAMES
        await voice.disconnect()


async def test_a_third_member_changes_the_keys_and_is_understood(call):
    async with FakeDiscord(dave=1) as fake:
        ada, grace = fake.add_user("Ada"), fake.add_user("Grace")
        voice = await call(fake)
        await fake.voice.join(ada, ssrc=7)
        await fake.voice.encrypt_with(ada)
        await until_encrypted(voice)
        await fake.voice.join(grace, ssrc=8)
        await fake.voice.encrypt_also_with(grace)
        await fake.until(lambda: fake.voice.call.commits, "the bot's own commit")
        await asyncio.sleep(0.1)  # until the announced commit has gone through
        heard = heard_by(voice, grace)

        await speak(fake, grace)

        assert await all_of(heard) == FRAMES
        await voice.disconnect()
