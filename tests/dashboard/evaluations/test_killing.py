"""The worker killed in the middle of a test, twice: no stored answer is asked for again."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings

from dashboard.services import asking, evaluations
from tests.dashboard.evaluations.answering import classifying, text_of
from tests.factories import LabelledVersionFactory
from tests.fakes.openai_endpoint import API_KEY

N_ROWS = 240
LEASE_S = 1.0
KILLED_AT = (0.3, 0.7)
PATIENCE_S = 600.0
SCRIPT = Path(__file__).with_name("killed_worker.py")


def start_worker(database_url: str, base_url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(LEASE_S)],
        env={
            **os.environ,
            "DATABASE_URL": database_url,
            "OPENAI_BASE_URL": base_url,
            "OPENAI_API_KEY": API_KEY,
            "PYTHONPATH": str(settings.BASE_DIR),
        },
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
    )


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_goes_on_where_it_was(database_for_processes, endpoint):
    rows = [(f"page {n}", "positive" if n % 3 else "negative") for n in range(N_ROWS)]
    endpoint.answer = classifying(lambda text: "positive", delay_s=0.02)
    test = evaluations.submit(version=LabelledVersionFactory(examples=rows), model="small")

    def wait_for(n_done: int) -> None:
        until = time.monotonic() + PATIENCE_S
        while evaluations.get(test.pk).n_done < n_done:
            assert time.monotonic() < until, f"only {evaluations.get(test.pk).n_done} answers"
            time.sleep(0.02)

    worker = start_worker(database_for_processes, endpoint.base_url)
    try:
        for share in KILLED_AT:
            wait_for(round(N_ROWS * share))
            worker.kill()
            worker.communicate()
            worker = start_worker(database_for_processes, endpoint.base_url)
        wait_for(N_ROWS)
        until = time.monotonic() + PATIENCE_S
        while not evaluations.get(test.pk).is_finished:
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        worker.communicate(timeout=120)

    done = evaluations.get(test.pk)
    assert (done.status, done.n_done, done.predictions.count()) == ("succeeded", N_ROWS, N_ROWS)
    assert (done.n_right, done.scores["n"]) == (160, N_ROWS)
    times = Counter(map(text_of, endpoint.chats))
    # Only what was on its way when its asker was killed is asked once more.
    repeated = sum(times.values()) - N_ROWS
    assert len(times) == N_ROWS
    assert repeated <= len(KILLED_AT) * asking.AT_ONCE
