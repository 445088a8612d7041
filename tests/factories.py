"""Rows for tests. Traits name the situation: `FineTuneJobFactory(running=True)`."""

import factory
from django.contrib.auth.models import Group, User
from factory.django import DjangoModelFactory

from dashboard.models import (
    Conversation,
    Correction,
    Dataset,
    DatasetVersion,
    Example,
    FineTuneJob,
    Message,
    Source,
    Task,
)
from dashboard.services.access import TRAINERS


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")

    class Params:
        admin = factory.Trait(is_superuser=True, is_staff=True)

    @factory.post_generation
    def trainer(self, create: bool, wanted: bool, **kwargs: object) -> None:
        if wanted:
            group, _ = Group.objects.get_or_create(name=TRAINERS)
            self.groups.add(group)


class DatasetFactory(DjangoModelFactory[Dataset]):
    class Meta:
        model = Dataset

    name = factory.Sequence(lambda n: f"dataset {n}")


class DatasetVersionFactory(DjangoModelFactory[DatasetVersion]):
    """A frozen version with as many examples as `n_examples` says."""

    class Meta:
        model = DatasetVersion
        skip_postgeneration_save = True

    dataset = factory.SubFactory(DatasetFactory)
    number = 1
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    n_examples = 12
    n_bytes = 1200
    file_format = "chat-jsonl"
    source_filename = "taught.jsonl"

    @factory.post_generation
    def examples(self, create: bool, given: object, **kwargs: object) -> None:
        for position in range(self.n_examples):
            ExampleFactory(version=self, position=position, line=position + 1)


class ExampleFactory(DjangoModelFactory[Example]):
    class Meta:
        model = Example

    position = factory.Sequence(int)
    line = factory.Sequence(lambda n: n + 1)
    question = factory.LazyAttribute(lambda row: f"Where is room {row.position}?")
    answer = factory.LazyAttribute(lambda row: f"Room {row.position} is on floor {row.position}.")
    source = Example.Source.UPLOAD
    record = factory.LazyAttribute(
        lambda row: {
            "messages": [
                {"role": "user", "content": row.question},
                {"role": "assistant", "content": row.answer},
            ]
        }
    )


class FineTuneJobFactory(DjangoModelFactory[FineTuneJob]):
    class Meta:
        model = FineTuneJob

    version = factory.SubFactory(DatasetVersionFactory)
    base_model = "smollm2-135m-instruct"
    method = "knn"
    endpoint = "modelserver"

    class Params:
        running = factory.Trait(
            status="running", remote_job_id=factory.Sequence(lambda n: f"ftjob-{n}")
        )
        succeeded = factory.Trait(
            status="succeeded",
            remote_job_id=factory.Sequence(lambda n: f"ftjob-{n}"),
            fine_tuned_model=factory.Sequence(lambda n: f"ft:smollm2-135m-instruct:knn:{n}"),
        )


class ConversationFactory(DjangoModelFactory[Conversation]):
    class Meta:
        model = Conversation

    source = Source.PLAYGROUND
    user = factory.SubFactory(UserFactory)


class QuestionFactory(DjangoModelFactory[Message]):
    class Meta:
        model = Message

    conversation = factory.SubFactory(ConversationFactory)
    role = Message.Role.USER
    content = "When does the library open?"
    source = Source.PLAYGROUND


class AnswerFactory(DjangoModelFactory[Message]):
    class Meta:
        model = Message

    conversation = factory.SubFactory(ConversationFactory)
    reply_to = factory.SubFactory(
        QuestionFactory, conversation=factory.SelfAttribute("..conversation")
    )
    role = Message.Role.ASSISTANT
    content = "It never closes."
    source = Source.PLAYGROUND
    model = "smollm2-135m-instruct"
    total_ms = 120


class CorrectionFactory(DjangoModelFactory[Correction]):
    class Meta:
        model = Correction

    question = factory.Sequence(lambda n: f"When does library number {n} open?")
    rejected_answer = "It never closes."
    better_answer = factory.Sequence(lambda n: f"At {n} o'clock.")
    author_name = "maya"

    class Params:
        approved = factory.Trait(state=Correction.State.APPROVED)


class TaskFactory(DjangoModelFactory[Task]):
    class Meta:
        model = Task

    kind = "tests.nothing"
