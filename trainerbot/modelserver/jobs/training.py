"""One job's training, from its turn to the tuned model."""

import asyncio
import contextlib
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec

from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.database import new_id
from trainerbot.modelserver.examples import TUNED
from trainerbot.modelserver.jobs.checking import path_of
from trainerbot.modelserver.jobs.child import Killed, run_trainer
from trainerbot.modelserver.jobs.failures import JobFailed
from trainerbot.modelserver.jobs.index_ending import count_tokens, evaluate_index
from trainerbot.modelserver.jobs.table import results_csv
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.trainers.knn import DEFINITION
from trainerbot.modelserver.trainers.methods import METHODS
from trainerbot.modelserver.trainers.task import (
    PAUSE,
    Done,
    Estimate,
    Paused,
    Plan,
    Refused,
    Saved,
    Step,
    Task,
    Told,
)

log = logging.getLogger(__name__)

# A trainer that is killed so often without getting any further never will.
_MAX_KILLED = 3


class Training:
    """Trains, measures, and stores what came of it.

    A job's folder under `work` lives as long as the job, through pauses and
    restarts. What other formats are converted to is kept under `cache`.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        *,
        work: Path,
        cache: Path,
        n_processes: int,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._work = work
        self._cache = cache
        self._n_processes = n_processes

    def ask_to_pause(self, job_id: str) -> None:
        """Let the job's trainer stop after its next step, with a checkpoint. Waits for the disk."""
        # Without its folder nothing of the job runs.
        with contextlib.suppress(FileNotFoundError):
            (self._work / job_id / PAUSE).touch()

    def tidy(self) -> None:
        """Remove the folders of jobs that are over. Waits for the disk."""
        if not self._work.exists():
            return
        unfinished = self._store.unfinished_jobs()
        for folder in self._work.iterdir():
            if folder.name not in unfinished:
                shutil.rmtree(folder, ignore_errors=True)

    async def run(self, job: StoredJob) -> None:
        """Train the job to its end, or to its pause. Raises JobFailed. Cancelled, it stops at once."""
        store, record = self._store, self._store.record
        work = self._work / job.id
        # Before the job is seen to run: a pause that is asked for later counts.
        await asyncio.to_thread(_empty_of_pause, work)
        await asyncio.to_thread(
            store.advance_job,
            job.id,
            "running",
            was="queued",
            message="Fine-tuning job started",
        )
        if (await asyncio.to_thread(store.job, job.id)).status != "running":
            return  # cancelled or paused between its turn and now
        definition = DEFINITION if job.method == "knn" else METHODS[job.method].notes
        await asyncio.to_thread(record, job.id, "method", definition)
        n_killed, n_steps = 0, 0
        while True:
            task = await asyncio.to_thread(self._task, job, work)
            n_killed = n_killed + 1 if task.done_steps == n_steps else 1
            n_steps = task.done_steps
            try:
                ended = await self._follow(job, task)
            except Killed as error:
                if n_killed >= _MAX_KILLED:
                    raise JobFailed(
                        "The training process was killed again and again, most likely because "
                        "this machine ran out of memory. Choose a smaller batch_size, "
                        "max_tokens_per_example or base model, and start the job again.",
                        code="out_of_memory",
                    ) from error
                log.warning("The trainer of job %s was killed", job.id)
                await asyncio.to_thread(
                    record,
                    job.id,
                    new_id("killed:"),
                    "The training process was killed; going on from where it last saved",
                    level="warn",
                )
                continue
            break
        if ended is not None:
            await self._finish(job, work, *ended)

    def _task(self, job: StoredJob, work: Path) -> Task:
        validation_path = None
        if job.validation_file is not None:
            validation_path = self._pinned(job.validation_file, "validation_file", work)
        # As they are by now: a trainer may have told more before it was killed.
        metrics = self._store.metrics(job.id)
        stored = self._store.checkpoints(job.id, limit=100).rows
        base = self._catalog.bases.get(job.model)
        if base is None and METHODS[job.method].changes_weights:
            raise JobFailed(
                f"The base model {job.model} is not on this server any more. Start it with that "
                "model, or choose another.",
                code="model_not_available",
                param="model",
            )
        return Task(
            method=job.method,
            training_path=self._pinned(job.training_file, "training_file", work),
            validation_path=validation_path,
            work=str(work),
            hyperparameters=self._store.job(job.id).hyperparameters,
            seed=job.seed,
            done_steps=max((m["step"] for m in metrics), default=0),
            base=base,
            done_checkpoints=[checkpoint.step for checkpoint in stored],
            cache=str(self._cache),
            n_processes=self._n_processes,
        )

    def _pinned(self, file_id: str, param: str, work: Path) -> str:
        """Return a path to the file's content that stays, also when the file is deleted."""
        pinned = work / param
        if pinned.exists():
            return str(pinned)
        path, draft = path_of(self._store, file_id, param), work / f"{param}.draft"
        with disk_full_in_words():
            draft.unlink(missing_ok=True)
            try:
                os.link(path, draft)
            except OSError:
                shutil.copyfile(path, draft)  # not every file system has links
            os.replace(draft, pinned)
        return str(pinned)

    async def _follow(self, job: StoredJob, task: Task) -> tuple[Plan, Done] | None:
        """Store what the trainer tells, to its end; None when it paused. Raises Killed."""
        store = self._store
        plan: Plan | None = None
        async with contextlib.aclosing(run_trainer(task)) as reports:
            async for report in reports:
                match report:
                    case Plan():
                        plan = report
                        await asyncio.to_thread(
                            store.choose_hyperparameters, job.id, plan.hyperparameters
                        )
                    case Told():
                        await asyncio.to_thread(self._told, job, report)
                    case Step():
                        await asyncio.to_thread(self._stepped, job, report)
                    case Saved():
                        await asyncio.to_thread(self._saved, job, report)
                    case Estimate():
                        await asyncio.to_thread(store.estimate_finish, job.id, report.finish)
                    case Paused():
                        return None
                    case Refused():
                        raise JobFailed(report.message, code=report.code, param=report.param)
                    case Done():
                        assert plan is not None
                        return plan, report
        raise Killed

    def _told(self, job: StoredJob, told: Told) -> None:
        metrics = None
        if told.figures is not None:
            metrics = {**self._store.metrics(job.id)[-1], **told.figures}
        self._store.record(job.id, told.key, told.message, level=told.level, metrics=metrics)

    def _stepped(self, job: StoredJob, step: Step) -> None:
        message = f"Step {step.step}/{step.total_steps}: training loss={step.train_loss:.2f}"
        if step.valid_loss is not None:
            message += f", validation loss={step.valid_loss:.2f}"
        if step.reward_margin is not None:
            message += f", reward margin={step.reward_margin:.2f}"
        self._store.record(job.id, f"step:{step.step}", message, metrics=_measured(job, step))

    def _saved(self, job: StoredJob, saved: Saved) -> None:
        folder = Path(saved.folder)
        self._store.add_checkpoint(
            job.id,
            step=saved.metrics.step,
            model_id=f"{_model_id(job)}:ckpt-step-{saved.metrics.step}",
            files=_files(folder),
            metrics=_measured(job, saved.metrics),
        )
        shutil.rmtree(folder, ignore_errors=True)

    async def _finish(self, job: StoredJob, work: Path, plan: Plan, done: Done) -> None:
        tokens = done.trained_tokens
        if done.folder is not None:
            files = await asyncio.to_thread(_files, Path(done.folder))
        else:
            await evaluate_index(self._store, self._catalog, job, plan.hyperparameters, work)
            tokens = await count_tokens(self._catalog, job, work)
            files = {TUNED: work / TUNED}
        table = results_csv(await asyncio.to_thread(self._store.metrics, job.id))
        await asyncio.to_thread(
            lambda: self._store.finish_job(
                job.id,
                model_id=_model_id(job),
                files=files,
                results=table,
                trained_tokens=tokens,
                result=done.result,
            )
        )
        log.info("Job %s made %s", job.id, _model_id(job))


def _empty_of_pause(work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    (work / PAUSE).unlink(missing_ok=True)


def _model_id(job: StoredJob) -> str:
    """Return the id of the model that the job makes: the same one when it starts over."""
    base = job.model.removeprefix("ft:").split(":")[0]
    return f"ft:{base}:{job.method}:{job.suffix or ''}:{job.id[-8:]}"


def _measured(job: StoredJob, step: Step) -> dict[str, Any]:
    """Return a step as the data of an event."""
    data = {name: value for name, value in msgspec.to_builtins(step).items() if name != "type"}
    if METHODS[job.method].changes_weights and step.valid_loss is not None:
        # Ours is measured on all held-out examples, which OpenAI tells apart.
        data["full_valid_loss"] = step.valid_loss
        data["full_valid_mean_token_accuracy"] = step.valid_mean_token_accuracy
    return data


def _files(folder: Path) -> dict[str, bytes | Path]:
    return {path.name: path for path in sorted(folder.iterdir())}
