"""The queue: any number of jobs is checked, one trains at a time, oldest first.

The store is the truth. A job that was running when the server died goes on
here, and what it tells a second time is not stored twice.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from trainerbot.errors import TrainerBotError
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.jobs.checking import check_files
from trainerbot.modelserver.jobs.failures import JobFailed
from trainerbot.modelserver.jobs.training import Training
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.trainers.methods import METHODS

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class JobRunner:
    """Checks any number of jobs, trains one at a time, oldest first."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        *,
        data: Path,
        max_file_bytes: int,
        n_processes: int = 0,
    ) -> None:
        self._store = store
        self._training = Training(
            store,
            catalog,
            work=data / "work",
            cache=data / "converted",
            n_processes=n_processes,
        )
        self._max_file_bytes = max_file_bytes
        self._to_check = asyncio.Event()
        self._to_train = asyncio.Event()
        self._current: tuple[StoredJob, asyncio.Task[None]] | None = None
        self._beside: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look for new and resumed jobs now."""
        self._to_check.set()
        self._to_train.set()

    def drop(self, job_id: str) -> None:
        """Stop working on a job that was just cancelled in the store."""
        if self._current is not None and self._current[0].id == job_id:
            self._current[1].cancel()
        else:
            self._later(self._training.tidy)

    def pause(self, job_id: str) -> None:
        """Stop working on a job that was just paused in the store; `wake` goes on with it.

        What trains weights stops after its next step, with a checkpoint. Only
        then the job is paused; until then it is pausing.
        """
        if self._current is None or self._current[0].id != job_id:
            self.wake()
            return
        job, task = self._current
        if METHODS[job.method].changes_weights:
            self._later(self._training.ask_to_pause, job_id)
        else:
            task.cancel()

    def _later(self, work: Callable[..., None], *arguments: str) -> None:
        task = asyncio.create_task(asyncio.to_thread(work, *arguments))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def run(self) -> None:
        """Work until cancelled."""
        await asyncio.to_thread(self._training.tidy)
        self._to_check.set()
        self._to_train.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._check_all())
            group.create_task(self._train_all())

    async def _check_all(self) -> None:
        while True:
            self._to_check.clear()
            while job := await self._read(lambda: self._store.oldest_job(["validating_files"])):
                await self._guarded(job, self._check(job))
                self._to_train.set()
            await self._to_check.wait()

    async def _train_all(self) -> None:
        while True:
            self._to_train.clear()
            await asyncio.to_thread(self._store.settle_pauses)
            # One that was running when the server died comes before the queue.
            while job := await self._read(
                lambda: self._store.oldest_job(["running"]) or self._store.oldest_job(["queued"])
            ):
                task = asyncio.create_task(self._guarded(job, self._training.run(job)))
                self._current = (job, task)
                try:
                    await asyncio.wait([task])
                finally:
                    self._current = None
                    # Reached by cancellation only when the whole server stops.
                    task.cancel()
                    await asyncio.wait([task])
                await asyncio.to_thread(self._store.settle_pauses)
                await asyncio.to_thread(self._training.tidy)
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

    async def _check(self, job: StoredJob) -> None:
        named = f"Validating training file: {job.training_file}"
        if job.validation_file is not None:
            named += f" and validation file: {job.validation_file}"
        await asyncio.to_thread(self._store.record, job.id, "validating", named)
        await asyncio.to_thread(check_files, self._store, job, max_bytes=self._max_file_bytes)
        await asyncio.to_thread(
            self._store.advance_job,
            job.id,
            "queued",
            was="validating_files",
            message="Files validated, moving job to queued state",
        )
