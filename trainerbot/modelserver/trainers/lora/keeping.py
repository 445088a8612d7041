"""What a training keeps on the disk, so that it can go on after any death.

In the work folder: `state/checkpoint-N` to go on from (adapter, optimiser,
schedule, random numbers), whole where it has a `complete` file; `best-N`, the
adapter with the least validation loss; `models/N`, adapters to be stored as
checkpoints. Weights are safetensors, and nothing that is pickled is read.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec

from trainerbot.modelserver.blobs import sync

ADAPTER_FILES = ("adapter_model.safetensors", "adapter_config.json")
_COMPLETE = "complete"
# TRL and transformers write these beside it; the first is a pickle, and the
# rest says nothing of this job.
_UNWANTED = ("training_args.bin", "README.md", "chat_template.jinja")


class Keeper:
    """The folders of one job. `base_id` is what adapters name as their base."""

    def __init__(self, work: Path, *, base_id: str) -> None:
        self._work = work
        self._base_id = base_id
        self.state = work / "state"
        self.models = work / "models"

    def newest(self) -> Path | None:
        """Return the newest whole checkpoint; remove what a killed process left unfinished."""
        steps = {}
        for path in self.state.glob("checkpoint-*"):
            if (path / _COMPLETE).exists():
                steps[int(path.name.removeprefix("checkpoint-"))] = path
            else:
                shutil.rmtree(path)
        return steps[max(steps)] if steps else None

    def complete(self, step: int) -> None:
        """Call the checkpoint of `step` whole, and forget all older than the one before."""
        folder = self.checkpoint(step)
        for name in _UNWANTED:
            (folder / name).unlink(missing_ok=True)
        for path in folder.iterdir():
            sync(path)
        (folder / _COMPLETE).touch()
        sync(folder)
        others = [path for path in self.state.glob("checkpoint-*") if path != folder]
        others.sort(key=lambda path: int(path.name.removeprefix("checkpoint-")))
        for path in others[:-1]:
            # The mark goes first: half a folder must never look whole.
            (path / _COMPLETE).unlink(missing_ok=True)
            shutil.rmtree(path)

    def checkpoint(self, step: int) -> Path:
        """Return where the checkpoint of `step` lies."""
        return self.state / f"checkpoint-{step}"

    def keep_best(self, step: int) -> None:
        """Remember the adapter of the checkpoint of `step` as the best one so far."""
        self._copy(self.checkpoint(step), self.best(step))

    def best(self, step: int) -> Path:
        """Return where the adapter that was best at `step` lies."""
        return self._work / f"best-{step}"

    def forget_best_but(self, step: int) -> None:
        """Remove the adapters that were the best ones before `step`."""
        for path in self._work.glob("best-*"):
            if path != self.best(step):
                shutil.rmtree(path)

    def model(self, source: Path, name: str) -> Path:
        """Copy the adapter in `source` to a folder of its own, fit to be stored, and return that."""
        target = self.models / name
        self._copy(source, target)
        return target

    def unstored(self) -> set[int]:
        """Return the steps of the models that the server has not taken yet."""
        if not self.models.exists():
            return set()
        return {int(path.name) for path in self.models.iterdir() if path.name.isdecimal()}

    def _copy(self, source: Path, target: Path) -> None:
        draft = target.with_name(f"{target.name}.draft")
        for path in (draft, target):
            shutil.rmtree(path, ignore_errors=True)
        draft.mkdir(parents=True)
        weights, config = ADAPTER_FILES
        shutil.copyfile(source / weights, draft / weights)
        settings = json.loads((source / config).read_text(encoding="utf-8"))
        # PEFT writes a path of this machine, which is nobody's business.
        settings["base_model_name_or_path"] = self._base_id
        (draft / config).write_text(json.dumps(settings, indent=2, sort_keys=True), "utf-8")
        os.replace(draft, target)

    def remember(self, name: str, value: dict[str, Any]) -> None:
        """Write a small JSON file, whole or not at all."""
        draft = self._work / f"{name}.draft"
        draft.write_bytes(msgspec.json.encode(value))
        os.replace(draft, self._work / name)

    def remembered(self, name: str) -> dict[str, Any] | None:
        """Return what was written under `name`, or None."""
        path = self._work / name
        if not path.exists():
            return None
        value: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        return value
