"""Fine-tune jobs: asked for, followed, cancelled. The work itself is the task `finetune`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from dashboard.models import Dataset, DatasetVersion, FineTuneJob, Task
from dashboard.services import audit, drafts, outbox, people, provenance, providers, tasks
from dashboard.services import hyperparameters as numbers
from dashboard.services.access import Person
from trainerbot.errors import (
    Conflict,
    DatasetFrozen,
    InvalidInput,
    NotFound,
    ProviderUnavailable,
)
from trainerbot.finetune import FineTuneProvider
from trainerbot.formats.rows import Kind
from trainerbot.formats.targets import TARGETS
from trainerbot.llm import ModelInfo, retiring

TOPIC = "jobs"
KIND = "finetune"
MAX_SUFFIX = 64
MAX_SEED = 2**31 - 1
# Ours, of a job that was asked to pause and whose endpoint still finishes a step.
PAUSING = "pausing"


@dataclass(frozen=True, slots=True)
class AskedOnDiscord:
    """Who asked for a job on Discord, and the message of ours that shows how it goes."""

    person: Person
    channel_id: int
    message_id: int


def topic(job: FineTuneJob) -> str:
    return f"job.{job.pk}"


def key(job: FineTuneJob) -> str:
    return f"{KIND}:{job.pk}"


def get(pk: int) -> FineTuneJob:
    found = FineTuneJob.objects.select_related("version__dataset", "discord_user")
    job = found.filter(pk=pk).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job


def base_models() -> list[ModelInfo]:
    """What the endpoint offers to start from. Asks the endpoint; raises ProviderUnavailable."""
    return providers.finetune_provider().base_models()


def methods(model: ModelInfo) -> list[str]:
    """The methods that an endpoint names for a model; OpenAI's usual one if it names none."""
    named = model.details.get("fine_tune_methods")
    return [str(method) for method in named] if isinstance(named, list) else ["supervised"]


def too_few(version: DatasetVersion) -> str:
    """What is wrong with the number of rows to train on, in a sentence; "" where nothing is known to be.

    The endpoint counts them only after the upload, and fails the job then.
    """
    least, who = _least_rows()
    n_rows = version.examples.kept(part="train" if version.split else "").count()
    if n_rows >= least:
        return ""
    of = " in its training part" if version.split else ""
    return (
        f"{version} has {n_rows} example{'' if n_rows == 1 else 's'}{of}, and {who} at least "
        f"{least}: the job would fail. Add more first."
    )


def _least_rows() -> tuple[int, str]:
    """How many rows a job needs, and who says so, with its verb; as far as an endpoint is known."""
    if providers.uses_embedded_server():
        return TARGETS["modelserver"].min_examples, "the model server needs"
    address = providers.endpoint().address
    if address == "api.openai.com":
        return TARGETS["openai"].min_examples, "OpenAI needs"
    if "azure" in address:
        return TARGETS["azure"].min_examples, "Azure needs"
    return TARGETS["openai"].min_examples, "most endpoints need"


