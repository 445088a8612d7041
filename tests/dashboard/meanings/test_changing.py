"""Models come, change and go while corrections are compared by them."""

from datetime import timedelta

import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.utils.timezone import now

from dashboard.models import MeaningSettings, ProcessState
from dashboard.services import meanings, outbox, processes, providers, recall
from dashboard.services.meanings import filling
from tests.factories import CorrectionFactory
from trainerbot.errors import ProviderRefused
from trainerbot.retrieval.calibration import fitting

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("in_force")
def test_a_model_of_ours_that_is_gone_gives_way_to_one_that_is_there(endpoint, settings):
    settings.MODELSERVER_URL = endpoint.base_url
    MeaningSettings.objects.filter(pk=1).update(by="ours", space_endpoint="modelserver")
    endpoint.models, endpoint.faults = ("embed-other",), [400]
    CorrectionFactory(approved=True)

    with pytest.raises(ProviderRefused):
        meanings.fill()

    assert endpoint.asked_models == ["embed-other"]
    assert set(endpoint.texts) <= set(fitting.texts())


@pytest.mark.usefixtures("in_force")
def test_a_model_of_ours_that_is_there_stays_though_another_one_came(endpoint, settings):
    settings.MODELSERVER_URL = endpoint.base_url
    MeaningSettings.objects.filter(pk=1).update(by="ours", space_endpoint="modelserver")
    endpoint.models = ("embed-better", "embed-test")
    CorrectionFactory(approved=True)

    meanings.fill()

    assert endpoint.asked_models == ["embed-test"]


def test_a_setting_that_cannot_be_read_does_not_end_the_workers_thread(settings):
    settings.MORE_ENDPOINTS = "{"
    MeaningSettings.objects.create(pk=1)

    filling.Filler().look()

    assert "MORE_ENDPOINTS" in meanings.current().problem


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("number", [0.0, 1.0, 3e38])
def test_vectors_that_are_all_the_same_are_refused_in_words(endpoint, number):
    endpoint.vector = lambda _text: np.full(32, number, dtype=np.float32)
    CorrectionFactory(approved=True)

    filling.Filler().look()

    assert "tell no questions apart" in meanings.current().problem
    assert meanings.space() is None


@pytest.mark.usefixtures("in_force")
@pytest.mark.django_db(transaction=True)
async def test_a_question_that_shows_another_length_of_vectors_has_the_model_calibrated_anew(
    endpoint,
):
    await sync_to_async(CorrectionFactory)(approved=True)
    await sync_to_async(meanings.fill)()
    await sync_to_async(recall.current)()
    endpoint.n_dimensions = 48

    await recall.foresee("may I bring a cat along?")

    row = await sync_to_async(meanings.current)()
    assert row.space == ""
    assert "48 numbers now" in row.problem


@pytest.mark.usefixtures("chosen")
def test_of_two_workers_that_calibrate_at_once_the_quicker_one_counts():
    as_read_before = meanings.current()
    MeaningSettings.objects.filter(pk=1).update(space="quicker")

    filling._calibrate(as_read_before, providers.named("vectors"), "embed-test")

    assert meanings.current().space == "quicker"


@pytest.mark.usefixtures("in_force")
@pytest.mark.django_db(transaction=True)
def test_what_is_approved_while_a_look_ends_is_seen_by_the_next_one(endpoint):
    filler = filling.Filler(clock=lambda: 0.0)
    first = CorrectionFactory(approved=True)
    vector = endpoint.vector

    def approved_in_the_last_step(text: str) -> np.ndarray:
        endpoint.vector = vector
        filler.stop()
        late = CorrectionFactory(approved=True, question="May I bring my cat?")
        outbox.publish("corrections", "correction.changed", id=late.pk)
        connections.close_all()
        return vector(text)

    endpoint.vector = approved_in_the_last_step
    filler.look()
    assert endpoint.texts == [first.question]

    filler.look()

    assert endpoint.texts == [first.question, "May I bring my cat?"]


@pytest.mark.usefixtures("in_force")
def test_while_one_worker_embeds_another_pays_for_nothing(endpoint):
    CorrectionFactory(approved=True)
    one, another = filling.Filler(clock=lambda: 0.0), filling.Filler(clock=lambda: 0.0)

    with processes.held(filling.DUTY, "a third one"):
        one.look()
        assert endpoint.texts == []
    one.look()
    another.look()

    assert len(endpoint.texts) == 1


@pytest.mark.usefixtures("in_force")
def test_what_a_killed_worker_left_is_taken_over(endpoint):
    CorrectionFactory(approved=True)
    filler = filling.Filler(clock=lambda: 0.0)
    processes.hold(filling.DUTY, "killed")
    ProcessState.objects.filter(name=filling.DUTY).update(
        heartbeat_at=now() - processes.HOLD - timedelta(seconds=1)
    )

    filler.look()

    assert len(endpoint.texts) == 1
    assert not any(row.name == filling.DUTY for row in processes.everything())


def test_calibrating_tells_vectors_that_differ_from_those_that_do_not():
    raw = {text: np.array([1, 0, 0], dtype=np.float32) for text in fitting.texts()}

    with pytest.raises(ValueError, match="same direction"):
        fitting.calibrate(raw)
