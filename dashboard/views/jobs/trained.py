"""What a job made: its checkpoints to try, its files to take along."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.models import FineTuneJob
from dashboard.services import jobs, tuned_models
from dashboard.services.access import Permission
from dashboard.services.tuned_models import Form
from dashboard.views.doors import reader, requires
from trainerbot.errors import Conflict, ProviderRefused
from trainerbot.finetune import Download, NotOffered, Preparing, RemoteCheckpoint

# What is shown of a checkpoint, the first that it has of each pair.
LOSSES = ("train_loss", "eval_loss")
HELD_OUT_LOSSES = ("full_valid_loss", "valid_loss")
ACCURACIES = ("full_valid_mean_token_accuracy", "valid_mean_token_accuracy")
REWARDS = ("valid_reward_accuracy", "reward_accuracy")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One row of the table; figures are None where they were not measured."""

    id: str
    model: str
    step: int
    made_at: datetime | None
    loss: float | None
    held_out_loss: float | None
    accuracy: float | None
    reward: float | None


@dataclass(frozen=True, slots=True)
class File:
    """A form of the model, and how it stands: told when asked, ready, being made, or why not."""

    form: Form
    filename: str = ""
    n_bytes: int | None = None
    percent: int | None = None
    problem: str = ""


@require_GET
@requires(Permission.VIEW)
def checkpoints(request: HttpRequest, pk: int) -> HttpResponse:
    """The models that a job kept on its way. Asks the endpoint."""
    job = jobs.get(pk)
    after = request.GET.get("after", "")
    context: dict[str, object] = {"job": job, "topic": jobs.topic(job), "after": after}
    try:
        found, more = tuned_models.checkpoints(job, after=after)
    except NotOffered as error:
        context["problem"] = str(error)
    else:
        rows = [_checkpoint(each) for each in found]
        context |= {
            "checkpoints": rows,
            "older": found[-1].id if more and found else "",
            "has_rewards": any(row.reward is not None for row in rows),
        }
    return render(request, "dashboard/jobs/_checkpoints.html", context)


@require_GET
@requires(Permission.TRAIN)
def files(request: HttpRequest, pk: int) -> HttpResponse:
    """What can be taken along, with names and sizes. Asks the endpoint."""
    job = jobs.get(pk)
    context: dict[str, object] = {"job": job, "topic": jobs.topic(job)}
    if job.fine_tuned_model:
        try:
            context["files"] = [_at_first(job, form) for form in tuned_models.FORMS]
        except (NotOffered, Conflict) as error:
            context["problem"] = str(error)
    return render(request, "dashboard/jobs/_files.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.TRAIN)
def file(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """One form of a job's model: begun with POST, looked at with GET. Asks the endpoint."""
    job, wanted = jobs.get(pk), tuned_models.form(form)
    try:
        if request.method == "POST":
            found = tuned_models.prepare(job, wanted, actor=reader(request))
        else:
            found = tuned_models.look(job, wanted)
    except ProviderRefused as error:
        shown = File(wanted, problem=str(error))
    else:
        shown = _file(wanted, found)
    return render(request, "dashboard/jobs/_file.html", {"job": job, "file": shown})


@require_GET
@requires(Permission.TRAIN)
def download(request: HttpRequest, pk: int, form: str) -> HttpResponseBase:
    """The file itself, a piece at a time from the endpoint to the browser."""
    job, wanted = jobs.get(pk), tuned_models.form(form)
    opened = tuned_models.take(
        job, wanted, actor=reader(request), checkpoint=request.GET.get("checkpoint", "")
    )
    if isinstance(opened, Preparing):
        # It went away since it was made ready; the page shows how it is made again.
        return redirect("job-detail", pk=job.pk)
    response = StreamingHttpResponse(Sending(opened), content_type="application/octet-stream")
    if opened.n_bytes is not None:
        response["Content-Length"] = str(opened.n_bytes)
    response["Content-Disposition"] = content_disposition_header(True, opened.filename)
    response["X-Content-Type-Options"] = "nosniff"
    return response


class Sending:
    """A download as what Django sends: read in a thread, and closed however it ends."""

    def __init__(self, opened: Download) -> None:
        self._opened = opened

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while piece := await sync_to_async(self._piece)():
                yield piece
        finally:
            await sync_to_async(self.close)()

    def _piece(self) -> bytes:
        return next(self._opened.pieces, b"")

    def close(self) -> None:
        """Called by Django also for a response that nobody began to read."""
        self._opened.close()


def _at_first(job: FineTuneJob, form: Form) -> File:
    """What is made for the asking is asked for; what takes work waits for a person to want it."""
    if form.merges:
        return File(form)
    try:
        return _file(form, tuned_models.look(job, form))
    except NotOffered:
        raise
    except ProviderRefused as error:
        return File(form, problem=str(error))


def _file(form: Form, found: Download | Preparing) -> File:
    if isinstance(found, Preparing):
        return File(form, percent=round(100 * found.progress))
    return File(form, filename=found.filename, n_bytes=found.n_bytes)


def _checkpoint(row: RemoteCheckpoint) -> Checkpoint:
    def first(names: tuple[str, ...]) -> float | None:
        return next((row.metrics[name] for name in names if name in row.metrics), None)

    try:
        made_at = datetime.fromtimestamp(row.created_at, UTC) if row.created_at else None
    except (ValueError, OverflowError, OSError):
        made_at = None
    return Checkpoint(
        id=row.id,
        model=row.model,
        step=row.step,
        made_at=made_at,
        loss=first(LOSSES),
        held_out_loss=first(HELD_OUT_LOSSES),
        accuracy=first(ACCURACIES),
        reward=first(REWARDS),
    )
