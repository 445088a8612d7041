"""Edits of many rows at once: duplicates, private data, labels, a split."""

import pytest
from django.db import connection

from dashboard.models import Task
from dashboard.services import drafts, examination, searching, tasks
from dashboard.services.examples import Filter
from tests.dashboard.drafts.making import (
    ROOMS,
    chat,
    content,
    found,
    labelled,
    positions,
    row,
    sums,
    version_of,
)
from trainerbot.curation import fingerprint, text_of
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

pytestmark = pytest.mark.django_db


@pytest.mark.origin(25)
def test_of_exact_duplicates_the_first_stays():
    same = chat(1)
    louder = {
        "messages": [{**each, "content": each["content"].upper()} for each in same["messages"]]
    }
    draft = version_of([same, chat(2), louder, chat(3), same], draft=True)
    before = content(draft)

    edit = drafts.deduplicate(draft, actor=None, near=False)

    assert (edit.n_rows, positions(draft)) == (2, [0, 1, 3])
    drafts.undo(draft, actor=None)
    assert content(draft) == before


def near(n):
    """Two long answers that differ in one word."""
    long = " ".join(ROOMS)
    return chat(1, long), chat(1, long.replace("bread", "cake"))


def test_of_near_duplicates_the_first_stays():
    one, other = near(1)
    draft = version_of([chat(5), one, chat(6), other], draft=True)
    assert drafts.deduplicate(draft, actor=None).n_rows == 1
    assert positions(draft) == [0, 1, 2]


def test_near_duplicates_stay_where_only_exact_ones_are_to_go():
    one, other = near(1)
    draft = version_of([one, other, one], draft=True)
    drafts.deduplicate(draft, actor=None, near=False)
    assert positions(draft) == [0, 1]


def test_an_exact_duplicate_of_a_near_one_goes_as_well():
    one, other = near(1)
    draft = version_of([one, other, other], draft=True)
    drafts.deduplicate(draft, actor=None)
    assert positions(draft) == [0]


def test_the_same_words_under_another_label_stay():
    records = [labelled(1, "shop"), labelled(1, "club"), labelled(1, "shop")]
    draft = version_of(records, kind=Kind.LABELLED, draft=True)
    drafts.deduplicate(draft, actor=None)
    assert positions(draft) == [0, 1]


def test_rows_edited_since_the_examination_are_looked_at_anew(draft):
    draft.summary = {"state": "done", "duplicates": {"exact": 0, "near": 0}}
    draft.save(update_fields=["summary"])
    Task.objects.all().delete()
    with pytest.raises(InvalidInput, match="Nothing would change"):
        drafts.deduplicate(draft, actor=None)

    drafts.rewrite(row(draft, 6), record=chat(2), actor=None)

    assert drafts.deduplicate(draft, actor=None).n_rows == 1
    assert 6 not in positions(draft)


def test_the_marks_of_the_examination_are_taken_where_they_are_true(draft):
    draft.examples.filter(position=4).update(duplicate_of=1, likeness=0.9)
    draft.summary = {"state": "done", "duplicates": {"exact": 0, "near": 1}}
    draft.save(update_fields=["summary"])
    Task.objects.all().delete()
    assert drafts.deduplicate(draft, actor=None).n_rows == 1
    assert 4 not in positions(draft)


def test_private_data_is_masked_and_comes_back():
    private = chat(1, "Write to ann@example.org, she knows.")
    draft = version_of([chat(0), private, chat(2), chat(3, "Or to bob@example.org.")], draft=True)
    before = content(draft)

    edit = drafts.mask(draft, actor=None)

    assert edit.n_rows == 2
    assert "ann@example.org" not in str(row(draft, 1).record)
    assert row(draft, 1).edited
    assert found(draft, "ann") == []
    drafts.undo(draft, actor=None)
    assert content(draft) == before
    assert found(draft, "ann") == [1]


def test_private_data_is_masked_in_the_chosen_rows_only():
    rows = [chat(n, f"Write to person{n}@example.org.") for n in range(3)]
    draft = version_of(rows, draft=True)
    drafts.mask(draft, chosen=[1], actor=None)
    assert [("example.org" in row(draft, n).answer) for n in range(3)] == [True, False, True]


def test_a_searched_word_that_an_edit_takes_away_does_not_become_the_beginning_of_others(
    monkeypatch,
):
    named = [chat(n, f"Write to ann@example.org about {ROOMS[n]}.") for n in range(3)]
    draft = version_of([*named, chat(3, "The annual report: bob@example.org.")], draft=True)
    meant = found(draft, "ann")  # PostgreSQL takes an address for one word, so all that begin so
    others = sorted(set(range(4)) - set(meant))
    monkeypatch.setattr(searching, "LOOKED_AT", 3)

    edit = drafts.mask(draft, chosen=Filter(search="ann"), actor=None)
    if (task := drafts.edit_task(edit)) is not None:
        tasks.run_next("tests", pk=task.pk)

    edit.refresh_from_db()
    assert meant[:3] == [0, 1, 2]
    assert (edit.n_rows, edit.is_done) == (len(meant), True)
    assert all("@example.org" in row(draft, n).answer for n in others)
    drafts.undo(draft, actor=None)
    assert drafts.redo(draft, actor=None).n_rows == len(meant)
    assert all("@example.org" in row(draft, n).answer for n in others)


