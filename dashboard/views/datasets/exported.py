"""What the panel of exports shows, on its own and on the page of a version."""

from dashboard.models import DatasetVersion
from dashboard.services import datasets, exports

SHOWN_EXPORTS = 5


def context(version: DatasetVersion) -> dict[str, object]:
    """The formats that fit, and the newest files with how far each is."""
    found = list(exports.of_version(version)[:SHOWN_EXPORTS])
    return {
        "dataset": version.dataset,
        "version": version,
        "topic": datasets.topic(version),
        "formats": exports.formats_for(version),
        "split_parts": list(version.split.get("shares", {})),
        "exports": [(exported, exported.task.percent) for exported in found],
        "is_writing": any(not each.is_ready and not each.task.is_finished for each in found),
    }
