"""Who and what exists on the fake Discord: people, channels and what was said in them."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import TypeVar

DISCORD_EPOCH_MS = 1_420_070_400_000
Found = TypeVar("Found")

_serial = itertools.count()


def snowflake() -> str:
    """Return a new Discord id.

    It carries the current time, as Discord's do: discord.py reads an
    interaction's age out of its id.
    """
    milliseconds = int(time.time() * 1000) - DISCORD_EPOCH_MS
    return str((milliseconds << 22) | (next(_serial) & 0x3FFFFF))


def timestamp() -> str:
    return datetime.now(UTC).isoformat()


class ChannelType(IntEnum):
    TEXT = 0
    DIRECT = 1
    VOICE = 2
    PUBLIC_THREAD = 11


@dataclass(eq=False)
class User:
    name: str
    is_bot: bool = False
    id: str = field(default_factory=snowflake)

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(eq=False)
class Guild:
    name: str
    id: str = field(default_factory=snowflake)


@dataclass(eq=False)
class Channel:
    """A channel of a guild, or the one between the bot and `recipient`."""

    name: str
    type: ChannelType
    guild: Guild | None = None
    recipient: User | None = None
    denied: int = 0  # bits of permissions that nobody has there
    id: str = field(default_factory=snowflake)


@dataclass(frozen=True)
class Attachment:
    filename: str
    content: bytes
    content_type: str
    url: str
    extra: dict[str, object] = field(default_factory=dict)
    id: str = field(default_factory=snowflake)


@dataclass(frozen=True)
class Version:
    """What a message said, and since when (`time.monotonic` seconds)."""

    content: str
    at_s: float


@dataclass(eq=False)
class Poll:
    """A poll under a message. votes: ids of people by the number of their choice, from 1."""

    question: str
    choices: list[str]
    hours: int
    votes: dict[int, set[str]] = field(default_factory=dict)
    is_over: bool = False

    def vote(self, who: User, choice: str) -> None:
        """Let somebody choose, by the words of a choice; they have one vote."""
        assert not self.is_over
        for voters in self.votes.values():
            voters.discard(who.id)
        self.votes.setdefault(1 + self.choices.index(choice), set()).add(who.id)


@dataclass(eq=False)
class Message:
    """A message with everything it ever said, the first version first."""

    channel: Channel
    author: User
    versions: list[Version]
    reply_to: "Message | None" = None
    pings_author: bool = True  # of the message replied to
    attachments: list[Attachment] = field(default_factory=list)
    components: list[dict[str, object]] = field(default_factory=list)
    flags: int = 0
    poll: Poll | None = None
    webhook_id: str | None = None
    nonce: str | None = None
    request: dict[str, object] = field(default_factory=dict)  # as the bot sent it
    is_deleted: bool = False
    edited_at: str | None = None
    created_at: str = field(default_factory=timestamp)
    id: str = field(default_factory=snowflake)

    @property
    def content(self) -> str:
        return self.versions[-1].content

    @property
    def edits(self) -> list[Version]:
        return self.versions[1:]

    def say_instead(self, content: str) -> None:
        self.versions.append(Version(content, time.monotonic()))
        self.edited_at = timestamp()


class World:
    """Everything there is, and a way to wait until it looks different."""

    def __init__(self) -> None:
        self.bot = User("TrainerBot", is_bot=True)
        self.owner = User("owner")
        self.guild = Guild("Testers")
        self.general = Channel("general", ChannelType.TEXT, self.guild)
        self.voice = Channel("voice", ChannelType.VOICE, self.guild)
        self.users: dict[str, User] = {}
        self.channels = {c.id: c for c in (self.general, self.voice)}
        self.messages: dict[str, Message] = {}
        self.typing: list[Channel] = []
        self.reactions: list[tuple[Message, str]] = []
        self.voice_states: dict[str, dict[str, object]] = {}  # by user id, of who is in voice
        # What a test should know of even if nothing else went wrong: unknown routes, mostly.
        self.complaints: list[str] = []
        self._changed = asyncio.Event()

    def add_user(self, name: str, *, is_bot: bool = False) -> User:
        user = User(name, is_bot)
        self.users[user.id] = user
        return user

    def add_channel(self, name: str, type: ChannelType = ChannelType.TEXT) -> Channel:
        channel = Channel(name, type, self.guild)
        self.channels[channel.id] = channel
        return channel

    def direct_channel(self, user: User) -> Channel:
        """Return the one channel between the bot and this person."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        channel = Channel(user.name, ChannelType.DIRECT, recipient=user)
        self.channels[channel.id] = channel
        return channel

    def add_message(
        self, channel: Channel, author: User, content: str, *, reply_to: Message | None = None
    ) -> Message:
        message = Message(channel, author, [Version(content, time.monotonic())], reply_to=reply_to)
        self.messages[message.id] = message
        return message

    def said_by_bot(self, channel: Channel | None = None) -> list[Message]:
        """The bot's messages that still stand, oldest first."""
        return [
            m
            for m in self.messages.values()
            if m.author is self.bot and not m.is_deleted and channel in (None, m.channel)
        ]

    def touch(self) -> None:
        """Wake whoever waits for the world to look different."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, look: Callable[[], Found | None], *, timeout_s: float) -> Found:
        """Return what `look` finds, as soon as it finds something.

        Raises TimeoutError.
        """
        async with asyncio.timeout(timeout_s):
            while not (found := look()):
                await self._changed.wait()
            return found
