"""The socket of every open page: it hears what changed, and after a gap what it missed."""

from time import monotonic
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from dashboard.consumers.sessions import SIGNED_OUT, signed_in_user
from dashboard.services import access, outbox
from dashboard.services.access import Permission

DAMAGED = 4400
MAX_TOPICS = 50
RECHECK_S = 10.0

# Who may follow what. A topic such as "job.7" belongs to the word before the dot.
TOPICS = {
    "system": Permission.CHAT,
    "settings": Permission.CHAT,
    "places": Permission.SETTINGS,
    "corrections": Permission.VIEW,
    "conversations": Permission.VIEW,
    "calls": Permission.VIEW,
    "datasets": Permission.VIEW,
    "dataset": Permission.VIEW,
    "imports": Permission.VIEW,
    "import": Permission.DATA,
    "jobs": Permission.VIEW,
    "job": Permission.VIEW,
    "evaluations": Permission.VIEW,
    "evaluation": Permission.VIEW,
    "tasks": Permission.VIEW,
}


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Speaks JSON.

    in:  {"topics": ["jobs", "job.7"], "after": 41}: follow exactly these, and
         first hear what was published after event 41.
    out: {"id": 42, "topic": "jobs", "kind": "job.changed", "payload": {...}};
         {"type": "resync"} when more was missed than is replayed;
         {"type": "refused", "topic": "..."} for what the user may not follow.
    """

    async def connect(self) -> None:
        self.topics: set[str] = set()
        self.checked_at = monotonic()
        await self.accept()
        # Refused only after accepting: before, a browser learns no reason.
        user = self.scope["user"]
        if user is None or not user.is_authenticated:
            await self.close(code=SIGNED_OUT)

    async def disconnect(self, code: int) -> None:
        for topic in self.topics:
            await self.channel_layer.group_discard(f"topic.{topic}", self.channel_name)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        try:
            await super().receive(text_data=text_data, bytes_data=bytes_data, **kwargs)
        except ValueError:  # neither JSON nor text: no page of ours sends that
            await self.close(code=DAMAGED)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        topics, after = _parse(content)
        if not await self._still_signed_in():
            await self.close(code=SIGNED_OUT)
            return
        allowed = {topic for topic in topics if await _may_follow(self.user, topic)}
        for topic in topics - allowed:
            await self.send_json({"type": "refused", "topic": topic})
        for topic in self.topics - allowed:
            await self.channel_layer.group_discard(f"topic.{topic}", self.channel_name)
        # Joined before the replay: an event in between comes twice, never not at all.
        for topic in allowed - self.topics:
            await self.channel_layer.group_add(f"topic.{topic}", self.channel_name)
        self.topics = allowed
        missed = await _events(after, sorted(allowed))
        for event in missed:
            await self.send_json(event)
        if len(missed) >= outbox.REPLAY_LIMIT:
            await self.send_json({"type": "resync"})

    async def outbox_event(self, event: dict[str, Any]) -> None:
        """One published event, from the channel layer."""
        if monotonic() - self.checked_at > RECHECK_S and not await self._still_allowed():
            await self.close(code=SIGNED_OUT)
            return
        await self.send_json({key: event[key] for key in ("id", "topic", "kind", "payload")})

    async def _still_allowed(self) -> bool:
        """Whether the session lives and its user, as stored now, may follow all of this."""
        if not await self._still_signed_in():
            return False
        for topic in self.topics:
            if not await _may_follow(self.user, topic):
                return False
        return True

    async def _still_signed_in(self) -> bool:
        user = await signed_in_user(self.scope)
        if user is None:
            return False
        self.user = user
        self.checked_at = monotonic()
        return True


def _parse(content: Any) -> tuple[set[str], int]:
    """The topics and the last seen id of a message; nothing of a message that is none."""
    if not isinstance(content, dict):
        return set(), 0
    topics, after = content.get("topics"), content.get("after")
    named = (
        [topic for topic in topics if isinstance(topic, str)] if isinstance(topics, list) else []
    )
    return set(named[:MAX_TOPICS]), after if isinstance(after, int) else 0


@database_sync_to_async
def _may_follow(user: Any, topic: str) -> bool:
    name, dot, number = topic.partition(".")
    # Only names that can exist: others would not do for a group of the channel layer.
    if dot and not (number.isascii() and number.isdecimal() and len(number) < 20):
        return False
    permission = TOPICS.get(name)
    return permission is not None and access.can(user, permission)


@database_sync_to_async
def _events(after: int, topics: list[str]) -> list[dict[str, Any]]:
    return [
        {"id": row.pk, "topic": row.topic, "kind": row.kind, "payload": row.payload}
        for row in outbox.after(after, topics)
    ]
