"""A frozen version is copied, the copy is frozen or discarded."""

import hashlib

import pytest
from django.db import connection

from dashboard.models import AuditEvent, Dataset, DatasetVersion, Example, OutboxEvent, Task
from dashboard.services import drafts, examples, searching, tasks
from dashboard.services.drafts import copying, discarding, freezing
from dashboard.services.examples import Filter
from tests.dashboard.drafts.making import chat, content, version_of
from tests.factories import UserFactory
from trainerbot.errors import Conflict, DatasetFrozen, InvalidInput, NotFound
from trainerbot.formats import canonical

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return version_of([chat(n) for n in range(8)])


def run_tasks(kind: str) -> None:
    for task in Task.objects.unfinished().filter(kind=kind):
        tasks.run_next("tests", pk=task.pk)


def found(version, words):
    return [row.position for row in examples.find(version, chosen=Filter(search=words)).rows]


def test_a_copy_is_a_draft_with_the_same_rows_and_the_version_as_its_parent(version):
    maya = UserFactory()

    draft = drafts.copy(version, actor=maya)

    assert (draft.number, draft.parent, draft.is_draft, draft.created_by) == (
        2,
        version,
        True,
        maya,
    )
    assert content(draft) == content(version)
    assert (draft.sha256, draft.n_bytes) == (version.sha256, version.n_bytes)
    assert list(DatasetVersion.objects.drafts()) == [draft]
    assert AuditEvent.objects.filter(action="dataset.copy", actor=maya).exists()


def test_the_words_of_a_copy_are_found_in_it(version):
    draft = drafts.copy(version, actor=None)
    assert found(draft, "violin strings") == [2]
    assert found(version, "violin strings") == [2]


def test_open_pages_hear_of_a_copy(version):
    drafts.copy(version, actor=None)
    topics = set(OutboxEvent.objects.values_list("topic", flat=True))
    assert {"datasets", f"dataset.{version.dataset_id}"} <= topics


def test_a_draft_cannot_be_copied(version):
    draft = drafts.copy(version, actor=None)
    with pytest.raises(InvalidInput, match="draft already"):
        drafts.copy(draft, actor=None)


def test_rows_that_were_removed_are_not_copied(version):
    draft = drafts.copy(version, actor=None)
    drafts.remove(draft, chosen=[3], actor=None)
    frozen = drafts.freeze(draft, actor=None)
    again = drafts.copy(frozen, actor=None)
    assert [row[0] for row in content(again)] == [0, 1, 2, 4, 5, 6, 7]


@pytest.fixture
def large(monkeypatch):
    """Every version counts as a large one, and is copied three rows at a time."""
    for module in (copying, discarding, freezing):
        monkeypatch.setattr(module, "AT_ONCE", 0)
        if hasattr(module, "BATCH"):
            monkeypatch.setattr(module, "BATCH", 3)
    monkeypatch.setattr(freezing, "HASHED_AT_ONCE", 3)


def test_a_large_version_is_copied_by_a_task_and_unseen_until_it_is_whole(version, large):
    draft = drafts.copy(version, actor=None)
    assert not draft.is_whole
    assert version.dataset.latest() == version
    assert drafts.copy_task(draft) is not None

    run_tasks(drafts.COPY)

    draft.refresh_from_db(from_queryset=DatasetVersion.everything.all())
    assert draft.is_whole
    assert content(draft) == content(version)


def test_a_copy_that_was_killed_goes_on_where_it_was(version, large):
    draft = drafts.copy(version, actor=None)
    calls = []

    def die(execute, sql, *args):
        calls.extend([sql] * sql.startswith("INSERT INTO dashboard_example ("))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return execute(sql, *args)

    with connection.execute_wrapper(die), pytest.raises(KeyboardInterrupt):
        run_tasks(drafts.COPY)
    Task.objects.filter(kind=drafts.COPY).update(state="ready", worker="", lease_until=None)
    run_tasks(drafts.COPY)

    assert content(draft) == content(version)
    assert found(draft, "violin strings") == [2]


def test_a_cancelled_copy_leaves_nothing(version, large):
    draft = drafts.copy(version, actor=None)
    drafts.discard(draft, actor=None)
    run_tasks(drafts.COPY)
    assert list(DatasetVersion.everything.all()) == [version]
    assert Example.objects.count() == 8


def test_freezing_marks_who_and_when_and_hashes_the_rows(version):
    maya = UserFactory()
    draft = drafts.copy(version, actor=maya)
    drafts.remove(draft, chosen=[0, 5], actor=maya)

    frozen = drafts.freeze(draft, actor=maya, note=" Without the bakery ")

    text = "".join(canonical(row.record) for row in frozen.examples.order_by("position"))
    assert frozen.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (frozen.n_examples, frozen.n_bytes) == (6, len(text.encode()))
    assert (frozen.frozen_by, frozen.note) == (maya, "Without the bakery")
    assert frozen.frozen_at is not None
    assert AuditEvent.objects.filter(action="dataset.freeze", actor=maya).exists()


def test_removed_rows_go_for_good_and_out_of_the_index(version):
    draft = drafts.copy(version, actor=None)
    drafts.remove(draft, chosen=[2], actor=None)
    drafts.freeze(draft, actor=None)
    assert not Example.objects.filter(version=draft, position=2).exists()
    assert found(draft, "violin strings") == []
    assert found(version, "violin strings") == [2]


