"""Two versions side by side."""

import pytest

from dashboard.services import differences, drafts
from tests.dashboard.drafts.making import chat, labelled, version_of
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def first():
    return version_of([chat(n) for n in range(8)])


def edited(version):
    """A draft in which row 2 was rewritten, 5 removed, one added, and 6 changed to and fro."""
    draft = drafts.copy(version, actor=None)
    drafts.rewrite(draft.examples.get(position=2), record=chat(2, "New strings."), actor=None)
    drafts.remove(draft, chosen=[5], actor=None)
    drafts.add(draft, record=chat(50), actor=None)
    drafts.rewrite(draft.examples.get(position=6), record=chat(6, "To."), actor=None)
    drafts.rewrite(draft.examples.get(position=6), record=chat(6), actor=None)
    return draft


def told(page):
    return [
        (
            change.kind,
            change.before.position if change.before else None,
            change.after.position if change.after else None,
        )
        for change in page.changes
    ]


def counts(comparison):
    found = comparison.counts
    return (found.added, found.removed, found.changed, found.kept)


def words(pieces):
    return [(piece.change.value, piece.text) for piece in pieces]


CHANGES = [("changed", 2, 2), ("removed", 5, None), ("added", None, 8)]


def test_a_draft_is_compared_with_the_version_that_it_was_copied_from(first):
    comparison = differences.between(first, edited(first))
    assert counts(comparison) == (1, 1, 1, 6)
    assert told(comparison.page()) == CHANGES
    assert not comparison.is_same


def test_a_frozen_version_is_compared_with_any_of_its_ancestors(first):
    second = drafts.freeze(edited(first), actor=None)
    draft = drafts.copy(second, actor=None)
    drafts.rewrite(draft.examples.get(position=0), record=chat(0, "Closed."), actor=None)
    drafts.remove(draft, chosen=[8], actor=None)
    drafts.add(draft, record=chat(60), actor=None)
    third = drafts.freeze(draft, actor=None)

    assert told(differences.between(first, third).page()) == [
        ("changed", 0, 0),
        ("changed", 2, 2),
        ("removed", 5, None),
        ("added", None, 9),
    ]
    assert counts(differences.between(second, third)) == (1, 1, 1, 6)


def test_what_changed_is_told_word_by_word(first):
    change = differences.between(first, edited(first)).page().changes[0]
    assert words(change.question) == [("same", change.before.question)]
    pieces = words(change.answer)
    assert "".join(text for kind, text in pieces if kind != "added") == change.before.answer
    assert "".join(text for kind, text in pieces if kind != "removed") == "New strings."
    assert change.keys == ["messages"]


def test_a_changed_system_message_shows_in_the_text(first):
    draft = drafts.copy(first, actor=None)
    record = {"messages": [{"role": "system", "content": "Be brief."}, *chat(1)["messages"]]}
    drafts.rewrite(draft.examples.get(position=1), record=record, actor=None)
    (change,) = differences.between(first, draft).page().changes
    assert words(change.question)[0][0] == "same"
    added = [text for kind, text in words(change.text) if kind == "added"]
    assert added[0].startswith("Be brief.")


def test_pages_follow_each_other(first):
    draft = edited(first)
    comparison = differences.between(first, draft)
    found, after = [], ""
    while True:
        page = comparison.page(after=after, size=1)
        found += told(page)
        after = page.after
        if not after:
            break
    assert found == CHANGES
    assert told(comparison.page(only="removed")) == [CHANGES[1]]
    assert [change.kind for change in comparison.all()] == ["changed", "removed", "added"]


@pytest.mark.parametrize("token", ["x", "changed-x", "gone-3", "changed--1"])
def test_a_damaged_page_address_is_told(first, token):
    comparison = differences.between(first, edited(first))
    with pytest.raises(InvalidInput, match="damaged"):
        comparison.page(after=token)
    with pytest.raises(InvalidInput):
        comparison.page(only="kept")


