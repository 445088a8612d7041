"""What the supervisor sees becomes rows."""

import pytest

from dashboard.models import ProcessState
from dashboard.services.supervision.reporter import Reporter
from dashboard.services.supervision.supervisor import Report, State


def written(*reports: Report, left_out: dict[str, str] | None = None) -> dict[str, ProcessState]:
    reporter = Reporter(self_reporting={"worker"}, left_out=left_out or {})
    for report in reports:
        reporter.put(report)
    reporter.start()
    reporter.close()
    return {row.name: row for row in ProcessState.objects.all()}


@pytest.mark.django_db(transaction=True)
def test_a_crash_is_written_with_its_exit_code_and_words():
    rows = written(
        Report("web", State.RUNNING, 41, 0, None, ""),
        Report("web", State.BACKOFF, 41, 0, 3, "Ended (exit code 3)."),
    )

    web = rows["web"]
    assert (web.state, web.pid, web.exit_code, web.message) == (
        ProcessState.State.BACKOFF,
        41,
        3,
        "Ended (exit code 3).",
    )


@pytest.mark.django_db(transaction=True)
def test_a_program_that_speaks_for_itself_is_only_said_to_start():
    rows = written(
        Report("worker", State.RUNNING, 42, 1, None, ""),
        Report("web", State.RUNNING, 43, 0, None, ""),
    )

    assert rows["worker"].state == ProcessState.State.STARTING
    assert rows["worker"].restarts == 1
    assert rows["web"].state == ProcessState.State.RUNNING


@pytest.mark.django_db(transaction=True)
def test_what_is_left_out_is_written_with_the_reason():
    rows = written(left_out={"bot": "No DISCORD_TOKEN is set."})

    assert rows["bot"].state == ProcessState.State.DISABLED
    assert rows["bot"].message == "No DISCORD_TOKEN is set."


@pytest.mark.django_db(transaction=True)
def test_the_supervisor_says_at_its_end_that_it_stopped():
    assert written()["supervisor"].state == ProcessState.State.STOPPED
