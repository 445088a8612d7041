"""A training driven from step to step, as a worker does."""

import re

from django.utils.timezone import now

from dashboard.models import Correction, Task, Training
from dashboard.services import tasks, trainings
from tests.factories import CorrectionFactory
from tests.fakes.openai_endpoint import FakeOpenAI, Reply
from trainerbot.llm import ModelInfo

EVERYWHERE = trainings.Scope("everywhere")
OFFERED = [ModelInfo("small", owned_by="")]


def taught(n: int = 12, **fields: object) -> list[Correction]:
    """So many approved corrections that somebody taught directly."""
    fields = {"rejected_answer": "", **fields}
    return [
        CorrectionFactory(
            approved=True,
            question=f"Which animal lives in enclosure {word}?",
            better_answer=f"The {word} lion.",
            **fields,
        )
        for word in [f"{chr(97 + i // 26)}{chr(97 + i % 26)}x" for i in range(n)]
    ]


def look(training: Training, *, worker: str = "me") -> Training:
    """Let a worker look at a training once, now instead of later."""
    Task.objects.filter(pk=training.task_id).update(run_at=now())
    assert tasks.run_next(worker, pk=training.task_id)
    return Training.objects.get(pk=training.pk)


def until(training: Training, stage: str) -> Training:
    """Drive it until it is at that stage."""
    for _ in range(12):
        if training.stage == stage:
            return training
        training = look(training)
    raise AssertionError(f"It never came to {stage}: {training.stage}, {training.error}")


def work_off() -> None:
    """Do everything that waits, whenever it is due, until the training waits for nothing more."""
    ready = Task.objects.filter(state__in=[Task.State.READY, Task.State.RUNNING])
    for _ in range(12):
        for pk in list(ready.values_list("pk", flat=True)):
            ready.filter(pk=pk).update(run_at=now(), lease_until=None, state=Task.State.READY)
            tasks.run_next("me", pk=pk)
        if not Training.objects.unfinished().exists():
            return


def tune(training: Training, endpoint: FakeOpenAI) -> Training:
    """Let the job that a training waits for succeed at the endpoint."""
    job = training.preference_job or training.job
    assert job is not None
    key = f"finetune:{job.pk}"
    for _ in range(2):
        Task.objects.filter(idempotency_key=key).update(run_at=now())
        tasks.run_next("me", pk=Task.objects.get(idempotency_key=key).pk)
        job.refresh_from_db()
        if not job.is_finished:
            endpoint.finish(job.remote_job_id)
    assert job.status == "succeeded"
    return training


def learned_it(body: dict) -> Reply:
    """The tuned model knows every lion, the base model none."""
    asked = body["messages"][-1]["content"]
    found = re.search(r"enclosure (\w+)", asked)
    if body["model"].startswith("ft:") and found:
        return Reply(pieces=(f"The {found[1]} lion.",))
    return Reply(pieces=(f"I do not know {asked}",))
