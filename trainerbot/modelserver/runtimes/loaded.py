"""A running llama.cpp with what was loaded into it."""

from collections.abc import Sequence
from typing import Any

from trainerbot.modelserver.runtimes.memory import Uses


class Loaded:
    """llama.cpp with one model and the adapters that were loaded beside it, by their order."""

    def __init__(self, server: Any, adapters: Sequence[str]) -> None:
        self.server = server
        self.adapters = tuple(adapters)
        self.uses = Uses()
        self.n_bytes = 0

    def free(self) -> None:
        """Let go of llama.cpp. For a thread: llama.cpp waits for its own."""
        self.server = None

    def scales(self, adapter_id: str | None) -> list[dict[str, Any]]:
        """Return a request's `lora`: every adapter by its number, and one of them at work.

        All are named. Left out, llama.cpp keeps what the place's last request
        read with its own adapter, and answers one model's question with
        another's memory of it.
        """
        return [
            {"id": number, "scale": 1.0 if known == adapter_id else 0.0}
            for number, known in enumerate(self.adapters)
        ]
