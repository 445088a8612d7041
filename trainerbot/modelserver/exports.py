"""Exports that take a while: made once, in a process of their own, and kept with their model."""

import asyncio
import contextlib
import hashlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.modelserver.bases import BaseModel, Bases
from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.children import environment_of_child
from trainerbot.modelserver.records import StoredModel
from trainerbot.modelserver.store import Store

log = logging.getLogger(__name__)

Kind = Literal["safetensors", "gguf"]
KINDS: tuple[Kind, ...] = ("safetensors", "gguf")
_HALF = ".making-"
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


class _Told(msgspec.Struct):
    """A line of the process: `conversion.merging.Merged`, read without its imports."""

    progress: float
    refused: str | None = None


class _Making:
    """One export on its way."""

    def __init__(self) -> None:
        self.progress = 0.0
        self.task: asyncio.Task[None] | None = None


class Exports:
    """The folder of finished exports, and those that are being made, one at a time.

    An export is a folder that is there whole or not at all: after a kill it is
    made again when somebody asks for it again.
    """

    def __init__(self, store: Store, bases: Bases, *, data: Path) -> None:
        self._store = store
        self._bases = bases
        self._folder = data / "exports"
        self._cache = data / "converted"
        self._making: dict[str, _Making] = {}
        self._turn = asyncio.Lock()

    def sweep(self) -> None:
        """Remove what a kill left half made, and the exports of models that are gone."""
        kept = set()
        for model in self._store.models():
            base = self._bases.get(model.base_model)
            if base is not None and WEIGHTS in model.files:
                kept |= {_name(model, base, kind) for kind in KINDS}
        for folder in (self._folder, self._cache):
            for path in folder.iterdir() if folder.is_dir() else ():
                is_half = path.name.startswith(_HALF)
                if is_half or (folder == self._folder and path.name not in kept):
                    shutil.rmtree(path, ignore_errors=True)

    async def get(self, model: StoredModel, base: BaseModel, kind: Kind) -> Path | float:
        """Return the finished folder, or how much of it is made, in 0..1; begin where none is.

        Raises what ended the last try, once: the next call tries again.
        """
        name = _name(model, base, kind)
        folder = self._folder / name
        making = self._making.get(name)
        if making is None:
            if await asyncio.to_thread(folder.is_dir):
                return folder
            making = self._making[name] = _Making()
            making.task = asyncio.create_task(self._make(model, base, kind, folder, making))
        assert making.task is not None
        if not making.task.done():
            return making.progress
        del self._making[name]
        making.task.result()
        return folder

    async def forget(self, model: StoredModel, base: BaseModel | None) -> None:
        """Remove the exports of a model that was deleted."""
        if base is None or WEIGHTS not in model.files:
            return
        for kind in KINDS:
            name = _name(model, base, kind)
            making = self._making.pop(name, None)
            if making is not None and making.task is not None:
                making.task.cancel()
                await asyncio.wait([making.task])
            await asyncio.to_thread(shutil.rmtree, self._folder / name, ignore_errors=True)

    async def close(self) -> None:
        """Stop what is being made."""
        tasks = [making.task for making in self._making.values() if making.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _make(
        self, model: StoredModel, base: BaseModel, kind: Kind, folder: Path, making: _Making
    ) -> None:
        async with self._turn:
            with contextlib.ExitStack() as stack:
                adapter = await asyncio.to_thread(stack.enter_context, self._adapter(model))
                task = {
                    "kind": kind,
                    "base_kind": base.kind,
                    "base_source": base.source,
                    "architecture": base.architecture,
                    "adapter": str(adapter),
                    "cache": str(self._cache),
                    "out": str(folder),
                }
                await _run(msgspec.json.encode(task), making)
            if not await asyncio.to_thread(folder.is_dir):
                raise ProviderUnavailable(
                    "The export stopped before it was done: the model server may be out of memory "
                    "or disk. Ask for it again."
                )
        log.info("Exported %s as %s", model.id, kind)

    @contextlib.contextmanager
    def _adapter(self, model: StoredModel) -> Iterator[Path]:
        """Give a folder with the model's adapter, which stays when the model is deleted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # Beside the exports: after a kill it is swept as half of one.
        with tempfile.TemporaryDirectory(
            prefix=_HALF, dir=self._folder, ignore_cleanup_errors=True
        ) as name:
            for file in (CONFIG, WEIGHTS):
                try:
                    with disk_full_in_words():
                        shutil.copyfile(
                            self._store.blobs.path(model.files[file]), Path(name) / file
                        )
                except FileNotFoundError as error:
                    raise InvalidInput("The model was deleted before it was exported.") from error
            yield Path(name)


async def _run(task: bytes, making: _Making) -> None:
    """Merge in a process of its own. Raises InvalidInput with its sentence."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "trainerbot.modelserver.conversion.merging",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment_of_child(OMP_NUM_THREADS="1", TQDM_DISABLE="1"),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(ConnectionError):
            process.stdin.write(task)
            await process.stdin.drain()
        process.stdin.close()
        decode = msgspec.json.Decoder(_Told).decode
        async for line in process.stdout:
            told = decode(line)
            if told.refused is not None:
                raise InvalidInput(told.refused)
            making.progress = told.progress
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


def _name(model: StoredModel, base: BaseModel, kind: Kind) -> str:
    """Return the folder of an export: the same weights over the same base have the same."""
    parts = (model.files[WEIGHTS], model.files[CONFIG], base.source, str(base.created), kind)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
