"""What a scripted endpoint says to the questions of a suite."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.timezone import now

from dashboard.models import SuiteRun, Task
from dashboard.services import suites, tasks
from tests.fakes.openai_endpoint import FakeOpenAI, Reply


def saying(
    answers: Mapping[str, str], *, otherwise: str = "I do not know."
) -> Callable[..., Reply]:
    """Answer each question with its words."""

    def answer(body: dict[str, Any]) -> Reply:
        return Reply(pieces=(answers.get(question_of(body), otherwise),))

    return answer


def question_of(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def asked(endpoint: FakeOpenAI) -> list[str]:
    """The questions that the endpoint got, sorted: they come in any order."""
    return sorted(map(question_of, endpoint.chats))


def work(run: SuiteRun, *, worker: str = "me") -> SuiteRun:
    """Let a worker do what there is to do now."""
    Task.objects.filter(pk=run.task.pk, state=Task.State.READY).update(run_at=now())
    assert tasks.run_next(worker, pk=run.task.pk)
    return suites.get(run.pk)
