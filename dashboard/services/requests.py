"""Long requests from Discord: kept as rows, so that they go on whatever is killed.

The bot fetches what was attached and tells how it goes. All between, from
the check of a file to the job that trains on it, the worker does alone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import (
    DatasetImport,
    DatasetVersion,
    DiscordRequest,
    FineTuneJob,
    Provenance,
    Task,
)
from dashboard.services import evaluations, imports, jobs, people, storage, tasks
from dashboard.services.access import Person, Role
from dashboard.services.imports import DatasetRefused
from dashboard.services.jobs import AskedOnDiscord
from dashboard.services.tasks import Later, Run
from trainerbot.errors import Conflict, TrainerBotError
from trainerbot.llm import ModelInfo

log = logging.getLogger(__name__)

Kind = DiscordRequest.Kind
State = DatasetImport.State
KIND: Final = "discord-request"
LOOK_EVERY_S: Final = 0.5
DATABASE_WAIT_S: Final = 5.0
KEPT_FOR: Final = timedelta(days=2)
UNFORESEEN: Final = "It broke in a way that was not foreseen; see the log."


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked, where, and the message of ours that tells them how it goes."""

    person: Person
    guild_id: int | None
    channel_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A request as it is now. task: what works on its import at the moment, if anything does."""

    request: DiscordRequest
    task: Task | None


@transaction.atomic
def begin_import(
    kind: str,
    *,
    asked: Asked,
    filename: str,
    n_bytes: int,
    name: str,
    label: str = "",
    url: str = "",
) -> DiscordRequest:
    """Expect a file of `n_bytes` for the dataset `name`, to be trained on if `kind` says so.

    label: of texts that have none. url: where the file lies with Discord.
    Raises InvalidInput for a file or name that cannot be taken.
    """
    imported = imports.begin_upload(
        filename=filename,
        n_bytes=n_bytes,
        created_by=None,
        name=name,
        options={"label": label} if label else None,
    )
    return _keep(kind, asked, imported=imported, url=url)


@transaction.atomic
def received(request: DiscordRequest) -> None:
    """Let the worker go on with a request all of whose bytes are here. May be called again."""
    tasks.submit(KIND, args={"request": request.pk}, key=f"{KIND}:{request.pk}", max_attempts=8)


def begin_training(version: DatasetVersion, *, asked: Asked) -> DiscordRequest:
    """Keep that somebody wants a version trained on; `train` does it."""
    return _keep(Kind.TRAIN, asked, version=version)


def train(request: DiscordRequest, *, offered: Sequence[ModelInfo] | None = None) -> FineTuneJob:
    """Submit the job that was asked for, once; `offered` and errors as of `jobs.submit`."""
    # A kill may have come between the job and the end of its request.
    job = FineTuneJob.objects.filter(discord_message_id=request.discord_message_id).first()
    if job is None:
        version = request.version or (request.imported.version if request.imported else None)
        if version is None:
            raise Conflict("What was to be trained on is gone. Ask again.")
        place = request.discord_channel_id, request.discord_message_id
        job = jobs.submit(
            dataset=version.dataset,
            version=version,
            offered=offered,
            on_discord=AskedOnDiscord(_asker(request), *place),
        )
    end(request, job=job)
    return job


def begin_test(
    *, asked: Asked, version: DatasetVersion | None = None, model: str = ""
) -> DiscordRequest:
    """Queue a test of `model` on a version; without one, keep that the bot itself is testing."""
    request = _keep(Kind.TEST, asked)
    if version is not None:
        # Kept first: whatever is killed in between, somebody tells how it ended.
        try:
            request.evaluation = evaluations.submit(
                version=version, model=model, asked_by=asked.person
            )
        except Exception:
            request.delete()
            raise
        request.save(update_fields=["evaluation"])
    return request


def look(pk: int) -> Standing:
    """How a request stands."""
    request = DiscordRequest.objects.select_related(
        "discord_user",
        "imported__version__dataset",
        "version__dataset",
        "evaluation__task",
        "evaluation__version__dataset",
        "job",
    ).get(pk=pk)
    task = None
    if request.imported is not None:
        task = imports.tasks_of(request.imported).unfinished().order_by("pk").first()
    return Standing(request, task)


def end(request: DiscordRequest, **outcome: Any) -> bool:
    """Bring a request to its end, with what came of it; False if it had ended before."""
    open_one = DiscordRequest.objects.filter(pk=request.pk, ended_at=None)
    ended = open_one.update(ended_at=now(), url="", **outcome)
    request.refresh_from_db()
    return bool(ended)


def drop(request: DiscordRequest) -> None:
    """Take back the import of a request, unless it has come to its end by itself."""
    imported = request.imported
    if imported is None:
        return
    imported.refresh_from_db()
    if not imported.is_over:
        imports.cancel(imported, actor=None, name=request.asker_name)


def untold() -> list[DiscordRequest]:
    """The requests whose messages do not say the end yet, oldest first."""
    return list(DiscordRequest.objects.untold())


def told(request_id: int) -> None:
    """Note that a request's message says how it ended."""
    DiscordRequest.objects.filter(pk=request_id).tell()


