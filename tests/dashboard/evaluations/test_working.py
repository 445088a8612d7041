"""A test from the button to its scores, at a scripted endpoint, whatever breaks on the way."""

import threading

import pytest
from django.db import connection
from django.utils.timezone import now

from dashboard.models import Evaluation, Prediction, Task
from dashboard.services import asking, evaluations, tasks
from tests.dashboard.evaluations.answering import (
    asked,
    by_the_word,
    classifying,
    reading,
    text_of,
)
from tests.factories import SHOPS, LabelledVersionFactory
from tests.fakes.openai_endpoint import Reply, error_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return LabelledVersionFactory()


def work(test: Evaluation, *, worker: str = "me") -> Evaluation:
    """Let a worker do what there is to do now."""
    Task.objects.filter(pk=test.task.pk, state=Task.State.READY).update(run_at=now())
    assert tasks.run_next(worker, pk=test.task.pk)
    return evaluations.get(test.pk)


def test_every_row_is_asked_and_scored(endpoint, version):
    endpoint.answer = classifying(by_the_word)
    test = work(evaluations.submit(version=version, model="small"))

    assert test.status == "succeeded"
    assert asked(endpoint) == sorted(text for text, _ in SHOPS)
    assert (test.n_done, test.n_right, test.n_unknown) == (4, 4, 0)
    assert test.scores["accuracy"] == 1
    assert test.scores["confusion"] == [[2, 0, 0], [0, 2, 0]]
    assert test.task.progress == 1
    body = endpoint.chats[0]
    assert body["messages"][0] == {
        "role": "system",
        "content": "Answer with exactly one of: negative, positive.",
    }
    assert body["model"] == "small"


def test_mismatches_are_kept_with_their_name_and_the_models_own_words(endpoint, version):
    endpoint.answer = classifying(lambda text: "negative")
    test = work(evaluations.submit(version=version, model="small"))

    first, second = evaluations.predictions(test).rows
    assert (first.name, first.expected, first.predicted) == ("page 0", "positive", "negative")
    assert first.answer == '{"label": "negative"}'
    assert second.name == "page 2"
    assert test.scores["accuracy"] == 0.5
    assert test.scores["interval"][0] < 0.5 < test.scores["interval"][1]


def test_an_answer_that_is_no_label_is_unknown_and_wrong(endpoint, version):
    endpoint.answer = lambda body: Reply(pieces=("I am \x00 not sure, maybe positive",))
    test = work(evaluations.submit(version=version, model="small"))

    assert (test.n_done, test.n_right, test.n_unknown) == (4, 0, 4)
    assert test.scores["confusion"] == [[0, 0, 2], [0, 0, 2]]
    assert evaluations.predictions(test, show="unknown").rows[0].answer == (
        "I am \N{REPLACEMENT CHARACTER} not sure, maybe positive"
    )


def test_an_endpoint_that_binds_no_model_has_its_words_matched(endpoint, version):
    endpoint.answer = classifying(lambda text: f"{by_the_word(text).title()}.", binds=False)
    test = work(evaluations.submit(version=version, model="small"))

    assert (test.n_right, test.is_constrained) == (4, False)


def test_texts_beyond_the_context_are_cut_at_the_end_and_counted(endpoint):
    long = "Basket " + "and more " * 200
    version = LabelledVersionFactory(examples=[(long, "positive"), ("News", "negative")])
    endpoint.answer = reading(500, by_the_word)
    test = work(evaluations.submit(version=version, model="small"))

    assert (test.n_done, test.n_right, test.n_cut) == (2, 2, 1)
    (cut,) = Prediction.objects.filter(is_cut=True)
    assert cut.expected == "positive"
    assert all(long.startswith(text_of(body)) for body in endpoint.chats if "Basket" in str(body))


def test_a_text_that_the_endpoint_refuses_is_unknown_and_the_others_go_on(endpoint, version):
    def answer(body):
        if "parliament" in text_of(body):
            return Reply(status=400, error=error_body("Filtered.", "content_filter"))
        return classifying(by_the_word)(body)

    endpoint.answer = answer
    test = work(evaluations.submit(version=version, model="small"))

    assert (test.status, test.n_done, test.n_refused, test.n_unknown) == ("succeeded", 4, 1, 1)
    assert "Filtered." in Prediction.objects.exclude(error="").get().error


def test_a_refusal_that_concerns_all_rows_ends_the_test_in_words(endpoint, version):
    endpoint.answer = lambda body: Reply(status=404, error=error_body("no", "model_not_found"))
    test = work(evaluations.submit(version=version, model="absent"))

    assert test.status == "failed"
    assert "does not know model absent" in test.error
    assert test.scores is None


