"""Lets people talk with the bot in the calls that it is in."""

from __future__ import annotations

from botrunner.cogs.talk.calling import Call
from botrunner.cogs.talk.desk import CallDesk
from botrunner.voice.playback import player_of
from botrunner.voice.talking import Talk

__all__ = ["Call", "CallDesk", "attend"]


def attend(call: Call) -> Talk:
    """Take part in a call: hear it, and answer who speaks to the bot."""
    return Talk(CallDesk(call), player_of(call.bot, call.guild_id))
