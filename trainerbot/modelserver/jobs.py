"""Works off the fine-tuning jobs: checks files, trains in a process of its own, evaluates.

The store is the truth. A job that was running when the server died starts
over here, and what it tells a second time is not stored twice.
"""

import asyncio
import contextlib
import csv
import io
import logging
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import TypeVar

import msgspec

import trainerbot
from trainerbot.errors import NotFound, TrainerBotError
from trainerbot.formats import check_chat_jsonl
from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.evaluation import Compared, compare
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.runtimes.knn import KnnModel
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.trainers.knn import DEFINITION, MIN_EXAMPLES
from trainerbot.modelserver.trainers.task import (
    TUNED,
    Done,
    Plan,
    Refused,
    Report,
    Step,
    Task,
    read_examples,
)

log = logging.getLogger(__name__)

Result = TypeVar("Result")
_MAX_COUNTED_BYTES = 4 * 1024 * 1024


class JobFailed(TrainerBotError):
    """The job ends as failed, with OpenAI's `code` and the parameter at fault."""

    def __init__(self, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class JobRunner:
    """Checks any number of jobs, trains one at a time, oldest first."""

    def __init__(self, store: Store, catalog: Catalog, *, work: Path, max_file_bytes: int) -> None:
        self._store = store
        self._catalog = catalog
        self._work = work
        self._max_file_bytes = max_file_bytes
        self._to_check = asyncio.Event()
        self._to_train = asyncio.Event()
        self._current: tuple[str, asyncio.Task[None]] | None = None

    def wake(self) -> None:
        """Look for new jobs now."""
        self._to_check.set()

    def drop(self, job_id: str) -> None:
        """Stop working on a job that was just cancelled in the store."""
        if self._current is not None and self._current[0] == job_id:
            self._current[1].cancel()

    async def run(self) -> None:
        """Work until cancelled."""
        self._to_check.set()
        self._to_train.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._checking())
            group.create_task(self._training())

    async def _checking(self) -> None:
        while True:
            self._to_check.clear()
            while job := await self._read(lambda: self._store.oldest_job(["validating_files"])):
                await self._guarded(job, self._check(job))
                self._to_train.set()
            await self._to_check.wait()

    async def _training(self) -> None:
        while True:
            self._to_train.clear()
            # One that was running when the server died comes before the queue.
            while job := await self._read(
                lambda: self._store.oldest_job(["running"]) or self._store.oldest_job(["queued"])
            ):
                task = asyncio.create_task(self._guarded(job, self._train(job)))
                self._current = (job.id, task)
                try:
                    await asyncio.wait([task])
                finally:
                    self._current = None
                    # Reached by cancellation only when the whole server stops.
                    task.cancel()
                    await asyncio.wait([task])
            await self._to_train.wait()

    async def _read(self, read: Callable[[], Result]) -> Result:
        return await asyncio.to_thread(read)

    async def _guarded(self, job: StoredJob, work: Coroutine[None, None, None]) -> None:
        """Do the work; whatever goes wrong ends the job in words, and never this runner."""
        try:
            await work
        except JobFailed as error:
            await self._fail(job, str(error), code=error.code, param=error.param)
        except TrainerBotError as error:
            await self._fail(job, str(error), code="server_error")
        except Exception:
            log.exception("Job %s failed", job.id)
            message = "The job failed due to an internal error. Please try again later."
            await self._fail(job, message, code="server_error")

    async def _fail(
        self, job: StoredJob, message: str, *, code: str, param: str | None = None
    ) -> None:
        log.warning("Job %s failed: %s", job.id, message)
        try:
            await asyncio.to_thread(
                self._store.fail_job, job.id, code=code, message=message, param=param
            )
        except TrainerBotError:
            # A full disk takes not even this row. Waiting keeps the runner
            # from spinning; the job is tried again afterwards.
            log.exception("The failure of job %s could not be stored", job.id)
            await asyncio.sleep(10)

    # --- checking -------------------------------------------------------------

    async def _check(self, job: StoredJob) -> None:
        named = f"Validating training file: {job.training_file}"
        if job.validation_file is not None:
            named += f" and validation file: {job.validation_file}"
        await asyncio.to_thread(self._store.record, job.id, "validating", named)
        await asyncio.to_thread(self._check_file, job.training_file, "training_file")
        if job.validation_file is not None:
            await asyncio.to_thread(self._check_file, job.validation_file, "validation_file")
        await asyncio.to_thread(
            self._store.advance_job,
            job.id,
            "queued",
            was="validating_files",
            message="Files validated, moving job to queued state",
        )

    def _check_file(self, file_id: str, param: str) -> None:
        path = self._path(file_id, param)
        report = check_chat_jsonl(
            path,
            max_bytes=self._max_file_bytes,
            min_examples=MIN_EXAMPLES if param == "training_file" else 1,
        )
        problem = report.first_error
        if problem is None:
            return
        if problem.code == "invalid_n_examples":
            raise JobFailed(problem.message, code=problem.code, param=param)
        kind = param.replace("_", " ")
        raise JobFailed(
            f"The job failed due to an invalid {kind}. {problem.message}",
            code=f"invalid_{param}",
            param=param,
        )

    def _path(self, file_id: str, param: str) -> Path:
        try:
            return self._store.blobs.path(self._store.file(file_id).sha256)
        except NotFound as error:
            raise JobFailed(
                f"The {param.replace('_', ' ')} {file_id} was deleted before the job ran.",
                code=f"invalid_{param}",
                param=param,
            ) from error

    # --- training -------------------------------------------------------------

    async def _train(self, job: StoredJob) -> None:
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
            async with contextlib.aclosing(_run_trainer(task)) as reports:
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
        path, pinned = self._path(file_id, param), work / param
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
        questions = await self._read(lambda: read_examples(str(work / "questions.jsonl")))
        if not questions:
            return
        tuned = await self._read(
            lambda: KnnModel(
                read_examples(str(work / "held_in.jsonl")),
                n_neighbors=plan.hyperparameters["n_neighbors"],
            )
        )
        compared: list[Compared] = []
        comparison = compare(
            tuned,
            self._catalog.runtime,
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
            examples = await self._read(lambda: read_examples(str(work / TUNED)))
            text = "\n".join(f"{e.question}\n{e.answer}" for e in examples)
            tokens = await self._catalog.runtime.count_tokens(text)
        table = _csv(await asyncio.to_thread(self._store.metrics, job.id))
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


async def _run_trainer(task: Task) -> AsyncGenerator[Report, None]:
    """Yield what the trainer's process reports; kill it when nobody listens any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "trainerbot.modelserver.trainers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(trainerbot.__path__[0]).parent),
            # Pools of threads that sparse matrices never use cost time and memory.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(task))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        process.stdin.close()
        decode = msgspec.json.Decoder(Report).decode
        async for line in process.stdout:
            yield decode(line)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


def _csv(metrics: list[dict[str, float | None]]) -> bytes:
    """Return the result file as OpenAI makes it: a row a step, empty cells for what is not known."""
    names = {
        "step": "step",
        "train_loss": "train_loss",
        "train_accuracy": "train_mean_token_accuracy",
        "valid_loss": "valid_loss",
        "valid_mean_token_accuracy": "valid_mean_token_accuracy",
    }
    by_step = {row["step"]: row for row in metrics}  # the evaluation repeats the last step
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in by_step.values():
        values = [row[source] for source in names.values()]
        writer.writerow(["" if value is None else value for value in values])
    return text.getvalue().encode()
