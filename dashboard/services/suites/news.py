"""What open pages hear of suites and their runs."""

from typing import Final

from dashboard.models import SuiteRun
from dashboard.services import outbox

TOPIC: Final = "suites"


def topic(run: SuiteRun) -> str:
    return f"suiterun.{run.pk}"


def announce(run: SuiteRun) -> None:
    """Tell open pages, in the transaction of the change."""
    for each in (topic(run), TOPIC):
        outbox.publish(each, "suiterun.changed", id=run.pk, n_done=run.n_done)


def announce_version(version_id: int) -> None:
    outbox.publish(TOPIC, "suiteversion.made", id=version_id)
