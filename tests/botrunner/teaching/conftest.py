import pytest

from tests.botrunner.talking import grant, review_in


@pytest.fixture
def guild(simcord_env):
    return simcord_env.create_guild(name="Testers")


@pytest.fixture
def channel(guild):
    return guild.create_text_channel("general")


@pytest.fixture
async def desk(guild):
    """The review channel."""
    channel = guild.create_text_channel("corrections")
    await review_in(guild, channel)
    return channel


@pytest.fixture
def ada(simcord_env, guild):
    return guild.add_member(simcord_env.create_user("ada"))


@pytest.fixture
async def trainers(simcord_env, guild):
    role = guild.create_role("teachers")
    await grant(guild, role, "trainer")
    names = ("grace", "maya")
    return [guild.add_member(simcord_env.create_user(name), roles=[role]) for name in names]


@pytest.fixture
def trainer(trainers):
    return trainers[0]


@pytest.fixture
async def synced(simcord_env):
    """As Discord knows the commands once the bot has told it of them."""
    await simcord_env.bot.tree.sync()