def submit(
    *,
    dataset: Dataset,
    base_model: str = "",
    method: str = "",
    suffix: str = "",
    hyperparameters: dict[str, Any] | None = None,
    seed: int | None = None,
    created_by: User | None = None,
    version: DatasetVersion | None = None,
    offered: Sequence[ModelInfo] | None = None,
    on_discord: AskedOnDiscord | None = None,
) -> FineTuneJob:
    """Queue a fine-tune of `base_model` on the dataset's newest version (or on `version`).

    A draft is frozen first: training only ever uses what never changes.
    Without base_model or method, the endpoint's first. The same request
    while such a job is not over, be it for another version with the same
    rows, returns that job: nobody pays twice for a double click. offered:
    what `base_models` said, for whoever has asked already. Raises
    InvalidInput or NotFound in words, and ProviderUnavailable when the
    endpoint cannot be asked what it offers.
    """
    actor = on_discord.person if on_discord is not None else created_by
    version = version or dataset.latest()
    if version is None or not Dataset.objects.current().filter(pk=version.dataset_id).exists():
        raise NotFound(f"The dataset {dataset.name} was deleted. Choose another one.")
    proof = provenance.check(version)
    base = _find_base(base_model, base_models() if offered is None else offered)
    _check_calendar(base)
    ways = methods(base)
    method = method or ways[0]
    if method not in ways:
        raise InvalidInput(
            f"{base.id} cannot be trained by {method!r}. It offers: {', '.join(ways)}."
        )
    _check_kind(version, method)
    numbers.check(method, hyperparameters or {})
    suffix = suffix.strip()
    if len(suffix) > MAX_SUFFIX or not suffix.isprintable():
        raise InvalidInput(
            f"The suffix becomes part of the model's name: {MAX_SUFFIX} letters, digits and signs "
            "at most."
        )
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise InvalidInput(f"The seed is a whole number from 0 to {MAX_SEED:,}.")
    if version.is_draft:
        version = _frozen(version, actor)
        proof = provenance.check(version)
    wanted = {
        "base_model": base.id,
        "method": method,
        "suffix": suffix,
        "hyperparameters": hyperparameters or {},
        "seed": seed,
        "endpoint": providers.endpoint().name,
    }
    with transaction.atomic():
        Dataset.objects.select_for_update().get(pk=version.dataset_id)
        same_rows = Q(version__dataset=version.dataset_id, version__sha256=version.sha256)
        twins = FineTuneJob.objects.unfinished().filter(same_rows, cancel_requested=False, **wanted)
        for twin in twins.select_related("version__dataset", "discord_user").order_by("pk"):
            if twin.version.split == version.split:
                return twin
        job = FineTuneJob.objects.create(
            version=version, created_by=created_by, provenance=proof, **_place(on_discord), **wanted
        )
        tasks.submit(KIND, args={"job": job.pk}, key=key(job))
        audit.record(
            actor,
            "job.submit",
            f"job {job.pk}",
            base_model=base.id,
            method=method,
            rows=proof["rows"],
        )
        announce(job)
    return job


@transaction.atomic
def cancel(job: FineTuneJob, *, actor: User | Person | None) -> FineTuneJob:
    """Ask a job to stop; its endpoint is told at the next look. Raises Conflict when it is over."""
    moved = FineTuneJob.objects.unfinished().filter(pk=job.pk).update(cancel_requested=True)
    job.refresh_from_db()
    if not moved:
        raise Conflict(f"Job {job.pk} is over already: {job.status}.")
    Task.objects.filter(idempotency_key=key(job), state=Task.State.READY).update(run_at=now())
    audit.record(actor, "job.cancel", f"job {job.pk}")
    announce(job)
    return job


def can_pause(job: FineTuneJob) -> bool:
    """Whether a job stands so that an endpoint could pause it."""
    begun = bool(job.remote_job_id) and not job.cancel_requested
    return begun and job.status in ("queued", "running")


def can_resume(job: FineTuneJob) -> bool:
    """Whether a job stands so that an endpoint could let it go on."""
    return not job.cancel_requested and job.status in ("paused", PAUSING)


def pause(job: FineTuneJob, *, actor: User | Person | None) -> FineTuneJob:
    """Let the endpoint stop a job for a while; what it has learned is kept.

    Asks the endpoint. Raises Conflict for a job that does not run, and in
    words what the endpoint says where it does not or cannot do it.
    """
    job.refresh_from_db()
    if not can_pause(job):
        raise Conflict(_cannot(job, "paused"))
    remote = provider_of(job).pause(job.remote_job_id)
    # One that is running goes on to the end of its step.
    status = PAUSING if remote.status == "running" else remote.status
    return _moved(job, status=status, action="job.pause", actor=actor)


def resume(job: FineTuneJob, *, actor: User | Person | None) -> FineTuneJob:
    """Let a paused job go on from where it stopped. As `pause`, it asks the endpoint."""
    job.refresh_from_db()
    if not can_resume(job):
        raise Conflict(_cannot(job, "resumed"))
    remote = provider_of(job).resume(job.remote_job_id)
    return _moved(job, status=remote.status, action="job.resume", actor=actor)


