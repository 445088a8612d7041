"""A small honest vLLM on a loopback port: its models, its two adapter routes, its chat.

Like vLLM it knows an adapter only after it was loaded from a folder that holds
PEFT's files, answers 404 for any other model, and says words of each model's own.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

KEY = "vllm-key"


class FakeVllm:
    """`adapters` are loaded now; `asked` are the bodies of its chats."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.url = ""
        self.adapters: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.is_endless = False

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self._models),
                Route("/v1/load_lora_adapter", self._load, methods=["POST"]),
                Route("/v1/unload_lora_adapter", self._unload, methods=["POST"]),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/tokenize", self._tokenize, methods=["POST"]),
            ]
        )

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {KEY}":
            return None
        return JSONResponse({"error": "Unauthorized"}, status_code=401)

    async def _models(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        rows = [{"id": "served", "root": self.base, "parent": None}]
        rows += [
            {"id": name, "root": path, "parent": "served"} for name, path in self.adapters.items()
        ]
        return JSONResponse({"object": "list", "data": rows})

    async def _load(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await request.json()
        if body["lora_name"] in self.adapters:
            return _error(400, "The lora adapter has already been loaded.")
        folder = Path(body["lora_path"])
        names = ("adapter_config.json", "adapter_model.safetensors")
        if not all([await asyncio.to_thread((folder / name).is_file) for name in names]):
            return _error(404, "No adapter found")
        self.adapters[body["lora_name"]] = body["lora_path"]
        return PlainTextResponse("Success: LoRA adapter added successfully.")

    async def _unload(self, request: Request) -> Response:
        body = await request.json()
        if self.adapters.pop(body["lora_name"], None) is None:
            return _error(404, "The lora adapter cannot be found.")
        return PlainTextResponse("Success: LoRA adapter removed successfully.")

    async def _tokenize(self, request: Request) -> Response:
        return JSONResponse({"count": len((await request.json())["prompt"].split())})

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        if body["model"] != "served" and body["model"] not in self.adapters:
            return _error(404, f"The model `{body['model']}` does not exist.")
        if any(len(message["content"]) > 1000 for message in body["messages"]):
            return _error(400, "This model's maximum context length is 100 tokens.")
        folder = self.adapters.get(body["model"])
        text = "untouched words" if folder is None else await asyncio.to_thread(_words, folder)
        return StreamingResponse(self._events(text), media_type="text/event-stream")

    async def _events(self, text: str) -> AsyncIterator[str]:
        yield _event({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
        for word in text.split():
            yield _event({"choices": [{"delta": {"content": f"{word} "}}]})
        if self.is_endless:
            await asyncio.Event().wait()
        yield _event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        yield _event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
        yield "data: [DONE]\n\n"


@contextlib.asynccontextmanager
async def running(fake: FakeVllm) -> AsyncIterator[FakeVllm]:
    """Serve it while the block runs."""
    config = uvicorn.Config(
        fake.app(), port=0, log_level="error", lifespan="off", timeout_graceful_shutdown=0
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
        await asyncio.sleep(0.005)
    host, port = server.servers[0].sockets[0].getsockname()
    fake.url = f"http://{host}:{port}/v1"
    try:
        yield fake
    finally:
        server.should_exit = True
        await serving


def _words(folder: str) -> str:
    return (Path(folder) / "adapter_model.safetensors").read_text()


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "code": status}}, status_code=status)


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"
