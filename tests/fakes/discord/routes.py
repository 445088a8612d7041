"""What each REST route does to the world of the fake, with Discord's own refusals."""

import asyncio
from typing import Any

from tests.fakes.discord import payloads
from tests.fakes.discord.cdn import Cdn
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.payloads import Payload
from tests.fakes.discord.rest import Answer, Refused, Request, Rest
from tests.fakes.discord.world import (
    Attachment,
    Channel,
    ChannelType,
    Message,
    Poll,
    World,
    snowflake,
)

MAX_CONTENT = 2000  # characters
EPHEMERAL = 1 << 6
DEFERRED, CHANNEL_MESSAGE, UPDATE_MESSAGE = 5, 4, 7


class Routes:
    """The routes that TrainerBot needs. Whatever else is called fails the test."""

    def __init__(self, world: World, gateway: Gateway, cdn: Cdn, rest: Rest) -> None:
        self.world = world
        self.gateway = gateway
        self.cdn = cdn
        self.commands: list[Payload] = []
        self.callbacks: dict[str, Payload] = {}
        self._nonces: dict[tuple[str, str], Message] = {}
        self._interactions: dict[str, Message] = {}  # token -> its first answer
        self._telling: set[asyncio.Task[None]] = set()
        self._add_to(rest)

    def _add_to(self, rest: Rest) -> None:
        message = "/channels/{channel_id}/messages/{message_id}"
        follow_up = "/webhooks/{application_id}/{token}"
        rest.add("GET", "/users/@me", self.me)
        rest.add("GET", "/oauth2/applications/@me", self.application)
        rest.add("GET", "/applications/@me", self.application)
        rest.add("GET", "/gateway/bot", self.gateway_bot)
        rest.add("PUT", "/applications/{application_id}/commands", self.put_commands)
        rest.add("GET", "/guilds/{guild_id}/members/{user_id}", self.get_member)
        rest.add("POST", "/users/@me/channels", self.open_direct_channel)
        rest.add("GET", "/channels/{channel_id}", self.get_channel)
        rest.add("POST", "/channels/{channel_id}/typing", self.type)
        rest.add("POST", "/channels/{channel_id}/messages", self.post_message)
        rest.add("GET", "/channels/{channel_id}/messages", self.list_messages)
        rest.add("GET", message, self.get_message)
        rest.add("PATCH", message, self.edit_message)
        rest.add("DELETE", message, self.delete_message)
        rest.add("POST", "/channels/{channel_id}/polls/{message_id}/expire", self.end_poll)
        rest.add(
            "GET", "/channels/{channel_id}/polls/{message_id}/answers/{number}", self.list_voters
        )
        rest.add("POST", f"{message}/threads", self.start_thread)
        rest.add("PUT", f"{message}/reactions/{{emoji}}/@me", self.react)
        rest.add("POST", "/interactions/{interaction_id}/{token}/callback", self.answer)
        rest.add("POST", follow_up, self.follow_up)
        rest.add("PATCH", f"{follow_up}/messages/@original", self.edit_first_answer)

    # --- who the bot is -------------------------------------------------------
    async def me(self, request: Request) -> Answer:
        return Answer(200, payloads.user(self.world.bot))

    async def application(self, request: Request) -> Answer:
        return Answer(200, payloads.application(self.world))

    async def gateway_bot(self, request: Request) -> Answer:
        limit = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
        return Answer(200, {"url": self.gateway.address, "shards": 1, "session_start_limit": limit})

    async def put_commands(self, request: Request, application_id: str) -> Answer:
        defaults = {"options": [], "description": "", "default_member_permissions": None}
        self.commands = [
            {
                **defaults,
                "nsfw": False,
                "version": "1",
                **command,
                "id": snowflake(),
                "application_id": application_id,
            }
            for command in request.body
        ]
        return Answer(200, self.commands)

    def remember_nonce(self, channel: Channel, nonce: str, message: Message) -> None:
        """Let it be as if `message` had been posted with `nonce` before."""
        self._nonces[channel.id, nonce] = message

    # --- channels and messages --------------------------------------------------
    async def get_member(self, request: Request, guild_id: str, user_id: str) -> Answer:
        if user_id not in self.world.users:
            raise Refused(404, 10007, "Unknown Member")
        return Answer(200, payloads.member(self.world.users[user_id]))

    async def open_direct_channel(self, request: Request) -> Answer:
        who = self.world.users[str(request.body["recipient_id"])]
        return Answer(200, payloads.channel(self.world.direct_channel(who)))

    async def get_channel(self, request: Request, channel_id: str) -> Answer:
        return Answer(200, payloads.channel(self._channel(channel_id)))

    async def type(self, request: Request, channel_id: str) -> Answer:
        self.world.typing.append(self._channel(channel_id))
        return Answer(204)

    async def post_message(self, request: Request, channel_id: str) -> Answer:
        channel, body = self._channel(channel_id), request.body
        nonce = (channel_id, body.get("nonce") or "")
        if body.get("enforce_nonce") and nonce in self._nonces:
            return self._shown(self._nonces[nonce])
        content = self._checked(body, request.files)
        message = self._add(channel, content, request)
        self._nonces[nonce] = message
        if reference := body.get("message_reference"):
            message.reply_to = self.world.messages.get(str(reference["message_id"]))
            gone = message.reply_to is None or message.reply_to.is_deleted
            if gone and reference.get("fail_if_not_exists", True):
                del self.world.messages[message.id]
                raise Refused(400, 50035, "Invalid Form Body: Unknown message")
            message.reply_to = None if gone else message.reply_to
        return self._told("MESSAGE_CREATE", message)

    async def list_messages(self, request: Request, channel_id: str) -> Answer:
        """The messages beside an id, newest first, as Discord lists them."""
        channel = self._channel(channel_id)
        after, before = (int(request.query.get(name, 0)) for name in ("after", "before"))
        said = [
            message
            for message in self.world.messages.values()
            if message.channel is channel
            and not message.is_deleted
            and int(message.id) > after
            and (not before or int(message.id) < before)
        ]
        most = int(request.query.get("limit", 50))
        listed = said[:most] if after else said[-most:]
        return Answer(200, [payloads.message(each, self.world) for each in reversed(listed)])

    async def get_message(self, request: Request, channel_id: str, message_id: str) -> Answer:
        return self._shown(self._message(message_id))

    async def edit_message(self, request: Request, channel_id: str, message_id: str) -> Answer:
        message = self._message(message_id)
        if message.author is not self.world.bot:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        return self._edited(message, request)

    async def delete_message(self, request: Request, channel_id: str, message_id: str) -> Answer:
        self._message(message_id).is_deleted = True
        return Answer(204)

    async def end_poll(self, request: Request, channel_id: str, message_id: str) -> Answer:
        message = self._message(message_id)
        if message.author is not self.world.bot:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        if message.poll is None or message.poll.is_over:
            raise Refused(400, 520001, "Poll has already expired")
        message.poll.is_over = True
        return self._told("MESSAGE_UPDATE", message)

    async def list_voters(
        self, request: Request, channel_id: str, message_id: str, number: str
    ) -> Answer:
        message = self._message(message_id)
        if message.poll is None:
            raise Refused(404, 10008, "Unknown Message")
        ids = sorted(map(int, message.poll.votes.get(int(number), ())))
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 25))
        page = [each for each in ids if each > after][:limit]
        users = [payloads.user(self.world.users[str(each)]) for each in page]
        return Answer(200, {"users": users})

    async def start_thread(self, request: Request, channel_id: str, message_id: str) -> Answer:
        self._message(message_id)
        thread = self.world.add_channel(request.body["name"], ChannelType.PUBLIC_THREAD)
        return Answer(201, {**payloads.channel(thread), "parent_id": channel_id})

    async def react(self, request: Request, channel_id: str, message_id: str, emoji: str) -> Answer:
        self.world.reactions.append((self._message(message_id), emoji))
        return Answer(204)

    # --- interactions ---------------------------------------------------------
    async def answer(self, request: Request, interaction_id: str, token: str) -> Answer:
        if interaction_id in self.callbacks:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        self.callbacks[interaction_id] = request.body
        kind, data = request.body["type"], request.body.get("data") or {}
        about: Payload = {
            "interaction": {
                "id": interaction_id,
                "type": 2,
                "response_message_loading": kind == DEFERRED,
                "response_message_ephemeral": bool(data.get("flags", 0) & EPHEMERAL),
            }
        }
        if kind in (CHANNEL_MESSAGE, DEFERRED):
            message = self._add(self.world.general, data.get("content") or "", request)
            message.components = data.get("components") or []
            self._interactions[token] = message
            about["interaction"]["response_message_id"] = message.id
            about["resource"] = {"type": kind, "message": payloads.message(message, self.world)}
        return Answer(200, about)

    async def follow_up(self, request: Request, application_id: str, token: str) -> Answer:
        content = self._checked(request.body, request.files)
        message = self._add(self.world.general, content, request)
        message.webhook_id = application_id
        return self._told("MESSAGE_CREATE", message)

    async def edit_first_answer(self, request: Request, application_id: str, token: str) -> Answer:
        message = self._interactions.get(token)
        if message is None:
            raise Refused(404, 10015, "Unknown Webhook")
        return self._edited(message, request)

    # --- what they share --------------------------------------------------------
    def _channel(self, channel_id: str) -> Channel:
        channel = self.world.channels.get(channel_id)
        if channel is None:
            raise Refused(404, 10003, "Unknown Channel")
        return channel

    def _message(self, message_id: str) -> Message:
        message = self.world.messages.get(message_id)
        if message is None or message.is_deleted:
            raise Refused(404, 10008, "Unknown Message")
        return message

    def _checked(self, body: Payload, files: list[tuple[str, bytes]]) -> str:
        content: str = body.get("content") or ""
        if len(content.encode("utf-16-le")) // 2 > MAX_CONTENT:
            raise Refused(400, 50035, "Invalid Form Body: Must be 2000 or fewer in length.")
        if not (content.strip() or files or {"embeds", "components", "poll"} & _given(body)):
            raise Refused(400, 50006, "Cannot send an empty message")
        return content.strip()

    def _add(self, channel: Channel, content: str, request: Request) -> Message:
        message = self.world.add_message(channel, self.world.bot, content)
        body: dict[str, Any] = request.body or {}
        message.request = body
        message.components = body.get("components") or []
        message.flags = body.get("flags") or 0
        message.poll = _poll(body.get("poll"))
        message.nonce = body.get("nonce")
        message.pings_author = (body.get("allowed_mentions") or {}).get("replied_user", True)
        message.attachments = self._kept(request)
        return message

    def _kept(self, request: Request) -> list[Attachment]:
        return [
            self.cdn.upload(name, data, "application/octet-stream") for name, data in request.files
        ]

    def _edited(self, message: Message, request: Request) -> Answer:
        body = request.body
        if "content" in body:
            message.say_instead(self._checked(body, request.files))
        if "components" in body:
            message.components = body["components"]
        if request.files:
            message.attachments = self._kept(request)
        return self._told("MESSAGE_UPDATE", message)

    def _told(self, event: str, message: Message) -> Answer:
        """Answer with the message, and let the gateway tell of it a moment later, as Discord does."""
        task = asyncio.ensure_future(self.gateway.dispatch_message(event, message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return self._shown(message)

    def _shown(self, message: Message) -> Answer:
        return Answer(200, payloads.message(message, self.world))


def _given(body: Payload) -> set[str]:
    return {name for name, value in body.items() if value}


def _poll(body: Payload | None) -> Poll | None:
    """The poll of a new message, with Discord's limits."""
    if body is None:
        return None
    choices = [each["poll_media"]["text"] for each in body["answers"]]
    fits = len(body["question"]["text"]) <= 300 and all(0 < len(each) <= 55 for each in choices)
    if not (fits and 1 <= len(choices) <= 10 and 1 <= body["duration"] <= 768):
        raise Refused(400, 50035, "Invalid Form Body: poll")
    return Poll(body["question"]["text"], choices, body["duration"])
