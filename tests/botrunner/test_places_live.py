"""What is changed on the dashboard counts for the very next message, in a bot of its own process."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from channels.db import database_sync_to_async
from django.db import connection

from dashboard.models import Access, DiscordChannel, DiscordGuild, GuildSettings, PlaceSettings
from dashboard.services import places, releases
from tests.factories import AliasFactory

pytestmark = pytest.mark.django_db(transaction=True)
Result = TypeVar("Result")


def shared_database() -> str:
    """The address of the database of this process, for another one."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@pytest.fixture
async def bot(start_bot, discord_server):
    running = await start_bot(DATABASE_URL=shared_database())
    await discord_server.wait_until_online()
    return running


@pytest.fixture
def ask(bot, discord_server, endpoint, ada):
    """Ask in the channel; the answer, and what the model was asked for it."""

    async def ask() -> tuple[str, dict]:
        question = await discord_server.say(ada, f"{discord_server.bot.mention} Who are you?")
        answer = await discord_server.wait_for_reply(to=question)
        return answer.content, endpoint.chats[-1] if endpoint.chats else {}

    return ask


async def change(act: Callable[[DiscordGuild, DiscordChannel], Result]) -> Result:
    """Change something as a view of the dashboard would, once the bot has told of its guild."""

    def changed() -> Result:
        # The voice channel is known, too, as soon as the bot has told of it.
        channel = DiscordChannel.objects.select_related("guild").get(name="general")
        assert channel.guild is not None  # as filtered
        return act(channel.guild, channel)

    return await database_sync_to_async(changed)()


async def test_model_and_persona_of_a_server_count_at_once(ask):
    await ask()

    await change(
        lambda guild, channel: places.save_place(
            PlaceSettings(guild=guild, model="large", system_prompt="You are a pirate."),
            actor=None,
        )
    )
    _, asked = await ask()

    assert asked["model"] == "large"
    assert "You are a pirate." in asked["messages"][0]["content"]


async def test_what_a_channel_has_of_its_own_counts_at_once(ask):
    await ask()
    await change(
        lambda guild, channel: places.save_place(
            PlaceSettings(guild=guild, model="large"), actor=None
        )
    )

    await change(
        lambda guild, channel: places.save_place(
            PlaceSettings(guild=guild, channel=channel, model="small", temperature=0.25),
            actor=None,
        )
    )
    _, asked = await ask()

    assert (asked["model"], asked["temperature"]) == ("small", 0.25)


async def test_a_channel_that_is_denied_is_silent_at_once(ask):
    await ask()

    await change(lambda guild, channel: places.save_access(channel, access=Access.DENY, actor=None))
    answer, _ = await ask()

    assert answer.startswith(places.NOT_HERE)


async def test_a_budget_that_is_used_up_refuses_at_once(ask):
    await ask()

    await change(
        lambda guild, channel: places.save_guild(
            GuildSettings(guild=guild, guild_tokens=0), actor=None
        )
    )
    answer, _ = await ask()

    assert answer.startswith("Sorry, this server has used up its budget for")


async def test_a_rollback_counts_for_the_very_next_message(ask):
    await ask()
    alias = await database_sync_to_async(AliasFactory)(name="support")

    def promote(model: str) -> None:
        releases.promote(releases.draft(alias, model=model), actor=None)

    await change(lambda guild, channel: promote("small"))
    await change(lambda guild, channel: promote("large"))
    await change(
        lambda guild, channel: places.save_place(
            PlaceSettings(guild=guild, model="@support"), actor=None
        )
    )
    _, before = await ask()

    await change(lambda guild, channel: releases.roll_back(alias, actor=None))
    _, after = await ask()

    assert (before["model"], after["model"]) == ("large", "small")
