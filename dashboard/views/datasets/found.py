"""Which dataset, which version, who asks: what every address of a dataset begins with."""

from dashboard.models import Dataset, DatasetVersion
from dashboard.views.doors import reader
from trainerbot.errors import NotFound

__all__ = ["dataset_of", "reader", "version_of"]


def dataset_of(pk: int) -> Dataset:
    dataset = Dataset.objects.current().filter(pk=pk).first()
    if dataset is None:
        raise NotFound("There is no such dataset. It may have been deleted.")
    return dataset


def version_of(pk: int, number: int) -> DatasetVersion:
    """The version of that number of a dataset that is still in the lists."""
    dataset = dataset_of(pk)
    version = dataset.versions.select_related("parent").filter(number=number).first()
    if version is None:
        raise NotFound(f"{dataset.name} has no version {number}. It may have been discarded.")
    version.dataset = dataset
    return version
