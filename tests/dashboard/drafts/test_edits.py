"""Every edit of a draft, and the way back."""

import pytest

from dashboard.models import AuditEvent, DatasetEdit, OutboxEvent, Provenance, Task
from dashboard.services import drafts, examination
from dashboard.services.drafts.freezing import sum_up
from dashboard.services.examples import Filter
from tests.dashboard.drafts.making import chat, content, found, positions, row, sums, version_of
from tests.factories import UserFactory
from trainerbot.errors import Conflict, DatasetFrozen, InvalidInput, NotFound
from trainerbot.formats.rows import Kind

pytestmark = pytest.mark.django_db


def true_sums(draft):
    """What the rows really come to, against which the sums of a version are held."""
    return sum_up(draft)


def test_a_row_is_rewritten_and_comes_back(draft):
    before, before_sums = content(draft), sums(draft)
    maya = UserFactory()

    edit = drafts.rewrite(row(draft, 3), record=chat(3, "No swans at all."), actor=maya)

    changed = row(draft, 3)
    assert (changed.answer, changed.edited, changed.n_tokens) == ("No swans at all.", True, None)
    assert (edit.verb, edit.n_rows, edit.created_by, edit.is_done) == ("rewrite", 1, maya, True)
    assert draft.sha256 == ""
    assert draft.n_bytes == true_sums(draft).n_bytes
    assert found(draft, "swans at all") == [3]
    assert found(draft, "mill bridge") == []

    drafts.undo(draft, actor=maya)

    assert content(draft) == before
    assert sums(draft) == before_sums
    assert found(draft, "mill bridge") == [3]
    assert found(draft, "no swans at all") == []


def test_a_faulty_record_is_refused_with_the_reason(draft):
    faulty = {"messages": [{"role": "wizard", "content": "Abracadabra"}]}
    with pytest.raises(InvalidInput, match=r"cannot be stored.*role"):
        drafts.rewrite(row(draft, 3), record=faulty, actor=None)
    assert not draft.edits.exists()


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"messages": "none"},
        {"messages": [{"role": "user", "content": "half \ud800"}]},
        {"messages": [{"role": "user", "content": "zero \x00"}]},
        chat(1) | {"metadata": float("nan")},
        chat(1) | {"metadata": {1, 2}},
        {"text": "of another kind", "label": "x"},
    ],
)
def test_nothing_that_could_not_be_imported_is_typed_in(draft, record):
    with pytest.raises(InvalidInput):
        drafts.rewrite(row(draft, 3), record=record, actor=None)
    with pytest.raises(InvalidInput):
        drafts.add(draft, record=record, actor=None)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            Kind.PREFERENCE,
            {
                "input": {"messages": [{"role": "user", "content": "Which one?"}]},
                "preferred_output": [{"role": "assistant", "content": "This one."}],
                "non_preferred_output": [{"role": "assistant", "content": "None."}],
            },
            {"input": {"messages": []}, "preferred_output": []},
        ),
        (
            Kind.UNPAIRED,
            {
                "prompt": [{"role": "user", "content": "Which one?"}],
                "completion": [{"role": "assistant", "content": "This one."}],
                "label": True,
            },
            {"prompt": [], "completion": [], "label": "maybe"},
        ),
        (Kind.LABELLED, {"text": "Buy now", "label": "shop"}, {"text": 7, "label": ""}),
    ],
)
def test_each_kind_has_its_own_rules(kind, good, bad):
    draft = version_of([good], kind=kind, draft=True)
    drafts.add(draft, record=good | {}, actor=None)
    assert row(draft, 1).record == good
    with pytest.raises(InvalidInput):
        drafts.add(draft, record=bad, actor=None)


def test_the_second_of_two_people_is_told_that_the_row_changed(draft):
    seen = drafts.revision(row(draft, 3))
    drafts.rewrite(row(draft, 3), record=chat(3, "First."), actor=None, seen=seen)
    with pytest.raises(Conflict, match="Somebody else changed example 3"):
        drafts.rewrite(row(draft, 3), record=chat(3, "Second."), actor=None, seen=seen)
    assert row(draft, 3).answer == "First."


def test_a_removed_row_cannot_be_rewritten(draft):
    example = row(draft, 3)
    drafts.remove(draft, chosen=[3], actor=None)
    with pytest.raises(NotFound, match="no longer"):
        drafts.rewrite(example, record=chat(3, "Late."), actor=None)


def test_a_row_that_stays_the_same_is_no_edit(draft):
    with pytest.raises(InvalidInput, match="Nothing would change"):
        drafts.rewrite(row(draft, 3), record=chat(3), actor=None)
    assert not draft.edits.exists()


