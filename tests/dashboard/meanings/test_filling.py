"""The worker's part: what is approved gets a vector, whatever the endpoint does meanwhile."""

import logging

import pytest

from dashboard.models import Correction, MeaningSettings, OutboxEvent
from dashboard.services import corrections, meanings, outbox, prices, recall
from dashboard.services.meanings import filling
from tests.factories import CorrectionFactory, UserFactory
from tests.fakes.embedding_endpoint import API_KEY
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.retrieval.calibration import Calibration
from trainerbot.retrieval.calibration.fitting import texts

pytestmark = pytest.mark.django_db


def embedded():
    return set(Correction.objects.exclude(vector=None).values_list("question", flat=True))


def kinds():
    return list(OutboxEvent.objects.filter(topic="meanings").values_list("kind", flat=True))


@pytest.mark.usefixtures("chosen")
def test_a_chosen_model_is_calibrated_before_anything_is_embedded(endpoint):
    correction = CorrectionFactory(approved=True)

    assert meanings.fill() == 1
    assert sorted(endpoint.texts) == sorted([*texts(), correction.question])
    row = meanings.current()
    assert row.space.endswith("embed-test")
    assert Calibration.from_bytes(bytes(row.calibration)).n_dimensions == endpoint.n_dimensions
    assert embedded() == {correction.question}
    assert meanings.fill() == 0


@pytest.mark.usefixtures("in_force")
def test_only_what_is_approved_is_embedded(endpoint):
    approved = CorrectionFactory(approved=True)
    CorrectionFactory()
    CorrectionFactory(state=Correction.State.REJECTED)

    assert meanings.fill() == 1
    assert endpoint.texts == [approved.question]


@pytest.mark.usefixtures("in_force")
def test_many_go_in_requests_of_a_hundred_and_are_told_of_once(endpoint):
    CorrectionFactory.create_batch(230, approved=True)

    assert [meanings.fill() for _ in range(4)] == [100, 100, 30, 0]
    assert endpoint.requests == [100, 100, 30]
    assert kinds() == ["meanings.changed"]


@pytest.mark.usefixtures("in_force")
def test_one_more_is_told_of_by_its_id_so_that_no_process_reads_all_anew():
    CorrectionFactory(approved=True)
    recall.current()
    meanings.fill()
    first = recall.current()
    correction = CorrectionFactory(approved=True)

    meanings.fill()

    event = OutboxEvent.objects.filter(topic="meanings").latest("pk")
    assert (event.kind, event.payload["ids"]) == ("meanings.made", [correction.pk])
    assert recall.current() is not first
    assert recall.current().n_corrections == 2


@pytest.mark.usefixtures("in_force")
def test_who_is_stopped_goes_on_where_it_was(endpoint):
    CorrectionFactory.create_batch(150, approved=True)
    meanings.fill()
    endpoint.faults = [500] * 3

    with pytest.raises(ProviderUnavailable):
        meanings.fill()

    assert len(embedded()) == 100
    assert "failed (HTTP 500)" in meanings.current().problem
    endpoint.faults, endpoint.texts = [], []
    assert meanings.fill() == 50
    assert len(set(endpoint.texts)) == 50
    assert meanings.current().problem == ""


@pytest.mark.usefixtures("in_force")
def test_a_model_of_other_dimensions_is_calibrated_anew(endpoint):
    CorrectionFactory(approved=True)
    meanings.fill()
    CorrectionFactory(approved=True)
    endpoint.n_dimensions = 48

    with pytest.raises(ProviderRefused, match="48 numbers now, and gave 32 before"):
        meanings.fill()

    assert meanings.space() is None
    endpoint.faults, endpoint.texts = [400], []
    with pytest.raises(ProviderRefused):
        meanings.fill()
    assert set(endpoint.texts) <= set(texts())


@pytest.mark.usefixtures("in_force")
@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"index": 0, "embedding": "no numbers"}],
        [{"index": 0, "embedding": []}],
        [{"index": 7, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [1.0, 2.0]}] * 2,
        [{"index": 0, "embedding": [1.0, None]}],
        "nothing",
    ],
)
def test_an_answer_that_is_no_vectors_is_refused_in_words(endpoint, rows):
    CorrectionFactory(approved=True)
    endpoint.faults = [rows]

    with pytest.raises(ProviderRefused, match="not one vector for each text"):
        meanings.fill()

    assert embedded() == set()


