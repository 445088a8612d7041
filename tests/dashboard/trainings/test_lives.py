"""A correction knows in which models it lives."""

import pytest

from dashboard.models import FineTuneJob, Lesson
from dashboard.services import trainings
from tests.factories import CorrectionFactory, FineTuneJobFactory, LessonFactory, TrainingFactory

pytestmark = pytest.mark.django_db
MODEL = "ft:small:taught"


@pytest.fixture
def correction():
    return CorrectionFactory(approved=True)


@pytest.fixture
def training():
    FineTuneJobFactory(succeeded=True, fine_tuned_model=MODEL)
    return TrainingFactory(model=MODEL)


def test_a_correction_lives_in_the_model_that_learned_it(correction, training):
    LessonFactory(training=training, correction=correction)

    (lives,) = trainings.models_of(correction)

    assert (lives.model, lives.training_id) == (MODEL, training.pk)
    assert lives.is_current
    assert lives.uses == ""


def test_words_that_changed_since_are_not_what_the_model_learned(correction, training):
    LessonFactory(training=training, correction=correction)
    correction.revision = 2

    (lives,) = trainings.models_of(correction)

    assert not lives.is_current


def test_a_training_under_way_a_test_and_a_deleted_model_hold_nothing(correction, training):
    LessonFactory(correction=correction)
    LessonFactory(training=training, correction=correction, use=Lesson.Use.HELD_OUT)
    assert trainings.models_of(correction) == []

    Lesson.objects.update(use=Lesson.Use.LEARNED)
    assert trainings.models_of(correction)
    FineTuneJob.objects.update(fine_tuned_model="")
    assert trainings.models_of(correction) == []


def test_what_is_known_is_the_newest_revision_that_a_model_learned(correction, training):
    LessonFactory(training=training, correction=correction, revision=1)
    LessonFactory(
        training=TrainingFactory(model=MODEL, scope="all"), correction=correction, revision=3
    )

    assert trainings.known_revisions() == {correction.pk: 3}
