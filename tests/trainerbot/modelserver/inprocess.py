"""The model server's application in this process: no socket, no jobs that run, no model loaded."""

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from trainerbot.modelserver.api.app import make_app
from trainerbot.modelserver.api.limits import Limits
from trainerbot.modelserver.bases import BaseModel, Bases
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.runtimes.llamacpp import LlamaCpp
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.speech.desk import SpeechDesk
from trainerbot.modelserver.store import Store

MIB = 1024 * 1024
MODEL = "tiny-llama"


@dataclass(frozen=True)
class Reply:
    """What the application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json["error"]
        return error


@dataclass(frozen=True)
class InProcess:
    """An application with its store. Requests are sent as bytes, the way a socket brings them."""

    app: Starlette
    store: Store
    folder: Path

    def send(
        self,
        method: str,
        path: str,
        *,
        query: bytes = b"",
        body: bytes = b"",
        chunks: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request and return the whole answer."""
        return asyncio.run(self._send(method, path, query, body, chunks, headers or {}))

    def send_json(self, method: str, path: str, value: object, **options: Any) -> Reply:
        """Send a JSON body."""
        body = json.dumps(value).encode()
        return self.send(
            method, path, body=body, headers={"content-type": "application/json"}, **options
        )

    def send_form(
        self, path: str, fields: Mapping[str, str], *, name: str, content: bytes, **options: Any
    ) -> Reply:
        """Send a form with one file, whose field is `name`."""
        body = b"".join(
            f'--x\r\ncontent-disposition: form-data; name="{field}"\r\n\r\n{text}\r\n'.encode()
            for field, text in fields.items()
        )
        opening = f'--x\r\ncontent-disposition: form-data; name="{name}"; filename="a.jsonl"'
        body += f"{opening}\r\n\r\n".encode() + content + b"\r\n--x--\r\n"
        headers = {"content-type": "multipart/form-data; boundary=x"}
        return self.send("POST", path, body=body, headers=headers, **options)

    async def _send(
        self,
        method: str,
        path: str,
        query: bytes,
        body: bytes,
        chunks: int,
        headers: Mapping[str, str],
    ) -> Reply:
        given = {"host": "127.0.0.1", **headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "replace"),
            "query_string": query,
            "root_path": "",
            "headers": [(k.encode(), v.encode("latin-1", "replace")) for k, v in given.items()],
            "server": ("127.0.0.1", 1),
            "client": ("127.0.0.1", 2),
        }
        size = max(1, -(-len(body) // chunks))
        pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        came: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not pieces:
                await asyncio.sleep(3600)  # nothing more comes, and nobody goes away
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: dict[str, Any]) -> None:
            came.append(message)

        with contextlib.suppress(_AnsweredCrash):
            await _reraising(self.app, scope, receive, send)
        start = came[0]
        return Reply(
            status=start["status"],
            headers={name.decode(): value.decode() for name, value in start["headers"]},
            body=b"".join(message.get("body", b"") for message in came[1:]),
        )

    def leftovers(self) -> list[str]:
        """Return what lies in the folders beside the blobs that a row names."""
        with self.store._lock:
            named = {
                row[0]
                for row in self.store._db.execute(
                    "SELECT sha256 FROM files UNION SELECT sha256 FROM model_files"
                    " UNION SELECT sha256 FROM upload_parts"
                )
            }
        blobs = {path.name for path in (self.folder / "blobs").iterdir()}
        drafts = [path.name for path in (self.folder / "drafts").iterdir()]
        return drafts + sorted(blobs - named)


class _Resting:
    """The queue of jobs, of which this application never begins to work any off."""

    def done(self) -> bool:
        return False


class _AnsweredCrash(Exception):
    """The application crashed after it had answered 500."""


async def _reraising(app: Starlette, scope: Any, receive: Any, send: Any) -> None:
    try:
        await app(scope, receive, send)
    except Exception as error:
        # Starlette answers, then raises it again for the server's log.
        raise _AnsweredCrash from error


@contextlib.contextmanager
def in_process(
    folder: Path, *, api_keys: tuple[str, ...] = (), limits: Limits | None = None, **options: Any
) -> Iterator[InProcess]:
    """Yield an application over a new store in `folder`."""
    with contextlib.closing(Store(folder, max_stored_bytes=options.pop("stored", None))) as store:
        # Known and listed, but nothing here can load it.
        bases = Bases([BaseModel(MODEL, "safetensors", str(folder), 0, 2048, "llama")])
        app = make_app(
            store,
            Catalog(store, bases, {MODEL: LlamaCpp(None)}, Memory(1)),
            SpeechDesk({}),
            data=folder,
            api_keys=api_keys,
            limits=limits,
            max_file_bytes=MIB,
            max_upload_bytes=100 * MIB,
            max_audio_bytes=MIB,
            max_audio_s=60,
            warm_up=False,
            **options,
        )
        app.state.jobs = _Resting()
        yield InProcess(app, store, folder)
