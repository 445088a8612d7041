"""What jobs made: their checkpoints, the files to take along, and models that nobody needs any more.

All of it lies at the endpoint and is asked for there; its key stays here.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from dashboard.models import (
    Alias,
    Evaluation,
    FineTuneEvent,
    FineTuneJob,
    GuildSettings,
    PlaceSettings,
    Task,
)
from dashboard.services import assistant, audit, jobs, outbox, providers, releases
from trainerbot.errors import Conflict, InvalidInput, NotFound, ProviderRefused
from trainerbot.finetune import Download, NotOffered, Preparing, RemoteCheckpoint

SHOWN_CHECKPOINTS: Final = 10
LONGEST_ID: Final = 200
# A model of this kind is its base model and an index: there are no weights to take along.
WITHOUT_WEIGHTS: Final = frozenset({"knn"})


@dataclass(frozen=True, slots=True)
class Form:
    """One way to take a model along. `merges`: the endpoint makes it first, which takes a while."""

    name: str
    title: str
    text: str
    merges: bool = False


FORMS: Final = (
    Form(
        "adapter",
        "LoRA adapter",
        "For PEFT and transformers: some megabytes, used beside the base model.",
    ),
    Form("gguf", "LoRA adapter, GGUF", "For llama.cpp: llama-server --lora."),
    Form(
        "merged",
        "Whole model, safetensors",
        "The base model with the training worked in, for transformers and vLLM.",
        merges=True,
    ),
    Form(
        "merged-gguf",
        "Whole model, GGUF",
        "The same as one file, for llama.cpp, Ollama and LM Studio.",
        merges=True,
    ),
)


def form(name: str) -> Form:
    """Raises NotFound for a form that there is not."""
    for each in FORMS:
        if each.name == name:
            return each
    raise NotFound(f"What a job made can be had as {', '.join(each.name for each in FORMS)}.")


# --- checkpoints --------------------------------------------------------------------
def has_checkpoints(job: FineTuneJob) -> bool:
    """Whether it is worth asking: a job that has begun, and that changes weights."""
    return bool(job.remote_job_id) and job.method not in WITHOUT_WEIGHTS


def checkpoints(job: FineTuneJob, *, after: str = "") -> tuple[list[RemoteCheckpoint], bool]:
    """Some of a job's checkpoints, newest first, and whether there are older ones.

    after: the id of the last one seen. Asks the endpoint; raises NotOffered
    where it lists none.
    """
    if not has_checkpoints(job):
        return [], False
    return jobs.provider_of(job).checkpoints(
        job.remote_job_id, after=_id(after) or None, limit=SHOWN_CHECKPOINTS
    )


# --- files --------------------------------------------------------------------------
def look(job: FineTuneJob, wanted: Form) -> Download | Preparing:
    """Name and size of a file, not its bytes; of one that is made first, begin it.

    Asks the endpoint; raises what it says, in words, where there is none.
    """
    opened = _open(job, wanted)
    if isinstance(opened, Download):
        opened.close()
    return opened


def prepare(job: FineTuneJob, wanted: Form, *, actor: User) -> Download | Preparing:
    """As `look`, by somebody who asked for the work that it may take."""
    begun = look(job, wanted)
    audit.record(actor, "model.prepare", _named(job), format=wanted.name)
    return begun


def take(
    job: FineTuneJob, wanted: Form, *, actor: User, checkpoint: str = ""
) -> Download | Preparing:
    """Open a file for somebody to take along; whoever gets it closes it.

    checkpoint: the id of one of the job's, instead of its model.
    """
    opened = _open(job, wanted, checkpoint=checkpoint)
    if isinstance(opened, Download):
        audit.record(
            actor,
            "model.export",
            _named(job),
            format=wanted.name,
            **({"checkpoint": checkpoint} if checkpoint else {}),
        )
    return opened


def _open(job: FineTuneJob, wanted: Form, *, checkpoint: str = "") -> Download | Preparing:
    if job.method in WITHOUT_WEIGHTS:
        raise Conflict(
            "This model has no weights of its own: it is its base model and your examples. "
            "Export the dataset to take those along."
        )
    if not job.remote_job_id or not (job.fine_tuned_model or checkpoint):
        raise Conflict(f"Job {job.pk} has made no model that could be taken along.")
    return jobs.provider_of(job).export(
        job.remote_job_id, form=wanted.name, checkpoint=_id(checkpoint) or None
    )


def _named(job: FineTuneJob) -> str:
    return job.fine_tuned_model or f"job {job.pk}"


# --- deletion -----------------------------------------------------------------------
def is_tuned(model: str) -> bool:
    """Whether a fine-tune made it, ours or one of OpenAI's names."""
    ours = FineTuneJob.objects.filter(fine_tuned_model=model)
    return bool(model) and (model.startswith("ft:") or ours.exists())


def delete(model: str, *, actor: User) -> None:
    """Delete a tuned model at its endpoint, for good; its job stays, and says so.

    Raises Conflict while the model answers anywhere or is being tested, and
    in words what the endpoint says where it cannot delete it. One that is
    gone there already is only forgotten.
    """
    if not is_tuned(_id(model)):
        raise InvalidInput("Only a model that a fine-tune made can be deleted.")
    if where := uses(model):
        raise Conflict(f"{model} {where}. Change that first, then delete it.")
    with _gone_is_gone():
        providers.finetune_provider().delete_model(model)
    with transaction.atomic():
        made_it = list(FineTuneJob.objects.select_for_update().filter(fine_tuned_model=model))
        for job in made_it:
            job.fine_tuned_model = ""
            job.save(update_fields=["fine_tuned_model"])
            FineTuneEvent.objects.get_or_create(
                job=job,
                remote_event_id=f"deleted:{model}"[:100],
                defaults={
                    "level": "warn",
                    "type": "message",
                    "message": f"The model {model} was deleted by {actor.get_username()}.",
                },
            )
            jobs.announce(job)
        audit.record(actor, "model.delete", model, jobs=[job.pk for job in made_it])
        outbox.publish(jobs.TOPIC, "model.deleted", model=model)


def uses(model: str) -> str:
    """Where a model is needed, as the end of a sentence that begins with its name; "" for nowhere."""
    if model in (assistant.current().model, settings.CHAT_MODEL):
        return "answers everywhere"
    by_name = Q(stable__model=model) | Q(canary__model=model) | Q(shadow__model=model)
    alias = Alias.objects.filter(by_name).first()
    if alias is not None:
        return f"answers under {alias}"
    for alias in Alias.objects.order_by("name"):
        former = releases.before(alias)
        if former is not None and former.model == model:
            return f"is what {alias} can be rolled back to"
    place = PlaceSettings.objects.filter(model=model).select_related("guild", "channel").first()
    if place is not None:
        return f"answers in {place.channel or place.guild}"
    guild = GuildSettings.objects.filter(saving_model=model).select_related("guild").first()
    if guild is not None:
        return f"answers in {guild.guild} where a budget runs out"
    if Evaluation.objects.filter(model=model, task__in=Task.objects.unfinished()).exists():
        return "is being tested"
    return ""


@contextlib.contextmanager
def _gone_is_gone() -> Iterator[None]:
    try:
        yield
    except NotOffered:
        raise
    except ProviderRefused as error:
        if error.status != 404:
            raise


def _id(text: str) -> str:
    """An id fit to be asked for. Raises InvalidInput for what is none."""
    if len(text) > LONGEST_ID or not text.isprintable():
        raise InvalidInput("There is no model or checkpoint of that name.")
    return text
