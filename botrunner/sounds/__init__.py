"""Sounds in text channels: fetched and listened to, and sent as voice messages."""

from botrunner.sounds.fetching import FETCHED, TooMuch, fetch
from botrunner.sounds.listening import MOST_AT_ONCE, Listened, Listener, is_sound
from botrunner.sounds.voice_messages import VoiceMessage, send_spoken

__all__ = [
    "FETCHED",
    "MOST_AT_ONCE",
    "Listened",
    "Listener",
    "TooMuch",
    "VoiceMessage",
    "fetch",
    "is_sound",
    "send_spoken",
]
