"""Trainings on what people taught."""

import factory
from django.utils.timezone import now
from factory.django import DjangoModelFactory

from dashboard.models import Lesson, Training
from tests.factories.talk import CorrectionFactory
from tests.factories.work import TaskFactory


class TrainingFactory(DjangoModelFactory[Training]):
    """One that is under way; `model="ft:..."` with `stage` "succeeded" for one that is over."""

    class Meta:
        model = Training

    scope = "everywhere"
    base_model = "small"
    way = "supervised"
    task = factory.SubFactory(TaskFactory, kind="train-taught")
    finished_at = factory.LazyAttribute(lambda row: now() if row.model else None)
    model = ""


class LessonFactory(DjangoModelFactory[Lesson]):
    class Meta:
        model = Lesson

    training = factory.SubFactory(TrainingFactory)
    correction = factory.SubFactory(CorrectionFactory, approved=True)
    revision = 1
