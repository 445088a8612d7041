"""An OpenAI-shaped endpoint on a loopback port, scripted by the test.

Real sockets and real bytes, so that the SDK and our parsing are what is
tested. It answers chat from a queue of `Reply`, and keeps files and
fine-tuning jobs in memory; nothing trains.
"""

import asyncio
import itertools
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.job_abilities import JobAbilities, error_body

API_KEY = "sk-test-0123456789abcdef"


@dataclass
class Reply:
    """What the endpoint does with one chat request.

    `pieces` are streamed with `delay_s` before each. `status` other than 200
    sends `error` instead. `cut` ends the stream without a last chunk, `fault`
    ends it with an error event. `body` is sent as it is, as `content_type`.
    """

    pieces: tuple[str, ...] = ("Hello", " there.")
    finish_reason: str | None = "stop"
    model: str | None = None
    system_fingerprint: str | None = None
    status: int = 200
    error: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False
    fault: Any = None
    body: bytes | None = None
    content_type: str = "text/event-stream"
    # For {"name of a parameter": "what is said when it is sent"}.
    refuses: dict[str, str] = field(default_factory=dict)


class PromptServer(uvicorn.Server):
    """Ends at once: uvicorn itself looks and waits for a tenth of a second each."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()

    def end(self) -> None:
        """Stop, from another thread, whoever is still connected."""
        self._loop.call_soon_threadsafe(self._over.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        await self.on_tick(0)  # makes the headers of every answer
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)  # then the transports are closed


class FakeOpenAI(JobAbilities):
    """The endpoint. Use it as a context manager; `base_url` is where it listens.

    `replies` is used up first, then `answer` is asked what to say to a body, and
    without one `default` answers. `chats` holds the body of every chat request,
    `seen` method and path of every request.
    """

    def __init__(
        self, *, models: tuple[str, ...] = ("small", "large"), keeps_alive: bool = True
    ) -> None:
        """Offer `models`. Without `keeps_alive` each connection carries one request."""
        self._model_names = models
        self.reset()
        self._ids = itertools.count(1)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._server = PromptServer(
            uvicorn.Config(
                self._app(),
                log_level="critical",
                lifespan="off",
                ws="none",
                headers=[] if keeps_alive else [("Connection", "close")],
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def reset(self) -> None:
        """Forget everything, as if just started."""
        self.models: list[dict[str, Any]] = [
            {"id": name, "object": "model", "created": 1, "owned_by": "fake"}
            for name in self._model_names
        ]
        self.replies: list[Reply] = []
        self.default = Reply()
        self.answer: Callable[[dict[str, Any]], Reply] | None = None
        self.chats: list[dict[str, Any]] = []
        self.n_streams = 0  # that are being sent now
        self.most_streams = 0
        self.seen: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.failures: list[tuple[int, Any]] = []  # for every path but chat
        self.new_job: dict[str, Any] = {}  # what a job begins with, beyond the usual
        self.n_answers_lost = 0  # of the next created jobs: they exist, but nobody hears of it
        self.keep_files = True  # False: count their bytes only
        self.forget_abilities()
        self.filters = True  # False: the list of jobs does not heed metadata
        self.stopped = threading.Event()  # a client closed a stream before its end

    def __enter__(self) -> Self:
        """Start listening."""
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, whoever is still connected."""
        self._server.end()
        self._thread.join(timeout=60)
        self._socket.close()

    def say(self, job_id: str, message: str, **data: Any) -> dict[str, Any]:
        """Add an event to a job; with `data` it is a metrics event."""
        event = {
            "object": "fine_tuning.job.event",
            "id": f"ftevent-{next(self._ids)}",
            "created_at": 1000 + len(self.events[job_id]) // 2,
            "level": "info",
            "message": message,
            "type": "metrics" if data else "message",
            "data": data,
        }
        self.events[job_id].append(event)
        return event

    def finish(self, job_id: str, **changes: Any) -> None:
        """Let a job succeed, or end in whatever `changes` say."""
        ended = {
            "status": "succeeded",
            "fine_tuned_model": f"ft:{job_id}",
            "finished_at": 2000,
            "trained_tokens": 123,
        }
        self.jobs[job_id].update({**ended, **changes})

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self._list_models),
                Route("/v1/models/{id:path}", self._delete_model, methods=["DELETE"]),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/v1/files", self._upload, methods=["POST"]),
                Route("/v1/fine_tuning/jobs", self._create_job, methods=["POST"]),
                Route("/v1/fine_tuning/jobs", self._list_jobs),
                Route("/v1/fine_tuning/jobs/{id}", self._retrieve_job),
                Route("/v1/fine_tuning/jobs/{id}/cancel", self._cancel_job, methods=["POST"]),
                Route("/v1/fine_tuning/jobs/{id}/pause", self._move_job, methods=["POST"]),
                Route("/v1/fine_tuning/jobs/{id}/resume", self._move_job, methods=["POST"]),
                Route("/v1/fine_tuning/jobs/{id}/checkpoints", self._list_checkpoints),
                Route("/v1/fine_tuning/jobs/{id}/export", self._export),
                Route("/v1/fine_tuning/jobs/{id}/events", self._list_events),
            ]
        )

    def _refuse(self, request: Request) -> Response | None:
        self.seen.append(f"{request.method} {request.url.path}")
        self.headers.append(dict(request.headers))
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            told = f"Incorrect API key provided: {request.headers.get('authorization')}."
            return JSONResponse(error_body(told, "invalid_api_key"), 401)
        if self.failures and "/chat/" not in request.url.path:
            status, body = self.failures.pop(0)
            return JSONResponse(body, status)
        return None

    async def _list_models(self, request: Request) -> Response:
        return self._refuse(request) or JSONResponse({"object": "list", "data": self.models})

    async def _chat(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        body = await request.json()
        self.chats.append(body)
        if self.replies:
            reply = self.replies.pop(0)
        else:
            reply = self.answer(body) if self.answer else self.default
        for name, told in reply.refuses.items():
            if name in body:
                return JSONResponse(error_body(told, "unsupported_parameter", name), 400)
        if reply.status != 200:
            await asyncio.sleep(reply.delay_s)
            return JSONResponse(reply.error, reply.status, headers=reply.headers)
        if reply.body is not None:
            await asyncio.sleep(reply.delay_s)
            return Response(reply.body, media_type=reply.content_type)
        return StreamingResponse(self._stream(body, reply), media_type="text/event-stream")

    async def _stream(self, body: dict[str, Any], reply: Reply) -> AsyncIterator[bytes]:
        def chunk(**fields: Any) -> bytes:
            row = {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": reply.model or body["model"],
                "system_fingerprint": reply.system_fingerprint,
                "choices": [],
                **fields,
            }
            # Not only ASCII: U+2028 goes over the wire as it is.
            return b"data: " + json.dumps(row, ensure_ascii=False).encode() + b"\n\n"

        def choice(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
            return chunk(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}])

        ended = False
        self.n_streams += 1
        self.most_streams = max(self.most_streams, self.n_streams)
        try:
            yield choice({"role": "assistant", "content": ""})
            for piece in reply.pieces:
                await asyncio.sleep(reply.delay_s)
                yield choice({"content": piece})
            if reply.fault is not None:
                yield b"data: " + json.dumps(reply.fault).encode() + b"\n\n"
            if reply.fault is None and not reply.cut:
                if reply.finish_reason:
                    yield choice({}, reply.finish_reason)
                if body.get("stream_options", {}).get("include_usage"):
                    yield chunk(usage={"prompt_tokens": 7, "completion_tokens": len(reply.pieces)})
                yield b"data: [DONE]\n\n"
            ended = True
        finally:
            self.n_streams -= 1
            if not ended:
                self.stopped.set()

    async def _upload(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        file_id = f"file-{next(self._ids)}"
        n_bytes, kept = 0, b""
        async for piece in request.stream():  # the whole multipart, as it comes
            n_bytes += len(piece)
            if self.keep_files:
                kept += piece
        self.files[file_id] = kept
        return JSONResponse(
            {
                "id": file_id,
                "object": "file",
                "bytes": n_bytes,
                "created_at": 1,
                "filename": "train.jsonl",
                "purpose": "fine-tune",
                "status": "processed",
            }
        )

    async def _create_job(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        body = await request.json()
        job_id = f"ftjob-{next(self._ids)}"
        self.events[job_id] = []
        self.jobs[job_id] = {
            "id": job_id,
            "object": "fine_tuning.job",
            "created_at": next(self._ids),
            "status": "validating_files",
            "fine_tuned_model": None,
            "error": None,
            "trained_tokens": None,
            "finished_at": None,
            "validation_file": None,
            **body,
            **self.new_job,
        }
        self.say(job_id, "Created.")
        if self.n_answers_lost:
            self.n_answers_lost -= 1
            return StreamingResponse(_cut_off(), media_type="application/json")
        return JSONResponse(self.jobs[job_id])

    async def _list_jobs(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        wanted = {
            key[len("metadata[") : -1]: value
            for key, value in request.query_params.items()
            if self.filters and key.startswith("metadata[")
        }
        jobs = [
            job
            for job in reversed(self.jobs.values())
            if wanted.items() <= (job.get("metadata") or {}).items()
        ]
        return self._page(request, jobs)

    async def _retrieve_job(self, request: Request) -> Response:
        return self._refuse(request) or self._job(request)

    async def _cancel_job(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        job = self.jobs.get(request.path_params["id"])
        if job is not None and job["status"] in ("succeeded", "failed", "cancelled"):
            return JSONResponse(error_body(f"Job is already {job['status']}."), 400)
        if job is not None:
            job["status"] = "cancelled"
        return self._job(request)

    def _job(self, request: Request) -> Response:
        job = self.jobs.get(request.path_params["id"])
        if job is None:
            return JSONResponse(error_body("No such job.", "fine_tune_not_found"), 404)
        return JSONResponse(job)

    async def _list_events(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        return self._page(request, self.events[request.path_params["id"]][::-1])

    def _page(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        """Return the rows after `after`, `limit` at most, as OpenAI pages: newest first."""
        limit = int(request.query_params.get("limit", 20))
        ids = [row["id"] for row in rows]
        after = request.query_params.get("after")
        start = ids.index(after) + 1 if after in ids else 0
        page = rows[start : start + limit]
        return JSONResponse({"object": "list", "data": page, "has_more": start + limit < len(rows)})


async def _cut_off() -> AsyncIterator[bytes]:
    yield b'{"id": "'
    raise ConnectionAbortedError("The connection breaks here.")