def test_a_row_is_added_behind_all_others_by_whom_it_says(draft):
    before, before_sums = content(draft), sums(draft)
    maya = UserFactory()

    drafts.add(draft, record=chat(99), actor=maya)

    added = row(draft, 8)
    assert added.record == chat(99)
    assert added.provenance.source == Provenance.Source.DASHBOARD
    assert added.provenance.author == maya.get_username()
    assert draft.n_examples == 9
    assert draft.n_bytes == true_sums(draft).n_bytes
    assert found(draft, "number 692881") == []
    assert found(draft, "room 99") == [8]
    drafts.undo(draft, actor=None)
    assert content(draft) == before
    assert sums(draft) == before_sums
    assert found(draft, "room 99") == []


def test_a_position_is_never_used_for_another_row(draft):
    drafts.remove(draft, chosen=[7], actor=None)
    second = drafts.copy(drafts.freeze(draft, actor=None), actor=None)
    drafts.add(second, record=chat(99), actor=None)
    assert positions(second) == [0, 1, 2, 3, 4, 5, 6, 8]


def test_rows_are_removed_by_position_and_come_back(draft):
    before, before_sums = content(draft), sums(draft)

    edit = drafts.remove(draft, chosen=[1, 5, 5, 999], actor=None)

    assert edit.n_rows == 2
    assert positions(draft) == [0, 2, 3, 4, 6, 7]
    assert draft.n_examples == 6
    assert draft.n_bytes == true_sums(draft).n_bytes
    drafts.undo(draft, actor=None)
    assert content(draft) == before
    assert sums(draft) == before_sums


def test_rows_are_removed_by_what_a_filter_shows(draft):
    drafts.remove(draft, chosen=Filter(search="copper"), actor=None)
    assert positions(draft) == [0, 1, 2, 3, 5, 6, 7]
    draft.examples.filter(position__in=[0, 6]).update(outlier=1)
    drafts.remove(draft, chosen=Filter(marked="long"), actor=None)
    assert positions(draft) == [1, 2, 3, 5, 7]


@pytest.mark.parametrize("chosen", [[], [999], Filter(search="nowhere"), Filter(marked="removed")])
def test_removing_nothing_is_no_edit(draft, chosen):
    with pytest.raises(InvalidInput):
        drafts.remove(draft, chosen=chosen, actor=None)
    assert not draft.edits.exists()


def test_edits_are_taken_back_newest_first_and_done_again(draft):
    drafts.remove(draft, chosen=[1], actor=None)
    drafts.rewrite(row(draft, 2), record=chat(2, "Second."), actor=None)
    drafts.add(draft, record=chat(50), actor=None)
    after = content(draft)

    undone = [drafts.undo(draft, actor=None).verb for _ in range(3)]
    again = [drafts.redo(draft, actor=None).verb for _ in range(3)]

    assert undone == ["add", "rewrite", "remove"]
    assert again == ["remove", "rewrite", "add"]
    assert content(draft) == after
    assert draft.n_bytes == true_sums(draft).n_bytes
    with pytest.raises(InvalidInput, match="nothing to do again"):
        drafts.redo(draft, actor=None)


def test_after_another_edit_nothing_is_done_again(draft):
    drafts.remove(draft, chosen=[1], actor=None)
    drafts.undo(draft, actor=None)
    drafts.remove(draft, chosen=[2], actor=None)
    with pytest.raises(InvalidInput, match="nothing to do again"):
        drafts.redo(draft, actor=None)
    drafts.undo(draft, actor=None)
    assert len(content(draft)) == 8


def test_there_is_an_end_to_taking_back(draft):
    with pytest.raises(InvalidInput, match="nothing to take back"):
        drafts.undo(draft, actor=None)


def test_a_frozen_version_is_not_edited(draft):
    version = draft.parent
    for act in (
        lambda: drafts.remove(version, chosen=[1], actor=None),
        lambda: drafts.rewrite(row(version, 1), record=chat(9), actor=None),
        lambda: drafts.add(version, record=chat(9), actor=None),
        lambda: drafts.deduplicate(version, actor=None),
        lambda: drafts.mask(version, actor=None),
        lambda: drafts.split(version, shares={"train": 1.0}, seed=1, actor=None),
        lambda: drafts.undo(version, actor=None),
        lambda: drafts.redo(version, actor=None),
    ):
        with pytest.raises(DatasetFrozen, match="Edit a copy"):
            act()
    assert not DatasetEdit.objects.exists()


def test_an_edit_is_told_to_open_pages_and_examined_later(draft):
    OutboxEvent.objects.all().delete()
    drafts.remove(draft, chosen=[1], actor=None)
    topics = set(OutboxEvent.objects.values_list("topic", flat=True))
    assert {"datasets", f"dataset.{draft.dataset_id}"} <= topics
    waiting = Task.objects.filter(kind=examination.EXAMINE, state="ready")
    assert waiting.get().args["version"] == draft.pk
    assert AuditEvent.objects.filter(action="dataset.edit").exists()


def test_the_list_of_edits_is_newest_first(draft):
    drafts.remove(draft, chosen=[1], actor=None)
    drafts.remove(draft, chosen=[2], actor=None)
    assert [edit.args["positions"] for edit in drafts.edits(draft)] == [[2], [1]]
