"""Who has the word in a call: when the bot falls silent, goes on, or gives its word up.

It knows no clock and no Discord: moments come with each call, in seconds of
any clock that never goes back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

# How long the bot waits, silent, for the words of one who spoke only shortly.
UNDECIDED_S: Final = 0.6
# How long it lets others speak before it answers all the same.
PATIENCE_S: Final = 3.0
# How long it is silent, in the middle of an answer, while others speak to each other.
ASIDE_S: Final = 10.0


class Mouth(Protocol):
    """What the bot speaks with; a Player."""

    @property
    def is_speaking(self) -> bool: ...
    @property
    def is_held(self) -> bool: ...
    def hold(self) -> None: ...
    def release(self) -> None: ...
    def interrupt(self) -> object: ...


@dataclass(slots=True)
class _Doubt:
    """Somebody began to speak while the bot did; whether they want the word is not known yet.

    is_believed: the bot is silent meanwhile. is_aside: they speak to others,
    as far as is known.
    """

    began_at: float
    ended_at: float | None = None
    is_believed: bool = True
    is_aside: bool = False

    @property
    def due_at(self) -> float:
        """Until when the bot is silent for it, if nothing comes of it."""
        if self.ended_at is not None:
            return self.ended_at + UNDECIDED_S
        return self.began_at + ASIDE_S if self.is_aside else math.inf


class Floor:
    """Gives the word to people before the bot.

    Speech over the bot silences it at once; if it goes on, or has words of its
    own, the bot gives up what it was saying. For words between others it only
    waits. While somebody speaks it begins nothing new, for a while.
    """

    def __init__(self, mouth: Mouth, *, can_be_interrupted: bool = True) -> None:
        self.can_be_interrupted = can_be_interrupted
        self.n_interrupted = 0
        self._mouth = mouth
        self._speaking: set[int] = set()
        self._doubts: dict[int, _Doubt] = {}
        self._polite_since: float | None = None
        self._is_closed = False

    @property
    def speaking(self) -> frozenset[int]:
        """Who speaks now, by Discord's ids."""
        return frozenset(self._speaking)

    def began(self, discord_user_id: int, now: float) -> None:
        """Somebody speaks; it may be no more than "mm-hm"."""
        self._speaking.add(discord_user_id)
        if self._mouth.is_speaking:
            if self.can_be_interrupted and not self._is_closed:
                self._doubt(discord_user_id, now)
        elif self._polite_since is None:
            self._polite_since = now
        self.look(now)

    def _doubt(self, discord_user_id: int, now: float) -> None:
        doubt = self._doubts.get(discord_user_id)
        if doubt is None or doubt.ended_at is not None or not doubt.is_aside:
            self._doubts[discord_user_id] = _Doubt(now)  # else it is the same speech

    def went(self, discord_user_id: int, now: float) -> None:
        """They go on for longer than a "mm-hm" takes, and may end what is being said."""
        if discord_user_id in self._doubts:
            self._give_up(now)
        self.look(now)

    def ended(self, discord_user_id: int, now: float) -> None:
        """They are silent again."""
        self._speaking.discard(discord_user_id)
        if doubt := self._doubts.get(discord_user_id):
            doubt.ended_at = now
            doubt.is_believed = doubt.is_believed and not doubt.is_aside
        self.look(now)

    def judged(self, discord_user_id: int, now: float, *, has_words: bool) -> None:
        """What they said until now is known: whether it was more than "mm-hm"."""
        doubt = self._doubts.get(discord_user_id)
        if doubt is not None:
            if has_words:
                self._give_up(now)
            elif doubt.ended_at is not None:
                del self._doubts[discord_user_id]
            else:
                doubt.is_believed = False  # but they may go on
        self.look(now)

    def spoke_aside(self, discord_user_id: int, now: float) -> None:
        """What they say is more than "mm-hm", and said to others."""
        doubt = self._doubts.get(discord_user_id)
        if doubt is not None:
            doubt.is_aside = True
            if doubt.ended_at is not None:
                del self._doubts[discord_user_id]
        self.look(now)

    def left(self, discord_user_id: int, now: float) -> None:
        """They are not in the call any more."""
        self._doubts.pop(discord_user_id, None)
        self.ended(discord_user_id, now)

    def close(self) -> None:
        """Leave the mouth alone from now on: it may be another call's."""
        self._is_closed = True
        self._doubts.clear()

    def look(self, now: float) -> float | None:
        """Do what is due now. Returns the moment at which to look again, None for no need."""
        if self._is_closed:
            return None
        for doubt in self._doubts.values():
            if now >= doubt.due_at:
                doubt.is_believed = False
        if not (self._mouth.is_speaking and self.can_be_interrupted):
            self._doubts.clear()  # it came to its end by itself, or its admins want it so
        if not self._speaking:
            self._polite_since = None
        is_silent = self._is_doubted or self._is_polite(now)
        if is_silent and not self._mouth.is_held:
            self._mouth.hold()
        elif not is_silent and self._mouth.is_held:
            self._mouth.release()
        return self._due_at(now)

    @property
    def _is_doubted(self) -> bool:
        return any(doubt.is_believed for doubt in self._doubts.values())

    def _is_polite(self, now: float) -> bool:
        return self._polite_since is not None and now - self._polite_since < PATIENCE_S

    def _give_up(self, now: float) -> None:
        self._doubts.clear()
        self._polite_since = now
        self.n_interrupted += 1
        self._mouth.interrupt()

    def _due_at(self, now: float) -> float | None:
        moments = [
            doubt.due_at
            for doubt in self._doubts.values()
            if doubt.is_believed and doubt.due_at < math.inf
        ]
        if self._is_polite(now):
            assert self._polite_since is not None
            moments.append(self._polite_since + PATIENCE_S)
        return min(moments, default=None)
