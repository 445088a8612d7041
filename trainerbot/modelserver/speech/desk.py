"""Where speech is asked for: finds the provider's processes, and knows how providers stand."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Final, Literal

import msgspec

import trainerbot
from trainerbot.errors import NotFound, ProviderUnavailable
from trainerbot.modelserver.speech.pool import Pool
from trainerbot.modelserver.speech.work import Hear, Heard, Say, Standings
from trainerbot.speech import SpeechAbsent, Standing, speaks
from trainerbot.speech.registry import RECOGNIZERS, SYNTHESIZERS

AUTO: Final = "auto"
_MODULE: Final = "trainerbot.modelserver.speech"
_ON_A_NETWORK: Final = frozenset({"google", "gtts"})
_N_WAITERS: Final = 4  # processes of a provider that only waits for its network
_STANDINGS_LAST_S: Final = 60.0
_STANDINGS_TIMEOUT_S: Final = 30.0

Role = Literal["hear", "say"]


class UnknownProvider(NotFound):
    """No speech provider has this name."""


class SpeechDesk:
    """Hears and speaks by providers' names, or `auto`: the first offline one that can.

    `settings` are the environment of the processes; `n_processes` bounds those
    of one provider that computes here.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        *,
        n_processes: int = 2,
        timeout_s: float = 300.0,
        idle_s: float = 300.0,
    ) -> None:
        root = str(Path(trainerbot.__path__[0]).parent)
        # Several processes already share the cores; a library's own threads only crowd them.
        self._environ = {**settings, "PYTHONPATH": root, "OMP_NUM_THREADS": "2"}
        self._n_processes = min(n_processes, os.cpu_count() or 1)
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self._pools: dict[tuple[Role, str], Pool] = {}
        self._standings: list[Standing] = []
        self._known_until = 0.0
        self._asking = asyncio.Lock()
        self.language = settings.get("SPEECH_LANGUAGE", "").strip() or "ru-RU"

    async def hear(self, data: bytes, *, provider: str, language: str, most_s: float) -> Heard:
        """Return the words in an audio file. Raises UnknownProvider, and as Pool.ask."""
        pool = await self._pool("hear", provider, language)
        async with aclosing(pool.ask(Hear(language, most_s, len(data)), data)) as replies:
            async for reply in replies:
                if isinstance(reply, Heard):
                    return reply
        raise ProviderUnavailable("The speech provider gave no answer. Try again.")

    async def say(
        self, text: str, *, provider: str, language: str, voice: str, speed: float, format: str
    ) -> AsyncGenerator[bytes, None]:
        """Yield the file in which `text` is said, as it grows. Raises as `hear`."""
        pool = await self._pool("say", provider, language)
        request = Say(text, language, voice, speed, format)
        async with aclosing(pool.ask(request)) as replies:
            async for reply in replies:
                if isinstance(reply, bytes):
                    yield reply

    async def standings(self) -> list[Standing]:
        """Return how all providers stand, at most a minute ago."""
        async with self._asking:
            if time.monotonic() >= self._known_until:
                self._standings = await self._ask_standings()
                self._known_until = time.monotonic() + _STANDINGS_LAST_S
            return self._standings

    def pids(self) -> set[int]:
        """Return the processes that there are now."""
        return {pid for pool in self._pools.values() for pid in pool.pids}

    async def close(self) -> None:
        """End all processes."""
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    async def _pool(self, role: Role, provider: str, language: str) -> Pool:
        if provider == AUTO:
            provider = await self._choose(role, language)
        known = RECOGNIZERS if role == "hear" else SYNTHESIZERS
        if provider not in known:
            raise UnknownProvider(provider)
        if (role, provider) not in self._pools:
            self._pools[role, provider] = Pool(
                provider,
                (sys.executable, "-m", _MODULE, role, provider),
                environ=self._environ,
                size=_N_WAITERS if provider in _ON_A_NETWORK else self._n_processes,
                timeout_s=self._timeout_s,
                idle_s=self._idle_s,
            )
        return self._pools[role, provider]

    async def _choose(self, role: Role, language: str) -> str:
        for standing in await self.standings():
            fits = standing.hears if role == "hear" else standing.speaks
            if (
                fits
                and not standing.problem
                and standing.is_offline  # nobody's voice leaves this machine unasked
                and speaks(standing.languages, language)
            ):
                return standing.name
        doing = "hears" if role == "hear" else "speaks"
        raise SpeechAbsent(
            f"No offline speech provider here {doing} {language}. GET /v1/audio/providers tells "
            "what each one lacks."
        )

    async def _ask_standings(self) -> list[Standing]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _MODULE,
            "standings",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env=self._environ,
        )
        try:
            async with asyncio.timeout(_STANDINGS_TIMEOUT_S):
                told, _ = await process.communicate()
            return msgspec.json.decode(told, type=Standings).data
        except (TimeoutError, msgspec.MsgspecError) as error:
            raise ProviderUnavailable(
                "How the speech providers stand could not be told. Try again."
            ) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
