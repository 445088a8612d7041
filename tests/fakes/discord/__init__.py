"""A Discord over real loopback sockets, for what an in-process simulation cannot show.

Gateway with zlib-stream, sessions and resume; REST with rate limits and
faults; CDN; voice with end-to-end encryption. It serves a bot in this process
or in another one.
"""

from tests.fakes.discord.server import TOKEN, FakeDiscord
from tests.fakes.discord.world import Channel, Message, User

__all__ = ["TOKEN", "Channel", "FakeDiscord", "Message", "User"]
