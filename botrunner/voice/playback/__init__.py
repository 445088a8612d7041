"""What the bot says in calls: one player for each guild it is in."""

from botrunner.voice.playback.frames import FRAME_BYTES, FRAME_S, SILENCE, prepared
from botrunner.voice.playback.guilds import is_with, player_of, speak_in_call
from botrunner.voice.playback.player import Player
from botrunner.voice.playback.speech import MOST_CHARACTERS, Heard, Speech, Synthesize

__all__ = [
    "FRAME_BYTES",
    "FRAME_S",
    "MOST_CHARACTERS",
    "SILENCE",
    "Heard",
    "Player",
    "Speech",
    "Synthesize",
    "is_with",
    "player_of",
    "prepared",
    "speak_in_call",
]
