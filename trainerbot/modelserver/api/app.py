"""The ASGI application: routes, errors, access, and what runs beside them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import TrainerBotError
from trainerbot.modelserver.api import (
    chat,
    completions,
    embeddings,
    export,
    files,
    graders,
    jobs,
    models,
    permissions,
    speech,
    uploads,
)
from trainerbot.modelserver.api.access import Access
from trainerbot.modelserver.api.errors import HANDLERS
from trainerbot.modelserver.api.limits import Limits
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.exports import Exports
from trainerbot.modelserver.jobs import JobRunner
from trainerbot.modelserver.runtimes.base import ChatRuntime
from trainerbot.modelserver.speech.desk import SpeechDesk
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.sweeping import keep_sweeping

log = logging.getLogger(__name__)


def make_app(
    store: Store,
    catalog: Catalog,
    desk: SpeechDesk,
    *,
    data: Path,
    api_keys: Sequence[str],
    limits: Limits | None = None,
    max_file_bytes: int,
    max_upload_bytes: int,
    max_audio_bytes: int,
    max_audio_s: float,
    warm_up: bool,
    embeddings_as_numbers: bool = False,
    train_processes: int = 0,
) -> Starlette:
    """Return the application. Its lifespan runs the jobs and closes the models and speech."""
    exports = Exports(store, catalog.bases, data=data)
    runner = JobRunner(
        store,
        catalog,
        data=data,
        max_file_bytes=max_file_bytes,
        n_processes=train_processes,
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(exports.sweep)
        app.state.jobs = asyncio.create_task(runner.run(), name="job runner")
        beside = [app.state.jobs, asyncio.create_task(keep_sweeping(store), name="sweeper")]
        for task in beside:
            task.add_done_callback(tell_of_death)
        if warm_up:
            beside.append(asyncio.create_task(_warm_up(catalog.runtime)))
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await desk.close()
            await exports.close()
            await catalog.close()

    def healthz(request: Request) -> Response:
        base = catalog.bases.default
        works = not request.app.state.jobs.done()
        return JSONResponse(
            {
                "status": "ok" if works else "jobs stopped",
                "model": None if base is None else base.id,
                "model_state": catalog.runtime.state,
                "active_jobs": store.n_active_jobs(),
            },
            status_code=200 if works else 503,
        )

    handlers: dict[Any, Any] = dict(HANDLERS)
    app = Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            *files.routes(store, max_file_bytes=max_file_bytes),
            *uploads.routes(store, max_upload_bytes=max_upload_bytes),
            *jobs.routes(store, catalog, runner),
            *permissions.routes(store),
            *graders.routes(),
            *models.routes(store, catalog, exports),
            *export.routes(store, catalog.bases, exports),
            *chat.routes(catalog, store),
            *completions.routes(store),
            *embeddings.routes(catalog, as_numbers=embeddings_as_numbers),
            *speech.routes(desk, max_file_bytes=max_audio_bytes, most_s=max_audio_s),
        ],
        middleware=[Middleware(Access, keys=api_keys, limits=limits or Limits())],
        exception_handlers=handlers,
        lifespan=lifespan,
    )
    # As at OpenAI: an address with a slash too many is none.
    app.router.redirect_slashes = False
    return app


async def _warm_up(runtime: ChatRuntime) -> None:
    # What is wrong is said again, to whoever asks the model something.
    with contextlib.suppress(TrainerBotError):
        await runtime.warm_up()


def tell_of_death(task: asyncio.Task[None]) -> None:
    """Log that a task died which should work as long as the server does."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("The %s died; restart the server", task.get_name(), exc_info=error)
