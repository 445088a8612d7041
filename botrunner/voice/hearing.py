"""Whether the bot hears and may speak in a call, judged from outside: a test that never ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Packets that came, and the time in which not one of them could be used, before it is a fault.
DEAF_AFTER_S: Final = 3.0
DEAF_PACKETS: Final = 25
SILENT_AFTER_S: Final = 5.0
AT_ONCE_S: Final = 1.0  # between somebody's voice and the word that it is theirs


@dataclass(frozen=True, slots=True)
class Sight:
    """How a call looks at one moment.

    counts: of `ReceivingClient`, plus `broken` of `Capture`. n_speakers: how
    many Discord has said speak; n_begun: how often it has said that somebody
    begins to. is_locked: end-to-end encrypted, and the bot
    has no key.
    """

    counts: Mapping[str, int]
    n_speakers: int = 0
    n_others: int = 0
    n_begun: int = 0
    is_locked: bool = False
    is_deafened: bool = False
    is_muted: bool = False
    is_audience: bool = False
    may_speak: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in words. can_heal: connecting anew may help."""

    sentence: str
    can_heal: bool = False


class Hearing:
    """Looks at a call now and then, and says what is wrong there. `now` is seconds of any clock."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._usable = -1  # packets that were of use, when it last changed
        self._received = 0  # at that moment
        self._n_lost = 0  # that came since, and were of no use
        self._lost_from = self._lost_until = 0.0  # when the first and the last of them came
        self._arrived = 0  # packets of any kind, when they last came
        self._arrived_at = -AT_ONCE_S
        self._begun = 0  # of `n_begun`, for which packets came
        self._locked_since: float | None = None
        self._mute_since: float | None = None

    def fault(self, sight: Sight, now: float) -> Fault | None:
        """Return the worst of what is wrong now: not to hear, before not to be heard."""
        return self._deafness(sight, now) or self._muteness(sight)

    def _deafness(self, sight: Sight, now: float) -> Fault | None:
        where = self._channel
        if sight.is_deafened:
            return Fault(
                f"A moderator has deafened me in {where}, so I hear nothing. Undeafen me there, "
                "or write to me."
            )
        if self._is_locked_out(sight, now):
            return Fault(
                f"The encryption of {where} does not let me in, so I hear nothing. I am "
                "connecting anew; write to me meanwhile.",
                can_heal=True,
            )
        if self._cannot_read(sight, now):
            return Fault(
                f"I hear nothing in {where}: what is said arrives, but I cannot decode it. I am "
                "connecting anew; write to me meanwhile.",
                can_heal=True,
            )
        if self._gets_nothing(sight, now):
            return Fault(
                f"I hear nothing in {where}: nothing of what is said reaches me. Somebody who "
                "runs me should see that UDP from Discord gets through; write to me meanwhile.",
                can_heal=True,
            )
        return None

    def _muteness(self, sight: Sight) -> Fault | None:
        where = self._channel
        if sight.is_audience:
            return Fault(
                f"I sit in the audience of {where}, so I answer in writing. Invite me to speak."
            )
        if sight.is_muted:
            return Fault(f"A moderator has muted me in {where}, so I answer in writing.")
        if not sight.may_speak:
            return Fault(
                f"I may not speak in {where}, so I answer in writing. Give my role the "
                "permission Speak there."
            )
        return None

    def _is_locked_out(self, sight: Sight, now: float) -> bool:
        if not (sight.is_locked and sight.n_others):
            self._locked_since = None
            return False
        self._locked_since = now if self._locked_since is None else self._locked_since
        return now - self._locked_since >= SILENT_AFTER_S

    def _cannot_read(self, sight: Sight, now: float) -> bool:
        counts = sight.counts
        # Of no use here: what ends a speech, which is never encrypted, and those
        # who will not be listened to, whose packets nobody tries to decrypt.
        beside = counts.get("silent", 0) + counts.get("unheard", 0)
        usable = counts.get("heard", 0) - counts.get("broken", 0) - counts.get("silent", 0)
        received = counts.get("received", 0) - beside
        if usable != self._usable:  # somebody was understood
            self._usable, self._received, self._n_lost = usable, received, 0
            return False
        n_lost = received - self._received
        if n_lost > self._n_lost:
            self._lost_from = self._lost_from if self._n_lost else now
            self._n_lost, self._lost_until = n_lost, now
        lasted_s = self._lost_until - self._lost_from
        return n_lost >= DEAF_PACKETS and lasted_s >= DEAF_AFTER_S

    def _gets_nothing(self, sight: Sight, now: float) -> bool:
        """Whether somebody has begun to speak, as Discord says, and nothing of it has come."""
        received = sight.counts.get("received", 0)
        if received != self._arrived:
            self._arrived, self._arrived_at, self._begun = received, now, sight.n_begun
        elif now - self._arrived_at < AT_ONCE_S:
            self._begun = sight.n_begun  # told a little later than their voice came
        never = not received and sight.n_speakers
        if not sight.n_others or not (never or sight.n_begun > self._begun):
            self._mute_since = None
            return False
        self._mute_since = now if self._mute_since is None else self._mute_since
        return now - self._mute_since >= SILENT_AFTER_S