def provider_of(job: FineTuneJob) -> FineTuneProvider:
    """The client of a job's endpoint. Raises ProviderUnavailable while another one is set."""
    endpoint = providers.endpoint()
    if endpoint.name != job.endpoint:
        raise ProviderUnavailable(
            f"This job belongs to the endpoint {job.endpoint}, but {endpoint.name} is set now. "
            "Set the former again to go on with it."
        )
    return providers.finetune_provider()


def announce(job: FineTuneJob) -> None:
    """Tell open pages, in the transaction of the change."""
    outbox.publish(topic(job), "job.changed", id=job.pk, status=job.status)
    outbox.publish(TOPIC, "job.changed", id=job.pk, status=job.status)


@transaction.atomic
def _moved(
    job: FineTuneJob, *, status: str, action: str, actor: User | Person | None
) -> FineTuneJob:
    """Note what an endpoint has made of a job, and let its worker look at once."""
    FineTuneJob.objects.unfinished().filter(pk=job.pk).update(status=status[:40])
    Task.objects.filter(idempotency_key=key(job), state=Task.State.READY).update(run_at=now())
    audit.record(actor, action, f"job {job.pk}")
    job.refresh_from_db()
    announce(job)
    return job


def _cannot(job: FineTuneJob, become: str) -> str:
    if job.is_finished:
        return f"Job {job.pk} is over already: {job.status}."
    if job.cancel_requested:
        return f"Job {job.pk} is asked to stop, so it cannot be {become}."
    if not job.remote_job_id:
        return f"Job {job.pk} has not reached its endpoint yet. Try again in a moment."
    return f"Job {job.pk} cannot be {become} while it is {job.status.replace('_', ' ')}."


def _place(asked: AskedOnDiscord | None) -> dict[str, Any]:
    if asked is None:
        return {}
    return {
        "discord_user": people.on_discord(asked.person),
        "discord_channel_id": asked.channel_id,
        "discord_message_id": asked.message_id,
    }


def _frozen(version: DatasetVersion, actor: User | Person | None) -> DatasetVersion:
    """Freeze a draft, unless somebody else was quicker."""
    try:
        return drafts.freeze(version, actor=actor)
    except DatasetFrozen:
        version.refresh_from_db()
        return version


def _find_base(base_model: str, offered: Sequence[ModelInfo]) -> ModelInfo:
    if not offered:
        raise InvalidInput(
            "The endpoint offers no model to fine-tune. "
            "On this platform the local language model may not be installed; see the README."
        )
    if not base_model:
        return offered[0]
    for model in offered:
        if model.id == base_model:
            return model
    names = ", ".join(model.id for model in offered[:8])
    raise InvalidInput(
        f"The endpoint has no model {base_model!r} to fine-tune. It offers: {names}."
    )


def _check_kind(version: DatasetVersion, method: str) -> None:
    """Raise InvalidInput for rows that a method cannot learn from."""
    if method == "dpo" and version.kind != Kind.PREFERENCE:
        raise InvalidInput(
            f"{version} has no pairs of a better and a worse answer, which dpo learns from. "
            "Choose another method."
        )


def _check_calendar(base: ModelInfo) -> None:
    """Raise InvalidInput where a job would only fail later: the endpoint takes none any more."""
    address, today = providers.endpoint().base_url, now().date()
    ends = (retiring.last_jobs(address), retiring.told_training(base))
    last = min((day for day in ends if day is not None), default=None)
    gone = retiring.told(base) or retiring.announced(address, base.id)
    who = "OpenAI" if retiring.last_jobs(address) else "The endpoint"
    instead = "Unset OPENAI_API_KEY to train on this machine, or set OPENAI_BASE_URL."
    if last is not None and last < today:
        raise InvalidInput(
            f"{who} has accepted no new fine-tuning jobs since {last:%Y-%m-%d}. {instead}"
        )
    if gone is not None and gone < today:
        raise InvalidInput(
            f"{who} switched {base.id} off on {gone:%Y-%m-%d}, so nothing can be tuned from it. "
            f"Choose another base model. {instead}"
        )
