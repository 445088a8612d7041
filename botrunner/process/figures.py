"""What the dashboard is told of a running bot, with each heartbeat."""

import math

from botrunner.bot import TrainerBot
from botrunner.process.lag import LoopLag
from botrunner.rest import Patience

LONGEST_S = 40.0


def figures(
    bot: TrainerBot, patience: Patience, lag: LoopLag, *, started: float
) -> dict[str, object]:
    """Return it as JSON. started: Unix seconds at which this process began."""
    return {
        "user": str(bot.user),
        "application_id": str(bot.application_id or ""),
        "avatar": bot.user.display_avatar.url if bot.user else "",
        "guilds": len(bot.guilds),
        "latency_ms": _milliseconds(bot.latency),
        "shards": {str(shard): _milliseconds(seconds) for shard, seconds in bot.shard_latencies()},
        "message_content": bot.intents.message_content,
        "started": started,
        "answered": bot.in_flight.n_answered,
        "limited": patience.n_limited,
        "last_limited": patience.last_limited,
        "voice_problem": bot.voice_problem,
        **lag.figures(),
    }


def _milliseconds(seconds: float) -> int | None:
    """Until the first heartbeat is answered, nobody knows how far away Discord is."""
    # discord.py notes when it sent a heartbeat after the sending. An answer that is quicker is
    # counted from the heartbeat before, 41 s ago.
    is_known = math.isfinite(seconds) and seconds < LONGEST_S
    return round(seconds * 1000) if is_known else None
