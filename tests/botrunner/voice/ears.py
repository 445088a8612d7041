"""Somebody who only listens in a call."""


class Ears:
    """Takes part in a call, and remembers who it heard."""

    def __init__(self, call) -> None:
        self.call = call
        self.heard: dict[int, int] = {}
        self.left: list[int] = []
        self.refused: list[int] = []
        self.is_closed = self.is_settled = False
        self.n_lost = 0
        self.speaking = frozenset()

    def on_frame(self, discord_user_id, frame) -> None:
        self.heard[discord_user_id] = self.heard.get(discord_user_id, 0) + 1

    def on_left(self, discord_user_id) -> None:
        self.left.append(discord_user_id)

    def on_lost(self) -> None:
        self.n_lost += 1

    def on_refused(self, discord_user_id) -> None:
        self.refused.append(discord_user_id)

    def close(self) -> None:
        self.is_closed = True

    async def settle(self) -> None:
        self.is_settled = True
