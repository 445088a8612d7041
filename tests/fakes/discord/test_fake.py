"""The fake against discord.py as it is, so that a bot's failure is the bot's."""

import discord
import pytest

from tests.fakes.discord import FakeDiscord


class Echo(discord.Client):
    """Answers whatever a person says with the same words."""

    def __init__(self, **intents: bool) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, messages=True, **intents),
            guild_ready_timeout=0.05,  # seconds in which more guilds might still come
        )

    async def on_message(self, message: discord.Message) -> None:
        if not message.author.bot:
            await message.reply(message.content or "(nothing)")


async def test_a_plain_client_connects_hears_and_answers(fake, connect):
    ada = fake.add_user("Ada")
    await connect(Echo(message_content=True), fake)

    question = await fake.say(ada, "hello")

    answer = await fake.wait_for_reply(to=question)
    assert (answer.content, answer.author) == ("hello", fake.bot)


async def test_a_direct_message_is_answered_where_it_was_sent(fake, connect):
    ada, grace = fake.add_user("Ada"), fake.add_user("Grace")
    await connect(Echo(), fake)

    first, second = await fake.dm(ada, "from Ada"), await fake.dm(grace, "from Grace")

    assert (await fake.wait_for_reply(to=first)).channel.recipient is ada
    assert (await fake.wait_for_reply(to=second)).channel.recipient is grace


async def test_without_the_intent_only_mentions_and_direct_messages_carry_words(fake, connect):
    ada = fake.add_user("Ada")
    await connect(Echo(), fake)

    plain = await fake.say(ada, "can you read this?")
    mention = await fake.say(ada, f"{fake.bot.mention} and this?")
    direct = await fake.dm(ada, "and that?")

    assert (await fake.wait_for_reply(to=plain)).content == "(nothing)"
    assert "and this?" in (await fake.wait_for_reply(to=mention)).content
    assert (await fake.wait_for_reply(to=direct)).content == "and that?"


async def test_a_dropped_connection_is_resumed_and_misses_nothing(fake, connect):
    ada = fake.add_user("Ada")
    await connect(Echo(message_content=True), fake)

    await fake.gateway.drop()
    missed = await fake.say(ada, "said while nobody listened")

    assert (await fake.wait_for_reply(to=missed)).content == "said while nobody listened"
    assert (len(fake.gateway.identifies), len(fake.gateway.resumes)) == (1, 1)


async def test_a_request_to_reconnect_leads_to_a_resume(fake, connect):
    await connect(Echo(), fake)

    await fake.gateway.ask_to_reconnect()

    await fake.until(lambda: fake.gateway.resumes, "the client resumes")


async def test_a_rate_limited_answer_comes_after_its_wait(fake, connect):
    ada = fake.add_user("Ada")
    await connect(Echo(message_content=True), fake)
    fake.fail_next(429, method="POST", path=".*/messages", retry_after_s=0.1)

    question = await fake.say(ada, "hello")

    await fake.wait_for_reply(to=question)
    posts = [r for r in fake.rest.requests if r.path.endswith("/messages")]
    assert [r.status for r in posts] == [429, 200]
    assert posts[1].at_s - posts[0].at_s >= 0.1


async def test_a_429_of_cloudflare_is_not_retried_by_discord_py(fake, connect):
    client = Echo()
    await connect(client, fake)
    channel = client.get_channel(int(fake.world.general.id))
    fake.fail_next(429, method="POST", path=".*/messages", via=False)

    with pytest.raises(discord.HTTPException) as refusal:
        await channel.send("hello")

    assert refusal.value.status == 429


async def test_the_limit_of_messages_is_kept_by_headers(fake, connect):
    client = Echo()
    await connect(client, fake)
    fake.limit_messages(2, window_s=0.3)
    channel = client.get_channel(int(fake.world.general.id))

    for number in range(3):
        await channel.send(str(number))

    posts = [r for r in fake.rest.requests if r.path.endswith("/messages")]
    assert [r.status for r in posts] == [200, 200, 200]
    assert posts[2].at_s - posts[0].at_s >= 0.25


async def test_edits_are_kept_in_order(fake, connect):
    client = Echo()
    await connect(client, fake)
    channel = client.get_channel(int(fake.world.general.id))

    sent = await channel.send("one")
    await sent.edit(content="two")
    await sent.edit(content="three")

    message = fake.world.messages[str(sent.id)]
    assert [v.content for v in message.versions] == ["one", "two", "three"]


async def test_a_message_that_discord_would_refuse_is_refused(fake, connect):
    client = Echo()
    await connect(client, fake)
    channel = client.get_channel(int(fake.world.general.id))

    with pytest.raises(discord.HTTPException, match="2000 or fewer"):
        await channel.send("x" * 2001)
    with pytest.raises(discord.HTTPException, match="empty message"):
        await channel.send(" ")


async def test_the_same_nonce_is_posted_once_though_its_answer_was_lost(fake, connect):
    client = Echo()
    await connect(client, fake)
    channel = client.get_channel(int(fake.world.general.id))
    fake.fail_next(503, method="POST", path=".*/messages", took_effect=True)

    with pytest.raises(discord.DiscordServerError):
        await channel.send("once", nonce="7")
    await channel.send("once", nonce="7")

    assert [m.content for m in fake.world.said_by_bot()] == ["once"]


async def test_a_wrong_token_is_refused(fake, aim):
    async with aim(Echo(), fake) as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")


async def test_the_privileged_intent_may_be_refused(fake, aim):
    fake.gateway.allows_privileged_intents = False

    async with aim(Echo(message_content=True), fake) as client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(fake.token)


async def test_an_attachment_comes_from_the_cdn_as_it_was(fake, connect):
    class Reader(Echo):
        async def on_message(self, message: discord.Message) -> None:
            if message.attachments:
                content = await message.attachments[0].read()
                await message.reply(content.decode())

    await connect(Reader(message_content=True), fake)
    file = fake.cdn.upload("notes.txt", "héllo".encode(), "text/plain; charset=utf-8")

    message = await fake.say(fake.add_user("Ada"), "", attachments=[file])

    assert (await fake.wait_for_reply(to=message)).content == "héllo"


async def test_a_slash_command_is_synced_used_and_answered(fake, connect):
    client = Echo()
    tree = discord.app_commands.CommandTree(client)

    @tree.command(description="Greets")
    async def hi(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("HI!")
        await interaction.followup.send("Again: HI!")

    await connect(client, fake)
    [synced] = await tree.sync()

    command = {"id": str(synced.id), "name": "hi", "type": 1, "options": []}
    await fake.interact(fake.add_user("Ada"), type=2, data=command)

    await fake.wait_for_reply(containing="Again: HI!")
    assert [c["name"] for c in fake.routes.commands] == ["hi"]
    assert fake.world.said_by_bot()[0].content == "HI!"


async def test_a_call_to_an_unknown_route_fails_the_test(aim):
    fake = await FakeDiscord().__aenter__()
    async with aim(Echo(), fake) as client:
        await client.login(fake.token)
        with pytest.raises(discord.NotFound):
            await client.fetch_user(1)

    with pytest.raises(AssertionError, match="no route GET /users/1"):
        await fake.__aexit__(None, None, None)
