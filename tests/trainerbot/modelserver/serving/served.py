"""An app over a store with one finished job, without a process or a port of its own."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2

from trainerbot.modelserver.api.app import make_app
from trainerbot.modelserver.bases import Bases
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.runtimes.base import ChatRuntime
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.speech.desk import SpeechDesk
from trainerbot.modelserver.store import Store

CONFIG = {"r": 2, "lora_alpha": 4, "base_model_name_or_path": "/srv/secret/converted/abc"}
FILES: Mapping[str, bytes] = {
    "adapter_config.json": json.dumps(CONFIG).encode(),
    "adapter_model.safetensors": b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ",
    "adapter.gguf": b"GGUF of the adapter",
}


def add_model(
    store: Store,
    model_id: str = "ft:tiny:supervised::1",
    *,
    base: str = "tiny",
    method: str = "supervised",
    files: Mapping[str, bytes] = FILES,
    checkpoint: int | None = None,
) -> str:
    """Store a job that succeeded with this model, and return the job's id."""
    training = store.add_file(store.blobs.write(b"{}"), filename="t.jsonl", purpose="fine-tune")
    job = store.add_job(
        model=base,
        method=method,
        hyperparameters={"n_neighbors": 1},
        seed=1,
        training_file=training.id,
        validation_file=None,
        suffix=None,
        metadata=None,
    )
    store.advance_job(job.id, "queued", was="validating_files", message="queued")
    store.advance_job(job.id, "running", was="queued", message="running")
    if checkpoint is not None:
        store.add_checkpoint(
            job.id, step=checkpoint, model_id=f"{model_id}:ckpt", files=files, metrics={}
        )
    store.finish_job(job.id, model_id=model_id, files=files, results=b"step\n", trained_tokens=1)
    return job.id


@contextlib.asynccontextmanager
async def served(
    store: Store,
    data: Path,
    bases: Bases,
    runtimes: Mapping[str, ChatRuntime],
    memory: Memory | None = None,
) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client of the app."""
    catalog = Catalog(store, bases, runtimes, memory or Memory(1000))
    app = make_app(
        store,
        catalog,
        SpeechDesk({}),
        data=data,
        api_keys=[],
        max_file_bytes=1_000_000,
        max_upload_bytes=1_000_000,
        max_audio_bytes=1_000_000,
        max_audio_s=60,
        warm_up=False,
    )
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1"
        ) as client,
    ):
        yield client
