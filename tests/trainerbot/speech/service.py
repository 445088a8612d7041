"""A service on a loopback port that answers as a test tells it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What is answered; `promised` is a length that the body does not keep."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    promised: int | None = None


@dataclass
class Service:
    """Answers each request by `answer`, and keeps it in `asked`."""

    answer: Callable[[Asked], Answer] = lambda _: Answer(b"")
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> "Service":
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.path, headers, self.rfile.read(length))
                service.asked.append(asked)
                answer = service.answer(asked)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                promised = len(answer.body) if answer.promised is None else answer.promised
                self.send_header("Content-Length", str(promised))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                """Say nothing: tests look at `asked`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