@pytest.mark.usefixtures("in_force")
def test_what_is_out_of_force_keeps_no_vector(endpoint):
    correction, other = CorrectionFactory(approved=True), CorrectionFactory(approved=True)
    meanings.fill()
    corrections.reject(correction=correction, reviewer=None)
    CorrectionFactory(approved=True)

    meanings.fill()

    correction.refresh_from_db()
    assert correction.vector is None
    assert other.question in embedded()


@pytest.mark.usefixtures("in_force")
def test_the_tokens_and_their_price_are_counted():
    admin = UserFactory()
    prices.save(model="embed-test", prompt_usd=20, completion_usd=0, actor=admin)
    CorrectionFactory(approved=True, question="one two three four five")

    meanings.fill()

    standing = meanings.standing()
    assert (standing.n_tokens, float(standing.cost_usd)) == (5, 0.0001)
    assert (standing.n_embedded, standing.n_approved) == (1, 1)


@pytest.mark.usefixtures("in_force")
def test_another_model_means_that_all_are_embedded_again(endpoint):
    correction = CorrectionFactory(approved=True)
    meanings.fill()
    MeaningSettings.objects.filter(pk=1).update(space="of another model", space_model="embed-other")

    meanings.choose(by="chosen", endpoint="vectors", model="embed-other", actor=None)
    assert meanings.standing().n_embedded == 0
    assert meanings.fill() == 1

    correction.refresh_from_db()
    assert correction.vector_model == "of another model"
    assert endpoint.asked_models == ["embed-test", "embed-other"]


@pytest.mark.usefixtures("in_force")
def test_words_alone_puts_the_model_out_of_force():
    CorrectionFactory(approved=True)
    meanings.fill()

    meanings.choose(by="words", actor=None)
    meanings.fill()

    assert meanings.space() is None
    assert recall.current().space is None
    assert not meanings.current().space


@pytest.mark.usefixtures("in_force")
def test_no_key_is_ever_written_down(endpoint, caplog):
    CorrectionFactory(approved=True)
    endpoint.faults = [401]
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderRefused):
        meanings.fill()

    assert endpoint.keys == {f"Bearer {API_KEY}"}
    assert API_KEY not in caplog.text
    assert API_KEY not in meanings.current().problem


@pytest.mark.usefixtures("in_force")
def test_long_and_empty_questions_are_sent_as_endpoints_take_them(endpoint):
    CorrectionFactory(approved=True, question="why " * 2_000)
    CorrectionFactory(approved=True, question="  ")

    assert meanings.fill() == 2
    assert {len(text) for text in endpoint.texts} <= {1, 1_000, 999}


@pytest.mark.usefixtures("in_force")
def test_the_thread_of_the_worker_looks_only_when_something_happened(endpoint):
    moment = 0.0
    filler = filling.Filler(clock=lambda: moment)
    CorrectionFactory(approved=True)
    filler.look()
    assert len(endpoint.texts) == 1
    Correction.objects.update(vector=None, vector_model="")

    filler.look()
    assert len(endpoint.texts) == 1
    outbox.publish("corrections", "correction.changed", id=Correction.objects.get().pk)
    filler.look()
    assert len(endpoint.texts) == 2
    Correction.objects.update(vector=None, vector_model="")
    moment = filling.ASKS_EVERY_S + 1
    filler.look()
    assert len(endpoint.texts) == 3


def test_a_model_server_that_is_not_there_leaves_the_words(settings):
    settings.MODELSERVER_URL = "http://127.0.0.1:9/v1"
    CorrectionFactory(approved=True)

    filling.Filler().look()

    assert meanings.space() is None
    assert not MeaningSettings.objects.exclude(space="").exists()


def test_our_own_server_is_asked_unasked(endpoint, settings):
    settings.MODELSERVER_URL = endpoint.base_url
    endpoint.models = ("smollm2", "embed-test", "embed-other")

    endpoint.faults = [400]

    with pytest.raises(ProviderRefused):
        meanings.fill()

    assert endpoint.asked_models == ["embed-test"]


def test_a_setting_leaves_meaning_out_whatever_is_chosen(in_force, settings):
    settings.RECALL_EMBEDDINGS = "words"
    CorrectionFactory(approved=True)

    assert meanings.space() is None
    assert meanings.fill() == 0
    assert embedded() == set()
