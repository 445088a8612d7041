"""A ChatRuntime that hands over to a vLLM server, which has the GPU.

An adapter is laid into a folder that vLLM can read, and loaded there by
POST /v1/load_lora_adapter before its first question. vLLM must be started with
--enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, on this machine or
over the same disk, and be reachable by nobody else.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.messages import ChatMessage
from trainerbot.modelserver.bases import BaseModel
from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.runtimes import asking
from trainerbot.modelserver.runtimes.base import (
    Adapter,
    Answer,
    ContextTooLong,
    Embeddings,
    EmbeddingsAbsent,
    Options,
    Overloaded,
    Start,
)

log = logging.getLogger(__name__)

_TIMEOUT_S = 120.0
_FILES = ("adapter_config.json", "adapter_model.safetensors")


class Vllm:
    """Answers for one base model by the vLLM server at `base_url` (".../v1" or without)."""

    name = "vllm"

    def __init__(
        self, base: BaseModel, *, base_url: str, api_key: str | None, adapters: Path
    ) -> None:
        self._base = base
        self._url = base_url.rstrip("/").removesuffix("/v1")
        self._key = api_key
        self._folder = adapters
        self._http: Any = None
        self._served: str | None = None
        self._loaded: set[str] = set()
        self._loading = asyncio.Lock()
        self._running: set[asyncio.Event] = set()
        self._is_stopping = False

    @property
    def state(self) -> str:
        """ "ready" once vLLM was seen to serve the base model."""
        return "not loaded" if self._served is None else "ready"

    async def warm_up(self) -> None:
        """See that vLLM serves the base model."""
        await self._name_of_base()

    async def stream(
        self, messages: Sequence[ChatMessage], options: Options, adapter: Adapter | None = None
    ) -> Answer:
        """Yield one Start, pieces, then one Finish. See ChatRuntime."""
        name = await self._name_of_base()
        if adapter is not None:
            name = await self._load(adapter)
        try:
            async with aclosing(self._answer(name, messages, options)) as answer:
                async for event in answer:
                    yield event
            return
        except _NotLoaded:
            # vLLM was started anew, or somebody unloaded it there.
            self._loaded.discard(name)
            self._served = None
        if adapter is None:
            raise self._unreachable()
        name = await self._load(adapter)
        async with aclosing(self._answer(name, messages, options)) as answer:
            async for event in answer:
                yield event

    async def forget(self, adapter_id: str) -> None:
        """Unload the adapter there, and remove its folder here."""
        name = _name(adapter_id)
        async with self._loading:
            if name in self._loaded:
                self._loaded.discard(name)
                with contextlib.suppress(ProviderUnavailable):
                    await self._post("/v1/unload_lora_adapter", {"lora_name": name})
            await asyncio.to_thread(shutil.rmtree, self._folder / name, ignore_errors=True)

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has, by vLLM's own /tokenize."""
        body = {"model": await self._name_of_base(), "prompt": text, "add_special_tokens": False}
        told = (await self._post("/tokenize", body)).json()
        return int(told["count"])

    async def embed(self, inputs: Sequence[str] | Sequence[Sequence[int]]) -> Embeddings:
        """Raise EmbeddingsAbsent: a vLLM that chats tells none."""
        raise EmbeddingsAbsent

    def interrupt(self) -> None:
        """End every answer with an error: the server stops."""
        self._is_stopping = True
        for stopped in self._running:
            stopped.set()

    async def close(self) -> None:
        """Close the connections. vLLM goes on by itself."""
        self.interrupt()
        if self._http is not None:
            await self._http.aclose()

    def _client(self) -> Any:
        if self._http is None:
            import httpx2  # imported at the first need: most servers have no vLLM

            headers = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
            # No proxy of the environment: it is on a private network.
            self._http = httpx2.AsyncClient(
                base_url=self._url, headers=headers, timeout=_TIMEOUT_S, trust_env=False
            )
        return self._http

    async def _name_of_base(self) -> str:
        """Return vLLM's name of the base model. Raises ProviderUnavailable where it has another."""
        if self._served is None:
            rows = (await self._get("/v1/models")).json().get("data", [])
            for row in rows:
                known = {row.get("id"), row.get("root")}
                if row.get("parent") is None and known & {self._base.id, self._base.source}:
                    self._served = str(row["id"])
                    break
            else:
                raise ProviderUnavailable(
                    f"The vLLM server does not serve {self._base.id}. Start it with that model, "
                    f"or with --served-model-name {self._base.id}."
                )
        return self._served

    async def _load(self, adapter: Adapter) -> str:
        """Let vLLM load the adapter, once for all who ask, and return its name there."""
        name = _name(adapter.id)
        async with self._loading:
            if name not in self._loaded:
                folder = await asyncio.to_thread(self._laid_out, adapter, name)
                body = {"lora_name": name, "lora_path": str(folder)}
                try:
                    await self._post("/v1/load_lora_adapter", body)
                except InvalidInput as error:
                    if "already" not in str(error):
                        raise ProviderUnavailable(
                            "The vLLM server could not load the adapter of this tuned model. It "
                            "must run with --enable-lora, --max-lora-rank as large as the job's "
                            "lora_rank, and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True."
                        ) from error
                self._loaded.add(name)
        return name

    def _laid_out(self, adapter: Adapter, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        with disk_full_in_words():
            for file in _FILES:
                draft = folder / f".{file}"
                shutil.copyfile(adapter.files[file], draft)
                draft.replace(folder / file)
        return folder.resolve()

    async def _answer(self, name: str, messages: Sequence[ChatMessage], options: Options) -> Answer:
        body = asking.request(messages, options, Options(), knows_tools=True)
        body["model"] = name
        if (grammar := body.pop("grammar", None)) is not None:
            body["structured_outputs"] = {"grammar": grammar}
        if bias := body.pop("logit_bias", None):
            body["logit_bias"] = {str(token): value for token, value in bias}
        chunks = self._chunks(body)
        events = asking.events(chunks, options, reads_calls=False)
        async with aclosing(chunks), aclosing(events):
            async for event in events:
                if isinstance(event, Start):
                    event = replace(event, fingerprint=self.name)
                yield event

    async def _chunks(self, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield vLLM's chunks. Raises its errors in our words."""
        import httpx2

        if self._is_stopping:
            raise self._unreachable()
        stopped = asyncio.Event()
        self._running.add(stopped)
        stopping = asyncio.ensure_future(stopped.wait())
        try:
            async with self._client().stream("POST", "/v1/chat/completions", json=body) as answer:
                if answer.status_code != 200:
                    raise self._failure(answer.status_code, await answer.aread())
                lines = answer.aiter_lines().__aiter__()
                while True:
                    line = asyncio.ensure_future(anext(lines, None))
                    await asyncio.wait({line, stopping}, return_when=asyncio.FIRST_COMPLETED)
                    if not line.done():
                        line.cancel()
                        raise self._unreachable()
                    text = line.result()
                    if text is None or text == "data: [DONE]":
                        return
                    if text.startswith("data: "):
                        chunk = msgspec.json.decode(text[len("data: ") :], type=dict[str, Any])
                        if "error" in chunk:
                            raise self._failure(500, json.dumps(chunk).encode())
                        yield chunk
        except httpx2.HTTPError as error:
            raise self._unreachable() from error
        finally:
            stopping.cancel()
            self._running.discard(stopped)

    async def _get(self, path: str) -> Any:
        return await self._asked("GET", path, None)

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        return await self._asked("POST", path, body)

    async def _asked(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        import httpx2

        try:
            answer = await self._client().request(method, path, json=body)
        except httpx2.HTTPError as error:
            raise self._unreachable() from error
        if answer.status_code != 200:
            raise self._failure(answer.status_code, answer.content)
        return answer

    def _failure(self, status: int, data: bytes) -> Exception:
        """Return vLLM's error in our words."""
        try:
            body = msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.DecodeError:
            body = {}
        error = body.get("error") if isinstance(body.get("error"), dict) else body
        message = str((error or {}).get("message", ""))
        if status == 404:
            return _NotLoaded()
        if status == 400 and "maximum context length" in message:
            return ContextTooLong(
                f"This model's maximum context length is {self._base.context_tokens} tokens or "
                "less on the vLLM server. Please reduce the length of the messages."
            )
        if status == 400:
            return InvalidInput(f"The model cannot read this request: {message[:300]}")
        if status in (429, 503):
            return Overloaded("The engine is currently overloaded, please try again later")
        log.error("vLLM answered %d: %s", status, message[:1000])
        if status in (401, 403):
            return ProviderUnavailable(
                "The vLLM server refused the key of this model server. Set VLLM_API_KEY."
            )
        return ProviderUnavailable("The language model failed on this request. Try again.")

    def _unreachable(self) -> ProviderUnavailable:
        if self._is_stopping:
            return ProviderUnavailable("The model server is stopping. Try again in a moment.")
        return ProviderUnavailable(
            f"The vLLM server that answers for {self._base.id} cannot be reached. Try again."
        )


class _NotLoaded(ProviderUnavailable):
    """vLLM knows no model of this name."""

    def __init__(self) -> None:
        super().__init__("The vLLM server does not have this model. Try again.")


def _name(adapter_id: str) -> str:
    """Return the adapter's name in vLLM and of its folder: no path can be made of it."""
    return "trainerbot-" + hashlib.sha256(adapter_id.encode()).hexdigest()[:24]