def test_a_row_of_refusals_is_not_about_the_texts(endpoint):
    rows = [(f"page {n}", "positive" if n % 2 else "negative") for n in range(100)]
    endpoint.answer = lambda body: Reply(status=400, error=error_body("Bad request."))
    test = work(evaluations.submit(version=LabelledVersionFactory(examples=rows), model="small"))

    assert test.status == "failed"
    assert "Bad request." in test.error
    assert test.n_done == asking.MAX_REFUSED_IN_A_ROW


def test_an_endpoint_that_is_away_is_waited_for_and_no_row_is_asked_twice(endpoint, version):
    said = []

    def answer(body):
        if len(said) >= 2:
            return Reply(status=503, error=error_body("x"), headers={"retry-after-ms": "1"})
        said.append(text_of(body))
        return classifying(by_the_word)(body)

    endpoint.answer = answer
    test = work(evaluations.submit(version=version, model="small"))
    assert (test.status, test.n_done) == ("queued", 2)
    assert "failed (HTTP 503)" in test.error
    assert test.scores is None

    endpoint.answer = classifying(by_the_word)
    endpoint.chats.clear()
    test = work(test)

    assert (test.status, test.n_done, test.error) == ("succeeded", 4, "")
    assert asked(endpoint) == sorted({text for text, _ in SHOPS} - set(said))


def test_a_test_waits_while_another_endpoint_is_set(endpoint, version, settings):
    test = evaluations.submit(version=version, model="small")
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"

    test = work(test)

    assert test.status == "queued"
    assert "belongs to the endpoint" in test.error


def meanwhile(test: Evaluation, **changes: object) -> None:
    """Change the task from elsewhere, as another process does."""

    def change() -> None:
        Task.objects.filter(pk=test.task.pk).update(**changes)
        connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_test_keeps_what_it_has_and_is_scored_on_it(endpoint):
    rows = [(f"page {n}", "positive" if n % 2 else "negative") for n in range(60)]
    test = evaluations.submit(version=LabelledVersionFactory(examples=rows), model="small")

    def answer(body):
        if len(endpoint.chats) == 20:
            meanwhile(test, cancel_requested=True)
        return classifying(by_the_word)(body)

    endpoint.answer = answer
    done = work(test)

    assert done.status == "cancelled"
    assert 0 < done.n_done < 60
    assert done.scores["n"] == done.n_done == done.predictions.count()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_lost_its_lease_stores_nothing_more(endpoint, version):
    test = evaluations.submit(version=version, model="small")

    def answer(body):
        if len(endpoint.chats) == 1:  # those after it may come when the worker has gone
            meanwhile(test, worker="another")
        return classifying(by_the_word)(body)

    endpoint.answer = answer
    after = work(test)

    assert (after.n_done, after.predictions.count()) == (0, 0)
    assert after.task.worker == "another"


def test_a_limit_spreads_the_rows_over_the_data(endpoint):
    rows = [(f"page {n}", "negative" if n < 50 else "positive") for n in range(100)]
    endpoint.answer = classifying(lambda text: "positive")
    test = evaluations.submit(
        version=LabelledVersionFactory(examples=rows), model="small", limit=10
    )

    test = work(test)

    positions = test.predictions.order_by("position").values_list("position", flat=True)
    assert list(positions) == list(range(0, 100, 10))
    assert test.n_right == 5


def test_only_the_named_part_is_asked(endpoint, version):
    first = version.examples.order_by("position").first()
    version.examples.filter(pk=first.pk).update(part="test")
    endpoint.answer = classifying(by_the_word)

    test = work(evaluations.submit(version=version, model="small", part="test"))

    assert (test.n_records, asked(endpoint)) == (1, [first.question])


def test_several_texts_are_asked_at_once_but_not_all(endpoint):
    rows = [(f"page {n}", "positive" if n % 2 else "negative") for n in range(24)]
    endpoint.answer = classifying(by_the_word, delay_s=0.05)

    work(evaluations.submit(version=LabelledVersionFactory(examples=rows), model="small"))

    assert 1 < endpoint.most_streams <= asking.AT_ONCE


def test_one_page_of_answers_leads_to_the_next_and_back(endpoint):
    rows = [(f"page {n}", "positive" if n % 2 else "negative") for n in range(50)]
    endpoint.answer = classifying(lambda text: "negative")
    test = work(evaluations.submit(version=LabelledVersionFactory(examples=rows), model="small"))

    first = evaluations.predictions(test, size=10)
    second = evaluations.predictions(test, size=10, after=first.after)
    back = evaluations.predictions(test, size=10, before=second.before)

    assert [row.position for row in first.rows] == list(range(1, 21, 2))
    assert [row.position for row in second.rows] == list(range(21, 41, 2))
    assert back.rows == first.rows
    assert evaluations.predictions(test, expected="positive", predicted="negative").rows
    assert not evaluations.predictions(test, expected="negative", predicted="positive").rows
    assert len(evaluations.predictions(test, show="right", size=50).rows) == 25
    assert len(evaluations.predictions(test, show="all", size=100).rows) == 50
