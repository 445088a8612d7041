"""From frames to speech: who begins, who really says something, who has ended."""

from __future__ import annotations

from collections.abc import Callable

from trainerbot.speech import Pcm
from trainerbot.speech.segmenting import Event, Segmenter


class Listener:
    """Cuts what each person says into speech, on the capture's thread.

    `tell(discord_user_id, event)` is called there, in order for each person.
    """

    def __init__(
        self,
        tell: Callable[[int, Event], None],
        *,
        segmenter: Callable[[], Segmenter] = Segmenter,
    ) -> None:
        self._tell = tell
        self._segmenter = segmenter
        self._segmenters: dict[int, Segmenter] = {}

    def on_frame(self, discord_user_id: int, frame: Pcm) -> None:
        """Take the next 20 ms of a person: 16 kHz, mono."""
        segmenter = self._segmenters.get(discord_user_id)
        if segmenter is None:
            segmenter = self._segmenters[discord_user_id] = self._segmenter()
        for event in segmenter.feed(frame):
            self._tell(discord_user_id, event)

    def hint(self, discord_user_id: int, *, finished: bool) -> None:
        """Say whether what somebody said until their pause is a finished sentence.

        From any thread: the segmenter only keeps it until they speak on.
        """
        if segmenter := self._segmenters.get(discord_user_id):
            segmenter.hint(finished=finished)

    def is_pausing(self, discord_user_id: int) -> bool:
        """Whether somebody who paused has said nothing since. From any thread."""
        segmenter = self._segmenters.get(discord_user_id)
        return segmenter is not None and segmenter.is_pausing

    def forget(self, discord_user_id: int) -> None:
        """Forget what somebody said so far. From any thread; one event may still be told."""
        self._segmenters.pop(discord_user_id, None)
