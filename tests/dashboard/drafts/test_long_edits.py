"""Edits of many rows: tasks that survive a kill, can be stopped, and keep others out meanwhile."""

import pytest
from django.db import connection

from dashboard.models import DatasetEdit, EditedExample, Task
from dashboard.services import drafts, tasks
from dashboard.services.drafts import editing, selecting
from tests.dashboard.drafts.making import chat, content, sums, version_of
from trainerbot.errors import Conflict

pytestmark = pytest.mark.django_db
SHARES = {"train": 0.5, "test": 0.5}
N_ROWS = 20


@pytest.fixture
def draft(monkeypatch):
    """Every edit counts as a long one, and works on three rows at a time."""
    monkeypatch.setattr(editing, "LONG", 0)
    monkeypatch.setattr("dashboard.services.drafts.verbs.LONG", 0)
    monkeypatch.setattr(editing, "RESTORED_AT_ONCE", 3)
    monkeypatch.setattr(selecting, "BATCH", 3)
    monkeypatch.setattr("dashboard.services.drafts.duplicates.BATCH", 3)
    rows = [
        chat(n % 18, "" if n % 3 else f"Write to p{n % 18}@example.org.") for n in range(N_ROWS)
    ]
    return version_of(rows, draft=True)


LONG_EDITS = {
    "remove": lambda draft: drafts.remove(draft, chosen=range(4, 18), actor=None),
    "mask": lambda draft: drafts.mask(draft, actor=None),
    "deduplicate": lambda draft: drafts.deduplicate(draft, actor=None),
    "split": lambda draft: drafts.split(draft, shares=SHARES, seed=3, actor=None),
}


def run(n_tries: int = 1) -> None:
    for _ in range(n_tries):
        for task in Task.objects.unfinished().filter(kind=drafts.EDIT):
            tasks.run_next("tests", pk=task.pk)


class Killed(BaseException):
    """The process ends here; nothing may clean up behind it."""


def run_killed(at: int) -> bool:
    """Run the waiting task and kill it at its `at`th statement; whether it came so far."""
    seen = 0

    def kill(execute, sql, *args):
        nonlocal seen
        seen += 1
        if seen == at:
            raise Killed
        return execute(sql, *args)

    try:
        with connection.execute_wrapper(kill):
            run()
    except Killed:
        Task.objects.filter(kind=drafts.EDIT, state="running").update(
            state="ready", worker="", lease_until=None
        )
        return True
    return False


@pytest.mark.parametrize("name", LONG_EDITS)
def test_a_long_edit_is_a_task_and_says_how_far_it_is(draft, name):
    edit = LONG_EDITS[name](draft)
    assert not edit.is_done
    assert drafts.running(draft) == edit
    assert drafts.edit_task(edit) is not None

    run()

    edit.refresh_from_db()
    assert edit.is_done
    assert edit.n_rows > 0
    assert drafts.running(draft) is None
    assert Task.objects.get(kind=drafts.EDIT).state == "succeeded"


@pytest.mark.parametrize("name", LONG_EDITS)
def test_a_long_edit_comes_to_the_same_as_a_short_one(draft, name, monkeypatch):
    other = version_of([row.record for row in draft.examples.order_by("position")], draft=True)
    LONG_EDITS[name](draft)
    run()
    monkeypatch.setattr(editing, "LONG", 100)
    monkeypatch.setattr("dashboard.services.drafts.verbs.LONG", 100)
    LONG_EDITS[name](other)

    assert [row[:-1] for row in content(draft)] == [row[:-1] for row in content(other)]
    assert sums(draft) == sums(other)


@pytest.mark.parametrize("name", LONG_EDITS)
def test_a_killed_edit_and_its_killed_undo_lose_and_double_nothing(draft, name):
    before, before_sums = content(draft), sums(draft)
    LONG_EDITS[name](draft)
    at = 3
    while run_killed(at):
        at += 11
    assert drafts.running(draft) is None
    after, edit = content(draft), draft.edits.get()
    assert after != before

    drafts.undo(draft, actor=None)
    at = 3
    while run_killed(at):
        at += 11

    assert content(draft) == before
    assert sums(draft) == before_sums
    assert not EditedExample.objects.exists()

    drafts.redo(draft, actor=None)
    run()
    assert content(draft) == after
    assert draft.edits.get().n_rows == edit.n_rows


def test_nobody_else_changes_a_draft_meanwhile(draft):
    edit = drafts.mask(draft, actor=None)
    for act in (
        lambda: drafts.remove(draft, chosen=[1], actor=None),
        lambda: drafts.undo(draft, actor=None),
        lambda: drafts.freeze(draft, actor=None),
        lambda: drafts.discard(draft, actor=None),
    ):
        with pytest.raises(Conflict, match="is being changed"):
            act()
    assert list(DatasetEdit.objects.all()) == [edit]


def test_a_cancelled_edit_is_taken_back(draft):
    before, before_sums = content(draft), sums(draft)
    drafts.remove(draft, chosen=range(4, 18), actor=None)
    run_killed(40)
    assert draft.examples.exclude(removed_by=None).exists()

    drafts.cancel(draft, actor=None)
    run(2)

    assert content(draft) == before
    assert sums(draft) == before_sums
    assert not draft.edits.exists()


def test_an_edit_is_cancelled_between_two_of_its_steps(draft):
    before = content(draft)
    edit = drafts.remove(draft, chosen=range(4, 18), actor=None)
    asked = []

    def ask(execute, sql, *args):
        if sql.startswith('UPDATE "dashboard_example"') and not asked:
            asked.append(sql)
            Task.objects.filter(pk=drafts.edit_task(edit).pk).update(cancel_requested=True)
        return execute(sql, *args)

    with connection.execute_wrapper(ask):
        run()
    assert drafts.running(draft) is not None
    run()
    assert content(draft) == before
    assert drafts.running(draft) is None


def test_only_what_runs_can_be_cancelled(draft):
    with pytest.raises(Conflict, match="Nothing is running"):
        drafts.cancel(draft, actor=None)


def test_an_edit_whose_task_was_stopped_by_others_is_mended(draft):
    before = content(draft)
    drafts.remove(draft, chosen=range(4, 18), actor=None)
    run_killed(40)
    Task.objects.filter(kind=drafts.EDIT).update(state="cancelled")

    assert drafts.mend() == 1
    run()

    assert content(draft) == before
    assert drafts.mend() == 0


def test_an_edit_that_would_change_nothing_leaves_no_trace(draft):
    drafts.deduplicate(draft, actor=None)
    run()
    n_edits = draft.edits.count()
    drafts.deduplicate(draft, actor=None)
    run()
    assert draft.edits.count() == n_edits
    assert drafts.running(draft) is None
