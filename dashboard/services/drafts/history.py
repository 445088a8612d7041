"""What was done to a draft, for its page."""

from django.db.models import QuerySet

from dashboard.models import DatasetEdit, DatasetVersion


def edits(version: DatasetVersion) -> QuerySet[DatasetEdit]:
    """The edits of a version, newest first, those that were taken back among them."""
    return version.edits.select_related("created_by").order_by("-pk")


def running(version: DatasetVersion) -> DatasetEdit | None:
    """The long edit that runs in `version`, if there is one."""
    return version.edits.filter(is_done=False).first()
