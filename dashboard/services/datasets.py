"""Datasets: found by name, written as training files, taken out of the lists."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now

from dashboard.models import Dataset, DatasetVersion
from dashboard.services import audit, outbox
from trainerbot.errors import NotFound
from trainerbot.formats import canonical, write
from trainerbot.formats.rows import Kind
from trainerbot.formats.writing import Written

TOPIC = "datasets"
READ_AT_ONCE = 500
# What a fine-tune of each method reads: preferences as they are, all else as conversations.
TRAINS_ON_PREFERENCES = "dpo"


def topic(version: DatasetVersion) -> str:
    """Where pages of the version's dataset hear of it; the list of all hears on TOPIC."""
    return f"dataset.{version.dataset_id}"


def named(name: str) -> Dataset:
    dataset = Dataset.objects.current().filter(name=" ".join(name.split())).first()
    if dataset is None:
        raise NotFound(
            f"There is no dataset {name!r}. `importdataset PATH --name {name}` makes it."
        )
    return dataset


def version_of(dataset: Dataset, number: int | None = None) -> DatasetVersion:
    """The version of that number, or the newest one."""
    found = dataset.latest() if number is None else dataset.versions.filter(number=number).first()
    if found is None:
        raise NotFound(f"{dataset.name} has no such version.")
    return found


@transaction.atomic
def archive(dataset: Dataset, *, actor: User | None) -> None:
    """Take a dataset out of the lists. Its versions stay, for the jobs that trained on them."""
    Dataset.objects.filter(pk=dataset.pk).update(archived_at=now())
    audit.record(actor, "dataset.delete", str(dataset))
    outbox.publish(TOPIC, "dataset.changed", id=dataset.pk)


def records(version: DatasetVersion, *, part: str = "") -> Iterator[dict[str, Any]]:
    """The records of a version in order, of one part of its split or of all."""
    rows = version.examples.kept(part=part).order_by("position")
    found = rows.values_list("record", flat=True)
    yield from found.iterator(chunk_size=READ_AT_ONCE)


def lines(version: DatasetVersion) -> Iterator[str]:
    """The rows of a version as canonical JSON lines, in order, each ending in a newline."""
    for record in records(version):
        yield canonical(record)


def write_training_file(
    version: DatasetVersion, path: Path, *, method: str, part: str = ""
) -> Written:
    """Write what a fine-tune by `method` reads of a version (of one part of its split).

    Preferences stay preferences for DPO; for other methods every kind becomes
    conversations. The SHA-256 of a whole chat version's file is the version's.
    """
    kind = Kind(version.kind)
    if method == TRAINS_ON_PREFERENCES:
        return write(records(version, part=part), path, format="dpo-jsonl", kind=kind)
    labels = label_names(version) if kind is Kind.LABELLED else ()
    found = records(version, part=part)
    return write(found, path, format="chat-jsonl", kind=kind, labels=labels)


def label_names(version: DatasetVersion) -> list[str]:
    """The classes of a labelled version, sorted."""
    return list(version.examples.exclude(label="").each_value("label"))