def test_what_was_typed_into_an_edit_does_not_outlive_the_draft(version):
    draft = drafts.copy(version, actor=None)
    drafts.add(draft, record=chat(99, "Write to ann@example.org."), actor=None)
    drafts.rewrite(draft.examples.get(position=1), record=chat(98), actor=None)
    drafts.freeze(draft, actor=None)
    assert [edit.state for edit in drafts.edits(draft)] == [{}, {}]
    assert not any(edit.before.exists() for edit in drafts.edits(draft))


def test_nothing_is_taken_back_in_a_frozen_version(version):
    draft = drafts.copy(version, actor=None)
    drafts.remove(draft, chosen=[2], actor=None)
    drafts.freeze(draft, actor=None)
    with pytest.raises(DatasetFrozen, match="Edit a copy"):
        drafts.undo(draft, actor=None)


def test_an_empty_draft_is_not_frozen(version):
    draft = drafts.copy(version, actor=None)
    drafts.remove(draft, chosen=Filter(), actor=None)
    with pytest.raises(InvalidInput, match="has no examples"):
        drafts.freeze(draft, actor=None)
    assert drafts.undo(draft, actor=None).n_rows == 8


def test_the_same_rows_make_a_second_version_only_with_a_note_or_a_split(version):
    draft = drafts.copy(version, actor=None)
    with pytest.raises(Conflict, match="same examples"):
        drafts.freeze(draft, actor=None)
    assert drafts.freeze(draft, actor=None, note="Checked by hand").sha256 == version.sha256

    other = drafts.copy(version, actor=None)
    drafts.split(other, shares={"train": 0.5, "test": 0.5}, seed=1, actor=None)
    assert drafts.freeze(other, actor=None).sha256 == version.sha256


def test_a_frozen_version_is_not_frozen_again(version):
    with pytest.raises(DatasetFrozen):
        drafts.freeze(version, actor=None)


@pytest.mark.parametrize("note", ["x" * 2_001, "half \ud800"])
def test_a_note_that_cannot_be_stored_is_refused(version, note):
    draft = drafts.copy(version, actor=None)
    with pytest.raises(InvalidInput, match="note"):
        drafts.freeze(draft, actor=None, note=note)


def test_freezing_rows_that_nobody_edited_reads_none_of_them(version):
    draft = drafts.copy(version, actor=None)
    read = []

    def watch(execute, sql, *args):
        read.extend([sql] * ('"dashboard_example"."record"' in sql))
        return execute(sql, *args)

    with connection.execute_wrapper(watch):
        drafts.freeze(draft, actor=None, note="As it was")
    assert read == []


def test_a_large_edited_draft_is_frozen_by_a_task_during_which_nothing_changes(version, large):
    draft = drafts.copy(version, actor=None)
    run_tasks(drafts.COPY)
    draft = DatasetVersion.objects.get(pk=draft.pk)
    drafts.remove(draft, chosen=[1], actor=None)

    assert drafts.start_freezing(draft, actor=None) is not None
    with pytest.raises(Conflict, match="being frozen"):
        drafts.remove(draft, chosen=[2], actor=None)
    run_tasks(drafts.FREEZE)

    draft.refresh_from_db()
    assert (draft.n_examples, draft.is_draft) == (7, False)
    assert Example.objects.filter(version=draft).count() == 7


def test_freezing_by_a_task_may_begin_again(version, large):
    draft = drafts.copy(version, actor=None)
    run_tasks(drafts.COPY)
    draft = DatasetVersion.objects.get(pk=draft.pk)
    drafts.remove(draft, chosen=[1], actor=None)
    drafts.start_freezing(draft, actor=None)

    def die(execute, sql, *args):
        if 'DELETE FROM "dashboard_example"' in sql:
            raise KeyboardInterrupt
        return execute(sql, *args)

    with connection.execute_wrapper(die), pytest.raises(KeyboardInterrupt):
        run_tasks(drafts.FREEZE)
    draft.refresh_from_db()
    assert (draft.n_examples, draft.is_draft) == (7, False)

    Task.objects.filter(kind=drafts.FREEZE).update(state="ready", worker="", lease_until=None)
    run_tasks(drafts.FREEZE)
    assert Example.objects.filter(version=draft).count() == 7


def test_a_small_draft_is_frozen_at_once(version):
    draft = drafts.copy(version, actor=None)
    drafts.remove(draft, chosen=[1], actor=None)
    assert drafts.start_freezing(draft, actor=None) is None
    draft.refresh_from_db()
    assert not draft.is_draft


def test_a_discarded_draft_is_gone_with_its_words(version):
    draft = drafts.copy(version, actor=None)
    pks = list(draft.examples.values_list("pk", flat=True))

    drafts.discard(draft, actor=None)

    assert list(DatasetVersion.everything.all()) == [version]
    assert Example.objects.count() == 8
    with pytest.raises(NotFound, match="discarded"):
        drafts.remove(draft, chosen=[1], actor=None)
    if connection.vendor == "sqlite":
        sql = f"SELECT rowid FROM {searching.TABLE} WHERE {searching.TABLE} MATCH 'room'"
        with connection.cursor() as cursor:
            left = {pk for (pk,) in cursor.execute(sql).fetchall()}
        assert not left & set(pks)


def test_a_frozen_version_is_not_discarded(version):
    with pytest.raises(DatasetFrozen):
        drafts.discard(version, actor=None)


def test_a_dataset_whose_only_version_is_discarded_leaves_the_lists():
    draft = version_of([chat(1)], draft=True)
    drafts.discard(draft, actor=None)
    assert not Dataset.objects.current().exists()