def prune() -> int:
    """Forget requests that were told two days ago."""
    deleted, _ = DiscordRequest.objects.filter(told_at__lt=now() - KEPT_FOR).delete()
    return deleted


# --- What the worker does ---------------------------------------------------------
@tasks.handler(KIND)
def go_on(run: Run) -> Later | dict[str, Any]:
    """Bring a request one step further; called again until it has ended."""
    request = look(run.args["request"]).request
    try:
        with storage.failures_in_words():
            while not request.has_ended and _advance(request):
                request = look(request.pk).request
    except (tasks.LeaseLost, tasks.Cancelled):
        raise
    except storage.DatabaseUnavailable as error:
        log.warning("%s waits for the database: %s", request, error.__cause__)
        return Later(DATABASE_WAIT_S)
    except TrainerBotError as error:
        end(request, error=str(error))
    except Exception:
        end(request, error=UNFORESEEN)
        raise
    return {"error": request.error} if request.has_ended else Later(LOOK_EVERY_S)


def _advance(request: DiscordRequest) -> bool:
    """Take the next step, if one can be taken now."""
    imported = request.imported
    if imported is None:
        raise Conflict("What was given is gone. Ask again.")
    match imported.state:
        case State.CHECKED:
            _store(request, imported)
        case State.IMPORTED if request.kind == Kind.TRAIN:
            train(request)
        case State.IMPORTED:
            end(request)
        case State.FAILED:
            end(request, error=imported.error)
        case State.CANCELLED:
            end(request, error=f"The import of {imported.filename} was cancelled.")
        case _:
            return False
    return True


def _store(request: DiscordRequest, imported: DatasetImport) -> None:
    """Let the rows of a sound file be stored; a faulty one leaves nothing."""
    try:
        imports.start_import(
            imported,
            name=imported.name,
            actor=None,
            source=Provenance.Source.DISCORD_COMMAND,
            author=request.asker_name,
            reference=imported.filename,
            freeze=request.kind == Kind.TRAIN,
        )
    except DatasetRefused:
        with transaction.atomic():
            imports.cancel(imported, actor=None, name=request.asker_name)
            end(request, is_faulty=True)
    except TrainerBotError:
        drop(request)
        raise


def _keep(kind: str, asked: Asked, **of_it: Any) -> DiscordRequest:
    return DiscordRequest.objects.create(
        kind=kind,
        discord_user=people.on_discord(asked.person),
        asker_name=asked.person.name[:150],
        discord_guild_id=asked.guild_id,
        discord_channel_id=asked.channel_id,
        discord_message_id=asked.message_id,
        **of_it,
    )


def _asker(request: DiscordRequest) -> Person:
    """Who asked, as far as a job needs it: they were let in when they asked."""
    user = request.discord_user
    return Person(
        role=Role.TRAINER,
        name=request.asker_name,
        discord_user_id=user.discord_user_id if user else None,
    )
