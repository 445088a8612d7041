"""The fake Discord as a test holds it: starts, speaks for people, waits for the bot."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from tests.fakes.discord import payloads
from tests.fakes.discord.cdn import Cdn
from tests.fakes.discord.faults import VIA, Fault, RateLimit
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.rest import Rest
from tests.fakes.discord.routes import Routes
from tests.fakes.discord.voice import VoiceServer
from tests.fakes.discord.world import Attachment, Channel, Message, User, World

TOKEN = "MTA.fake.token-of-the-fake-discord"
MAX_BODY_BYTES = 64 * 1024 * 1024
Found = TypeVar("Found")


class FakeDiscord:
    """Discord on loopback sockets: gateway, REST, CDN and voice, in the test's own event loop.

        async with FakeDiscord() as discord:
            ada = discord.add_user("Ada")
            question = await discord.say(ada, f"{discord.bot.mention} hello")
            answer = await discord.wait_for_reply(to=question)

    `environ` aims a `manage.py runbot` in another process at it. Leaving the
    block fails the test if the bot called anything that the fake does not know.
    """

    def __init__(self, *, token: str = TOKEN, heartbeat_ms: int = 41_250, dave: int = 0) -> None:
        self.token = token
        self.world = World()
        self.gateway = Gateway(self.world, token=token, heartbeat_ms=heartbeat_ms)
        self.rest = Rest(self.world, token=token)
        self.cdn = Cdn()
        self.routes = Routes(self.world, self.gateway, self.cdn, self.rest)
        self.voice = VoiceServer(self.world, self.gateway, dave_version=dave)
        self.address = ""

    # --- life -----------------------------------------------------------------
    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/cdn/{path:.*}", self.cdn.serve)
        app.router.add_route("*", "/api/v10/{path:.*}", self.rest.serve)
        app.router.add_get("/", self.voice.serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        _, port = self._runner.addresses[0][:2]
        self.address = f"http://127.0.0.1:{port}"
        self.gateway.address = f"ws://127.0.0.1:{port}/gateway"
        self.cdn.address = f"{self.address}/cdn"
        await self.voice.start(f"127.0.0.1:{port}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        await self.gateway.drop(code=1001)
        await self.voice.close()
        await self._runner.cleanup()
        if error is None:
            assert not self.world.complaints, "\n".join(self.world.complaints)

    @property
    def api_base(self) -> str:
        return f"{self.address}/api/v10"

    @property
    def environ(self) -> dict[str, str]:
        """The settings of a `runbot` that shall meet this Discord."""
        return {"DISCORD_API_BASE": self.api_base, "DISCORD_TOKEN": self.token}

    # --- people -----------------------------------------------------------------
    @property
    def bot(self) -> User:
        return self.world.bot

    def add_user(self, name: str, *, is_bot: bool = False) -> User:
        return self.world.add_user(name, is_bot=is_bot)

    async def say(
        self,
        user: User,
        text: str,
        *,
        channel: Channel | None = None,
        reply_to: Message | None = None,
        pings_author: bool = True,
        attachments: list[Attachment] | None = None,
        webhook_id: str | None = None,
    ) -> Message:
        """Let a person write in a channel, #general if none is given."""
        where = channel or (reply_to.channel if reply_to else self.world.general)
        message = self.world.add_message(where, user, text, reply_to=reply_to)
        message.pings_author = pings_author
        message.attachments = attachments or []
        message.webhook_id = webhook_id
        await self.gateway.dispatch_message("MESSAGE_CREATE", message)
        return message

    async def dm(self, user: User, text: str, *, reply_to: Message | None = None) -> Message:
        """Let a person write to the bot alone."""
        return await self.say(
            user, text, channel=self.world.direct_channel(user), reply_to=reply_to
        )

    async def interact(
        self, user: User, *, type: int, data: dict[str, Any], about: Message | None = None
    ) -> str:
        """Let a person use a command (2), a component (3) or a modal (5). Returns the id."""
        event = payloads.interaction(
            self.world, user, self.world.general, type=type, data=data, about=about
        )
        await self.gateway.dispatch("INTERACTION_CREATE", event)
        interaction_id: str = event["id"]
        return interaction_id

    async def add_to_guild(self, channel: Channel) -> None:
        """Tell the bot of a channel that was made after it came."""
        await self.gateway.dispatch("CHANNEL_CREATE", payloads.channel(channel))

    async def forbid(self, channel: Channel, permissions: int) -> None:
        """Take permissions in a channel from everybody, and tell the bot."""
        channel.denied |= permissions
        await self.gateway.dispatch("CHANNEL_UPDATE", payloads.channel(channel))

    # --- what goes wrong ----------------------------------------------------------
    def fail_next(
        self,
        status: int,
        *,
        method: str = ".*",
        path: str = ".*",
        times: int = 1,
        via: bool = True,
        retry_after_s: float = 0.05,
        took_effect: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer the next `times` requests of this shape with `status`.

        `method` and `path` are regular expressions. Without `via` a 429 looks
        like Cloudflare's.
        """
        sent = {**(VIA if via else {}), **(headers or {})}
        fault = Fault(status, method, path, retry_after_s, sent, took_effect)
        self.rest.faults.waiting.extend([fault] * times)

    def limit_messages(self, limit: int, *, window_s: float) -> None:
        self.rest.rate_limit = RateLimit(limit, window_s)

    # --- what the bot did -----------------------------------------------------------
    async def wait_until_online(self, *, timeout_s: float = 60.0) -> None:
        await self.until(lambda: self.gateway.is_connected, "the bot connects", timeout_s)

    async def wait_for_reply(
        self,
        *,
        to: Message | None = None,
        channel: Channel | None = None,
        containing: str = "",
        timeout_s: float = 60.0,
    ) -> Message:
        """Return the bot's first message that answers `to`, once it says what is waited for."""

        def look() -> Message | None:
            for message in self.world.said_by_bot(channel):
                if to in (None, message.reply_to) and containing in message.content:
                    return message
            return None

        return await self.until(look, f"a reply containing {containing!r}", timeout_s)

    async def until(
        self, look: Callable[[], Found | None], what: str, timeout_s: float = 60.0
    ) -> Found:
        """Return what `look` finds as soon as it finds something; fail with the whole story."""
        try:
            return await self.world.until(look, timeout_s=timeout_s)
        except TimeoutError:
            story = "\n".join(
                [f"Waited {timeout_s} s in vain until {what}. Requests:"]
                + [f"  {request}" for request in self.rest.requests]
                + ["Messages of the bot:"]
                + [f"  {message.content!r}" for message in self.world.said_by_bot()]
                + self.world.complaints
            )
            raise AssertionError(story) from None

    async def settle(self, quiet_s: float = 0.3) -> None:
        """Wait a moment in which the bot could have answered, to show that it did not."""
        await asyncio.sleep(quiet_s)
