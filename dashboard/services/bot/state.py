"""How the bot is, as its processes last said."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.timezone import now

from dashboard.models import Incident, ProcessState
from dashboard.services.bot.places import NAME, ShardRange

State = ProcessState.State
# What the bot does: see channels, write there and in threads, show files and embeds, read what
# it replies to, react, let people vote; connect and speak in voice.
PERMISSIONS = (
    (1 << 10)  # View Channel
    | (1 << 11)  # Send Messages
    | (1 << 14)  # Embed Links
    | (1 << 15)  # Attach Files
    | (1 << 16)  # Read Message History
    | (1 << 6)  # Add Reactions
    | (1 << 20)  # Connect
    | (1 << 21)  # Speak
    | (1 << 35)  # Create Public Threads
    | (1 << 38)  # Send Messages in Threads
    | (1 << 49)  # Create Polls
)


@dataclass(frozen=True, slots=True)
class Part:
    """One runbot: the whole bot, or a range of its shards.

    detail: what it said with its last heartbeat (botrunner.process.figures).
    """

    row: ProcessState
    shards: str
    detail: dict[str, Any]

    @property
    def is_online(self) -> bool:
        return self.row.is_alive

    @property
    def started_at(self) -> datetime | None:
        started = self.detail.get("started")
        return datetime.fromtimestamp(started, UTC) if started else None


@dataclass(frozen=True, slots=True)
class Condition:
    """How the bot is as a whole, in a word and in figures.

    word: online, starting, restarting, stopped, failed, silent, or no token.
    latency_ms: of the slowest part; None while nobody knows.
    """

    word: str
    message: str
    is_wanted: bool
    has_token: bool
    parts: list[Part]
    user: str
    application_id: str
    guilds: int
    answered: int
    limited: int
    last_limited: str
    latency_ms: int | None
    lag_p99_ms: float
    lag_max_ms: float
    lag_minutes_ms: list[float]
    message_content: bool
    voice_problem: str
    started_at: datetime | None
    n_incidents: int

    @property
    def is_online(self) -> bool:
        return self.word == "online"

    @property
    def invite_url(self) -> str:
        """Where Discord lets somebody add the bot to a server; "" until it has been online once."""
        if not self.application_id:
            return ""
        query = {
            "client_id": self.application_id,
            "permissions": PERMISSIONS,
            "scope": "bot applications.commands",
        }
        return f"https://discord.com/oauth2/authorize?{urlencode(query)}"


def condition() -> Condition:
    """Read the rows once, and put together what they say."""
    rows = ProcessState.objects.filter(name__startswith=NAME).order_by("name")
    known = [(row, ShardRange.of(row.name)) for row in rows]
    main = next((row for row, _ in known if row.name == NAME), None)
    all_parts = [
        Part(row, str(shards) if shards.count else "", row.detail or {})
        for row, shards in known
        if shards is not None
    ]
    # The row of the whole bot stands there also where only ranges of shards run.
    parts = [part for part in all_parts if part.row.name != NAME and part.is_online]
    parts = parts or [part for part in all_parts if part.row.name == NAME]
    online = [part for part in parts if part.is_online]
    newest = next(iter(online or parts), None)
    detail = newest.detail if newest else {}
    row = newest.row if newest else ProcessState(name=NAME)
    # A bot that was started had one, wherever it runs.
    was_started = row.state not in (State.DISABLED, State.STOPPED)
    has_token = was_started or bool(settings.DISCORD_TOKEN.strip())
    is_wanted = main.is_wanted if main else True
    latencies = [part.detail.get("latency_ms") for part in online]
    minutes = [part.detail.get("lag_minutes_ms") or [] for part in online]
    return Condition(
        word=_word(row, has_token=has_token, is_wanted=is_wanted),
        message=row.message,
        is_wanted=is_wanted,
        has_token=has_token,
        parts=parts,
        user=detail.get("user", ""),
        application_id=str(detail.get("application_id", "")),
        guilds=sum(part.detail.get("guilds", 0) for part in online),
        answered=sum(part.detail.get("answered", 0) for part in online),
        limited=sum(part.detail.get("limited", 0) for part in online),
        last_limited=next((last for p in online if (last := p.detail.get("last_limited"))), ""),
        latency_ms=max((each for each in latencies if each is not None), default=None),
        lag_p99_ms=max((part.detail.get("lag_p99_ms", 0.0) for part in online), default=0.0),
        lag_max_ms=max((part.detail.get("lag_max_ms", 0.0) for part in online), default=0.0),
        lag_minutes_ms=max(minutes, key=lambda each: max(each, default=0.0), default=[]),
        message_content=bool(detail.get("message_content", True)),
        voice_problem=detail.get("voice_problem", ""),
        started_at=newest.started_at if newest else None,
        n_incidents=Incident.objects.filter(
            process=NAME, created_at__gte=now() - timedelta(days=1)
        ).count(),
    )


def _word(row: ProcessState, *, has_token: bool, is_wanted: bool) -> str:
    if row.is_alive:
        return "online" if is_wanted else "stopping"
    if not has_token:
        return "no token"
    if not is_wanted:
        return "stopped"
    if row.state == State.RUNNING:
        return "silent"
    words = {State.STARTING: "starting", State.BACKOFF: "restarting", State.FAILED: "failed"}
    return words.get(State(row.state), "stopped")
