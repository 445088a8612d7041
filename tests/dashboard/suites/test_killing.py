"""The worker killed in the middle of a run, twice: no stored answer or verdict is paid for again."""

import json
import time
from collections import Counter

import pytest

from dashboard.services import asking, suites
from dashboard.services.suites.content import Content
from tests.dashboard.evaluations.test_killing import start_worker
from tests.dashboard.suites.asking import question_of
from tests.factories import suite_version
from tests.fakes.openai_endpoint import Reply

N_CASES = 120
KILLED_AT = (0.3, 0.7)
PATIENCE_S = 600.0


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_goes_on_where_it_was(database_for_processes, endpoint):
    def answer(body):
        if body["model"] == "large":
            return Reply(pieces=('{"reason": "Yes.", "right": true}',), delay_s=0.02)
        return Reply(pieces=(f"About {question_of(body)}",), delay_s=0.02)

    endpoint.answer = answer
    cases = [
        Content(question=f"question {n}", judge="model", judge_args={"rubric": "Any."})
        for n in range(N_CASES)
    ]
    run = suites.submit(version=suite_version(*cases), model="small", judge_model="large")

    def wait_for(n_judged: int) -> None:
        until = time.monotonic() + PATIENCE_S
        while suites.get(run.pk).n_judged < n_judged:
            assert time.monotonic() < until, f"only {suites.get(run.pk).n_judged} verdicts"
            time.sleep(0.02)

    worker = start_worker(database_for_processes, endpoint.base_url)
    try:
        for share in KILLED_AT:
            wait_for(round(N_CASES * share))
            worker.kill()
            worker.communicate()
            worker = start_worker(database_for_processes, endpoint.base_url)
        wait_for(N_CASES)
        until = time.monotonic() + PATIENCE_S
        while not suites.get(run.pk).is_finished:
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        worker.communicate(timeout=120)

    done = suites.get(run.pk)
    assert (done.status, done.n_done, done.n_right) == ("succeeded", N_CASES, N_CASES)
    assert done.answers.count() == N_CASES
    times = Counter(
        (body["model"], json.loads(question_of(body))["question"])
        if body["model"] == "large"
        else (body["model"], question_of(body))
        for body in endpoint.chats
    )
    # Only what was on its way when its asker was killed is asked once more.
    assert len(times) == 2 * N_CASES
    assert sum(times.values()) - 2 * N_CASES <= len(KILLED_AT) * asking.AT_ONCE
