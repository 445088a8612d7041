"""What a draft may do now, and how open pages hear of what it did."""

from django.db.models import Max

from dashboard.models import Dataset, DatasetVersion, Task
from dashboard.services import datasets, outbox
from trainerbot.errors import Conflict, DatasetFrozen, NotFound

COPY = "copy-version"
FREEZE = "freeze-version"
AT_ONCE = 20_000
"""Rows up to which copying, freezing and discarding are done while the caller waits."""


def lock(version: DatasetVersion) -> DatasetVersion:
    """Return the draft as it is now, kept from others until the transaction ends.

    Raises DatasetFrozen for a frozen version, and Conflict while a long edit
    or the freezing of it runs.
    """
    found: DatasetVersion | None = (
        DatasetVersion.objects.select_for_update().filter(pk=version.pk).first()
    )
    if found is None:
        raise NotFound("This draft is gone: it was discarded.")
    if not found.is_draft:
        raise DatasetFrozen(f"{found} is frozen and never changes. Edit a copy of it.")
    running = found.edits.filter(is_done=False).first()
    if running is not None:
        raise Conflict(
            f"{found} is being changed ({running.get_verb_display().lower()}). "
            "Wait until that is done, or cancel it."
        )
    if freeze_task(found) is not None:
        raise Conflict(f"{found} is being frozen. Copy it afterwards to change it.")
    return found


def freeze_task(version: DatasetVersion) -> Task | None:
    """The task that freezes `version` just now, if there is one."""
    tasks = Task.objects.unfinished().filter(kind=FREEZE, args__version=version.pk)
    return tasks.filter(cancel_requested=False).first()


def next_number(dataset: Dataset) -> int:
    """The number of the next version. Lock the dataset first."""
    taken = DatasetVersion.everything.filter(dataset=dataset).aggregate(last=Max("number"))["last"]
    return (taken or 0) + 1


def next_position(version: DatasetVersion) -> int:
    """A position that neither `version` nor any version before it has used.

    So that a row of a version and the row at its place in a later one are one row.
    """
    highest = -1
    each: DatasetVersion | None = version
    seen: set[int] = set()
    while each is not None and each.pk not in seen:
        seen.add(each.pk)
        highest = max(highest, each.examples.last_position())
        each = each.parent
    return highest + 1


def announce(version: DatasetVersion) -> None:
    """Tell open pages, last in the transaction of the change."""
    for each in (datasets.TOPIC, datasets.topic(version)):
        outbox.publish(each, "dataset.changed", id=version.dataset_id)