def test_the_other_way_round_what_was_added_is_removed(first):
    comparison = differences.between(drafts.freeze(edited(first), actor=None), first)
    assert counts(comparison) == (1, 1, 1, 6)
    assert sorted(change.kind for change in comparison.all()) == ["added", "changed", "removed"]


def test_versions_without_descent_are_matched_by_content_in_whatever_order(first):
    records = [chat(n) for n in (7, 6, 5, 4, 3, 1, 0)]
    other = version_of([*records, chat(2, "New strings."), chat(70)])

    comparison = differences.between(first, other)

    assert counts(comparison) == (1, 0, 1, 7)
    assert told(comparison.page()) == [("changed", 2, 7), ("added", None, 8)]


def test_rows_that_differ_in_case_only_are_not_the_same(first):
    records = [chat(n) for n in range(8)]
    records[4] = chat(4, first.examples.get(position=4).answer.upper())
    comparison = differences.between(first, version_of(records))
    assert told(comparison.page()) == [("changed", 4, 4)]


def test_the_same_row_twice_is_one_more_than_once(first):
    records = [chat(n) for n in range(8)]
    comparison = differences.between(first, version_of([*records, chat(3)]))
    assert counts(comparison) == (1, 0, 0, 8)


def test_a_question_asked_nearly_the_same_is_a_changed_row():
    long = "Dear library, I would like to know when exactly the reading room on the second floor "
    one = {"text": long + "opens on weekdays during the winter holidays, please.", "label": "a"}
    other = {"text": long + "opens on weekdays during the summer holidays, please.", "label": "a"}
    before = version_of([one, labelled(1, "b")], kind=Kind.LABELLED)
    after = version_of([labelled(2, "b"), other], kind=Kind.LABELLED)
    comparison = differences.between(before, after)
    assert told(comparison.page()) == [
        ("changed", 0, 1),
        ("removed", 1, None),
        ("added", None, 0),
    ]


def test_rows_that_were_never_examined_are_compared_all_the_same(first):
    other = version_of([chat(n) for n in range(7)])
    first.examples.update(digest=None)
    assert counts(differences.between(first, other)) == (0, 1, 0, 7)


def test_equal_hashes_need_no_comparison(first, django_assert_max_num_queries):
    twin = version_of([chat(n) for n in range(8)])
    with django_assert_max_num_queries(4):
        comparison = differences.between(first, twin)
    assert comparison.is_same
    assert counts(comparison) == (0, 0, 0, 8)
    assert comparison.page().changes == []


def test_settings_that_differ_are_told(first):
    draft = drafts.copy(first, actor=None)
    drafts.split(draft, shares={"train": 0.5, "test": 0.5}, seed=3, actor=None)
    drafts.add(draft, record=chat(50), actor=None)
    second = drafts.freeze(draft, actor=None, note="With a test part")
    found = {
        each.name: (each.before, each.after) for each in differences.between(first, second).settings
    }
    assert found["split"] == ({}, {"seed": 3, "shares": {"train": 0.5, "test": 0.5}})
    assert found["note"] == ("", "With a test part")
    assert found["provenance"] == (
        ["Uploaded file"],
        ["Uploaded file", "Written on the dashboard"],
    )


def test_two_kinds_cannot_be_compared(first):
    other = version_of([labelled(1, "shop")], kind=Kind.LABELLED)
    with pytest.raises(InvalidInput, match="two kinds"):
        differences.between(first, other)


def test_programs_read_it_as_json(first):
    told = differences.as_json(differences.between(first, edited(first)), limit=2)
    assert told["counts"] == {"added": 1, "removed": 1, "changed": 1, "kept": 6}
    assert [each["change"] for each in told["changes"]] == ["changed", "removed"]
    assert told["changes"][0]["after"] == chat(2, "New strings.")
    pieces = told["changes"][0]["answer"]
    assert "".join(text for kind, text in pieces if kind != "removed") == "New strings."
