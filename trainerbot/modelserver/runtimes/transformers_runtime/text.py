"""Tokens as text, piece by piece, up to the first stop text."""

from collections.abc import Sequence
from typing import Any


class Text:
    """Turns tokens into text as they come. What may begin a stop text is held back."""

    def __init__(self, tokenizer: Any, stop: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._stop = [text for text in stop if text]
        self._ids: list[int] = []
        # Text up to here was told by the tokens up to there.
        self._begun = 0
        self._read = 0
        self._held = ""
        self.is_stopped = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing is held back."""
        return not self._held and self._read == len(self._ids)

    def add(self, token: int) -> str:
        """Return the text that is certain now; none once a stop text came."""
        self._ids.append(token)
        # Only the last tokens are read again: how a token is written depends
        # on the one before it.
        before = self._decoded(self._ids[self._begun : self._read])
        now = self._decoded(self._ids[self._begun :])
        if len(now) <= len(before) or now.endswith("\ufffd"):
            return ""  # half a character
        self._begun, self._read = self._read, len(self._ids)
        return self._passed(now[len(before) :])

    def end(self) -> str:
        """Return what was held back."""
        if self.is_stopped:
            return ""
        before = self._decoded(self._ids[self._begun : self._read])
        rest = self._decoded(self._ids[self._begun :])[len(before) :]
        told = self._passed(rest)
        held, self._held = self._held, ""
        self._read = len(self._ids)
        return told if self.is_stopped else told + held

    def _decoded(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _passed(self, text: str) -> str:
        text = self._held + text
        found = [place for stop in self._stop if (place := text.find(stop)) >= 0]
        if found:
            self.is_stopped, self._held = True, ""
            return text[: min(found)]
        n_held = max((_overlap(text, stop) for stop in self._stop), default=0)
        cut = len(text) - n_held
        self._held = text[cut:]
        return text[:cut]


class HeldLogprobs:
    """The probabilities of tokens, told when their text is certain; in the shape of OpenAI's."""

    def __init__(self) -> None:
        self._held: list[dict[str, Any]] = []
        # Characters that these tokens have told already.
        self._n_told = 0

    def add(self, token: dict[str, Any]) -> None:
        """Hold one until `told_with`."""
        self._held.append(token)

    def told_with(self, piece: str, text: Text) -> list[dict[str, Any]]:
        """Return those to tell with `piece`, the newest of `text`: none of what a stop cut off."""
        self._n_told += len(piece)
        if not text.is_stopped and not text.is_whole:
            return []
        told, at = self._held, 0
        if text.is_stopped:
            for place, token in enumerate(self._held):
                if at >= self._n_told:
                    told = self._held[:place]
                    break
                at += len(token["token"])
        self._held, self._n_told = [], 0
        return told


def _overlap(text: str, stop: str) -> int:
    """Return how many of the last characters of `text` begin `stop`."""
    for n in range(min(len(text), len(stop) - 1), 0, -1):
        if stop.startswith(text[-n:]):
            return n
    return 0
