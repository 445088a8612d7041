"""What is trained on, and what trains."""

from collections.abc import Sequence

import factory
from django.utils.timezone import now
from factory.django import DjangoModelFactory

from dashboard.models import Dataset, DatasetVersion, Example, FineTuneJob, Provenance


class DatasetFactory(DjangoModelFactory[Dataset]):
    class Meta:
        model = Dataset

    name = factory.Sequence(lambda n: f"dataset {n}")


class ProvenanceFactory(DjangoModelFactory[Provenance]):
    class Meta:
        model = Provenance

    source = Provenance.Source.UPLOAD
    author = "ann"
    reference = "taught.jsonl"


class DatasetVersionFactory(DjangoModelFactory[DatasetVersion]):
    """A frozen version with as many examples as `n_examples` says, all from one provenance."""

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
    frozen_at = factory.LazyFunction(now)

    class Params:
        draft = factory.Trait(frozen_at=None, sha256="")

    @factory.post_generation
    def examples(self, create: bool, given: object, **kwargs: object) -> None:
        provenance = ProvenanceFactory()
        for position in range(self.n_examples):
            ExampleFactory(
                version=self, position=position, line=position + 1, provenance=provenance
            )


class ExampleFactory(DjangoModelFactory[Example]):
    class Meta:
        model = Example

    position = factory.Sequence(int)
    line = factory.Sequence(lambda n: n + 1)
    question = factory.LazyAttribute(lambda row: f"Where is room {row.position}?")
    answer = factory.LazyAttribute(lambda row: f"Room {row.position} is on floor {row.position}.")
    provenance = factory.SubFactory(ProvenanceFactory)
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


SHOPS = (
    ("Add to basket. Free delivery from 50 euros.", "positive"),
    ("The parliament debated the budget until midnight.", "negative"),
    ("Checkout, pay by card, returns within 30 days.", "positive"),
    ("A recipe for bread with caraway seeds.", "negative"),
)


class LabelledVersionFactory(DatasetVersionFactory):
    """A frozen version of texts with their labels: `LabelledVersionFactory(examples=[(text, label)])`."""

    kind = "labelled"
    file_format = "labelled-json"
    source_filename = "shops.json"

    @factory.post_generation
    def examples(
        self, create: bool, given: "Sequence[tuple[str, str]] | None", **kwargs: object
    ) -> None:
        provenance = ProvenanceFactory()
        rows = SHOPS if given is None else given
        for position, (text, label) in enumerate(rows):
            ExampleFactory(
                version=self,
                position=position,
                line=position + 1,
                provenance=provenance,
                record={"text": text, "label": label, "name": f"page {position}"},
                question=text,
                answer=label,
                label=label,
            )
        DatasetVersion.everything.filter(pk=self.pk).update(n_examples=len(rows))
        self.n_examples = len(rows)
