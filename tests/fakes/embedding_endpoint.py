"""/v1/embeddings on a loopback port: vectors that a text's letters lead to, and faults by script."""

import base64
import contextlib
import json
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import numpy as np

API_KEY = "sk-test-embedding-0123456789"


class EmbeddingEndpoint:
    """The endpoint. Use it as a context manager; `base_url` is where it listens.

    `texts` holds what was embedded, in order; `requests` how many texts each
    request had, `asked_models` of whom.
    `meanings` gives texts that hold a word a vector of their own.
    `faults` are used up first: a status, or what is answered in place of rows.
    `waits` keeps every answer back until it is set;
    `began` is set when a request came.
    """

    def __init__(self, n_dimensions: int = 32, models: tuple[str, ...] = ("embed-test",)) -> None:
        self.n_dimensions = n_dimensions
        self.models = models
        self.meanings: tuple[str, ...] = ()
        self.texts: list[str] = []
        self.requests: list[int] = []
        self.asked_models: list[str] = []
        self.faults: list[int | list[Any]] = []
        self.waits = threading.Event()
        self.waits.set()
        self.began = threading.Event()
        self.keys: set[str] = set()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                rows = [{"id": name, "object": "model"} for name in endpoint.models]
                self._say(200, {"object": "list", "data": rows})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.keys.add(self.headers["Authorization"])
                endpoint.began.set()
                endpoint.waits.wait()
                self._say(*endpoint.answer(body))

            def _say(self, status: int, body: Any) -> None:
                content = json.dumps(body).encode()
                # Who did not wait so long is gone.
                with contextlib.suppress(ConnectionError):
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, body: Any) -> tuple[int, Any]:
        texts = body["input"]
        self.texts += texts
        self.asked_models.append(body["model"])
        self.requests.append(len(texts))
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return fault, {"error": {"message": f"No, {API_KEY} is wrong.", "code": "no"}}
        rows: list[Any] = [
            {"object": "embedding", "index": n, "embedding": self._written(text, body)}
            for n, text in enumerate(texts)
        ]
        n_tokens = sum(len(text.split()) for text in texts)
        return 200, {
            "object": "list",
            "model": body["model"],
            "data": rows[::-1] if fault is None else fault,
            "usage": {"prompt_tokens": n_tokens, "total_tokens": n_tokens},
        }

    def vector(self, text: str) -> Any:
        seed = zlib.crc32(text.encode())
        made = np.random.default_rng(seed).normal(size=self.n_dimensions)
        for n, word in enumerate(self.meanings):
            made[n] += 12 * (word in text.lower())
        return made.astype(np.float32)

    def _written(self, text: str, body: Any) -> Any:
        vector = self.vector(text)
        if body.get("encoding_format") == "base64":
            return base64.b64encode(vector.tobytes()).decode()
        return vector.tolist()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.waits.set()
        self._server.shutdown()
        self._server.server_close()