def test_labels_are_changed_for_a_selection_and_come_back():
    records = [labelled(n, "shop") for n in range(4)]
    draft = version_of(records, kind=Kind.LABELLED, draft=True)
    before = content(draft)

    drafts.relabel(draft, chosen=[1, 2], label="club", actor=None)

    assert [row(draft, n).label for n in range(4)] == ["shop", "club", "club", "shop"]
    assert row(draft, 1).record["label"] == "club"
    drafts.undo(draft, actor=None)
    assert content(draft) == before


def test_a_relabelled_filter_does_not_run_in_circles():
    records = [labelled(n, "shop" if n % 2 else "club") for n in range(4)]
    draft = version_of(records, kind=Kind.LABELLED, draft=True)
    drafts.relabel(draft, chosen=Filter(label="shop"), label="club", actor=None)
    assert {row(draft, n).label for n in range(4)} == {"club"}


def test_judged_answers_become_good_or_bad():
    judged = {
        "prompt": [{"role": "user", "content": "Which one?"}],
        "completion": [{"role": "assistant", "content": "This one."}],
        "label": True,
    }
    draft = version_of([judged], kind=Kind.UNPAIRED, draft=True)
    drafts.relabel(draft, chosen=[0], label="bad", actor=None)
    assert row(draft, 0).record["label"] is False
    with pytest.raises(InvalidInput, match='"good" or "bad"'):
        drafts.relabel(draft, chosen=[0], label="so-so", actor=None)


@pytest.mark.parametrize("label", ["", "  ", "x" * 101, "bell\x07"])
def test_an_unusable_label_is_refused(label):
    draft = version_of([labelled(1, "shop")], kind=Kind.LABELLED, draft=True)
    with pytest.raises(InvalidInput, match="label"):
        drafts.relabel(draft, chosen=[0], label=label, actor=None)


def test_conversations_have_no_labels(draft):
    with pytest.raises(InvalidInput, match="no labels"):
        drafts.relabel(draft, chosen=[0], label="good", actor=None)


@pytest.mark.origin(25)
def test_a_split_is_seeded_and_undone():
    records = [chat(n) for n in range(40)]
    one, other = version_of(records, draft=True), version_of(records, draft=True)
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    before, before_sums = content(one), sums(one)

    drafts.split(one, shares=shares, seed=7, actor=None)
    drafts.split(other, shares=shares, seed=7, actor=None)

    parts = [each[6] for each in content(one)]
    assert parts == [each[6] for each in content(other)]
    assert {part: parts.count(part) for part in parts} == {"train": 32, "validation": 4, "test": 4}
    assert one.split == {"seed": 7, "shares": shares}
    assert one.sha256 == before_sums[2]
    drafts.split(one, shares={"train": 0.5, "test": 0.5}, seed=8, actor=None)
    drafts.undo(one, actor=None)
    assert [each[6] for each in content(one)] == parts
    drafts.undo(one, actor=None)
    assert content(one) == before
    assert sums(one) == before_sums


def test_a_split_tears_no_near_duplicates_apart_and_keeps_the_balance():
    one, other = near(1)
    draft = version_of([*(chat(n) for n in range(10, 30)), one, other], draft=True)
    for seed in range(4):
        drafts.split(draft, shares={"train": 0.5, "test": 0.5}, seed=seed, actor=None)
        assert row(draft, 20).part == row(draft, 21).part

    records = [labelled(n, "shop" if n % 4 else "club") for n in range(40)]
    by_label = version_of(records, kind=Kind.LABELLED, draft=True)
    drafts.split(by_label, shares={"train": 0.5, "test": 0.5}, seed=1, actor=None)
    test = by_label.examples.filter(part="test")
    assert (test.filter(label="club").count(), test.filter(label="shop").count()) == (5, 15)


@pytest.mark.parametrize(
    ("shares", "seed"),
    [({"train": 0.5}, 1), ({"test": 1.0}, 1), ({"train": 0.9, "test": 0.1}, -1)],
)
def test_a_split_that_cannot_be_is_refused(draft, shares, seed):
    with pytest.raises(InvalidInput):
        drafts.split(draft, shares=shares, seed=seed, actor=None)


def test_a_row_added_to_a_split_draft_is_trained_on(draft):
    drafts.split(draft, shares={"train": 0.5, "test": 0.5}, seed=1, actor=None)
    drafts.add(draft, record=chat(50), actor=None)
    assert row(draft, 8).part == "train"


def test_what_is_rewritten_while_it_is_examined_is_examined_as_it_is_now(draft):
    old = row(draft, 2)
    searching.forget([(old.pk, text_of(old.record, Kind.CHAT))])
    draft.examples.filter(position=2).update(digest=None)  # as from before there was an index
    examination.request(draft, soon=True)
    rewritten = []

    def meddle(execute, sql, *args):
        if sql.startswith('UPDATE "dashboard_task"') and '"step" = ' in sql and not rewritten:
            rewritten.append(sql)
            drafts.rewrite(row(draft, 2), record=chat(60), actor=None)
        return execute(sql, *args)

    with connection.execute_wrapper(meddle):
        tasks.run_next("tests", pk=Task.objects.get(kind=examination.EXAMINE).pk)

    after = row(draft, 2)
    assert rewritten
    assert (after.digest, after.n_tokens) == (fingerprint(chat(60), Kind.CHAT), None)
    assert found(draft, "room 60") == [2]
    assert found(draft, "violin strings") == []
