"""One job's training, from its turn to the tuned model."""

import asyncio
import contextlib
import logging
import os
import shutil
from pathlib import Path

import msgspec

from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.evaluation import Compared, compare
from trainerbot.modelserver.jobs.checking import path_of
from trainerbot.modelserver.jobs.child import run_trainer
from trainerbot.modelserver.jobs.failures import JobFailed
from trainerbot.modelserver.jobs.table import results_csv
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.runtimes.knn import KnnModel
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.trainers.knn import DEFINITION
from trainerbot.modelserver.trainers.task import (
    TUNED,
    Done,
    Plan,
    Refused,
    Step,
    Task,
    read_examples,
)

log = logging.getLogger(__name__)

_MAX_COUNTED_BYTES = 4 * 1024 * 1024


class Training:
    """Trains, measures, and stores what came of it."""

    def __init__(self, store: Store, catalog: Catalog, *, work: Path) -> None:
        self._store = store
        self._catalog = catalog
        self._work = work

    async def run(self, job: StoredJob) -> None:
        """Train the job to its end. Raises JobFailed. Cancelled, it stops at once."""
        store, record = self._store, self._store.record
        await asyncio.to_thread(
            store.advance_job,
            job.id,
            "running",
            was="queued",
            message="Fine-tuning job started",
        )
        if (await asyncio.to_thread(store.job, job.id)).status != "running":
            return  # cancelled between its turn and now
        await asyncio.to_thread(record, job.id, "method", DEFINITION)
        metrics = await asyncio.to_thread(store.metrics, job.id)
        work = self._work / job.id
        try:
            task = await asyncio.to_thread(
                self._task, job, work, max((m["step"] for m in metrics), default=0)
            )
            plan, done = None, False
            async with contextlib.aclosing(run_trainer(task)) as reports:
                async for report in reports:
                    match report:
                        case Plan():
                            plan = report
                            await self._planned(job, plan)
                        case Step():
                            await self._stepped(job, report)
                        case Refused():
                            raise JobFailed(report.message, code=report.code, param=report.param)
                        case Done():
                            done = True
            if plan is None or not done:
                raise JobFailed(
                    "The training process stopped before it was done. Start the job again.",
                    code="server_error",
                )
            await self._evaluate(job, plan, work)
            await self._finish(job, work)
        finally:
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)

    def _task(self, job: StoredJob, work: Path, done_steps: int) -> Task:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        validation_path = None
        if job.validation_file is not None:
            validation_path = self._pinned(job.validation_file, "validation_file", work)
        return Task(
            training_path=self._pinned(job.training_file, "training_file", work),
            validation_path=validation_path,
            work=str(work),
            hyperparameters=job.hyperparameters,
            seed=job.seed,
            done_steps=done_steps,
        )

    def _pinned(self, file_id: str, param: str, work: Path) -> str:
        """Return a path to the file's content that stays, also when the file is deleted."""
        path, pinned = path_of(self._store, file_id, param), work / param
        with disk_full_in_words():
            try:
                os.link(path, pinned)
            except OSError:
                shutil.copyfile(path, pinned)  # not every file system has links
        return str(pinned)

    async def _planned(self, job: StoredJob, plan: Plan) -> None:
        await asyncio.to_thread(self._store.choose_hyperparameters, job.id, plan.hyperparameters)
        left_out = f" ({plan.n_left_out} rows have no text to learn)" if plan.n_left_out else ""
        await asyncio.to_thread(
            self._store.record,
            job.id,
            "plan",
            f"Measuring on {plan.n_valid} held-out examples with {plan.n_train} indexed"
            f"{left_out}; the served model will know all training examples",
        )

    async def _stepped(self, job: StoredJob, step: Step) -> None:
        message = f"Step {step.step}/{step.total_steps}: training loss={step.train_loss:.2f}"
        if step.valid_loss is not None:
            message += f", validation loss={step.valid_loss:.2f}"
        await asyncio.to_thread(
            self._store.record,
            job.id,
            f"step:{step.step}",
            message,
            metrics={
                name: value for name, value in msgspec.to_builtins(step).items() if name != "type"
            },
        )

    async def _evaluate(self, job: StoredJob, plan: Plan, work: Path) -> None:
        """Let the real models answer held-out questions, and add that to the last metrics."""
        questions = await asyncio.to_thread(read_examples, str(work / "questions.jsonl"))
        if not questions:
            return
        tuned = await asyncio.to_thread(
            lambda: KnnModel(
                read_examples(str(work / "held_in.jsonl")),
                n_neighbors=plan.hyperparameters["n_neighbors"],
            )
        )
        compared: list[Compared] = []
        comparison = compare(
            tuned,
            await self._catalog.runtime_of(job.model),
            questions,
            max_tokens=plan.hyperparameters["max_eval_tokens"],
            seed=job.seed % 2**31,
        )
        async with contextlib.aclosing(comparison):
            async for result in comparison:
                compared.append(result)
                await asyncio.to_thread(
                    self._store.record,
                    job.id,
                    f"eval:{len(compared)}",
                    f"Evaluated held-out question {len(compared)}/{len(questions)}: "
                    f"tuned loss={result.tuned_loss:.2f}, base loss={result.base_loss:.2f}",
                )
        n = len(compared)
        full = {
            "full_valid_loss": round(sum(c.tuned_loss for c in compared) / n, 4),
            "base_valid_loss": round(sum(c.base_loss for c in compared) / n, 4),
            "full_valid_mean_token_accuracy": round(sum(c.tuned_accuracy for c in compared) / n, 4),
            "base_valid_mean_token_accuracy": round(sum(c.base_accuracy for c in compared) / n, 4),
            "n_eval_questions": n,
        }
        last = (await asyncio.to_thread(self._store.metrics, job.id))[-1]
        await asyncio.to_thread(
            self._store.record,
            job.id,
            "evaluation",
            f"Full validation on {n} held-out questions, answered by the models themselves: "
            f"tuned loss={full['full_valid_loss']:.2f}, base loss={full['base_valid_loss']:.2f}",
            metrics={**last, **full},
        )

    async def _finish(self, job: StoredJob, work: Path) -> None:
        data = await asyncio.to_thread((work / TUNED).read_bytes)
        tokens = None
        if len(data) <= _MAX_COUNTED_BYTES:
            examples = await asyncio.to_thread(read_examples, str(work / TUNED))
            text = "\n".join(f"{e.question}\n{e.answer}" for e in examples)
            runtime = await self._catalog.runtime_of(job.model)
            tokens = await runtime.count_tokens(text)
        table = results_csv(await asyncio.to_thread(self._store.metrics, job.id))
        base = job.model.removeprefix("ft:").split(":")[0]
        # The job's own id, so that a job that starts over makes the same model.
        model_id = f"ft:{base}:{job.method}:{job.suffix or ''}:{job.id[-8:]}"
        await asyncio.to_thread(
            lambda: self._store.finish_job(
                job.id,
                model_id=model_id,
                files={TUNED: data},
                results=table,
                trained_tokens=tokens,
            )
        )
        log.info("Job %s made %s", job.id, model_id)
