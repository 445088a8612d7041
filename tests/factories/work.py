"""What workers do."""

import factory
from factory.django import DjangoModelFactory

from dashboard.models import Evaluation, Prediction, Task
from dashboard.services.evaluations import results
from tests.factories.datasets import LabelledVersionFactory


class TaskFactory(DjangoModelFactory[Task]):
    class Meta:
        model = Task

    kind = "tests.nothing"


class EvaluationFactory(DjangoModelFactory[Evaluation]):
    """A test that waits for a worker; `done=True` is one that is over, three of four right."""

    class Meta:
        model = Evaluation
        skip_postgeneration_save = True

    version = factory.SubFactory(LabelledVersionFactory)
    task = factory.SubFactory(TaskFactory, kind="evaluate")
    model = "smollm2-135m-instruct"
    endpoint = "modelserver"
    labels = factory.LazyFunction(lambda: ["negative", "positive"])
    n_records = factory.LazyAttribute(lambda row: row.version.n_examples)

    @factory.post_generation
    def done(self, create: bool, wanted: bool, **kwargs: object) -> None:
        if not wanted:
            return
        examples = self.version.examples.order_by("position")
        for index, example in enumerate(examples):
            said = example.label if index else ""
            PredictionFactory(evaluation=self, example=example, predicted=said)
        self.n_done = self.n_records
        self.n_right, self.n_unknown = self.n_done - 1, 1
        Task.objects.filter(pk=self.task.pk).update(state=Task.State.SUCCEEDED, progress=1)
        self.task.refresh_from_db()
        self.save()
        results.settle(self)


class PredictionFactory(DjangoModelFactory[Prediction]):
    class Meta:
        model = Prediction

    evaluation = factory.SubFactory(EvaluationFactory)
    position = factory.LazyAttribute(lambda row: row.example.position)
    expected = factory.LazyAttribute(lambda row: row.example.label)
    predicted = "positive"
    answer = factory.LazyAttribute(lambda row: f'{{"label":"{row.predicted}"}}')
    is_right = factory.LazyAttribute(lambda row: row.expected == row.predicted)
    ms = 12
