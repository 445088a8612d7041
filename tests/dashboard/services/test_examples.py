"""Pages of examples: filtered, searched, in order."""

import contextlib
import json
import unicodedata

import pytest

from dashboard.models import Example
from dashboard.services import examples, imports, searching, storing
from dashboard.services.examples import Filter
from tests.dashboard.imports.conftest import row
from tests.factories import DatasetVersionFactory, ProvenanceFactory
from trainerbot.errors import InvalidInput, NotFound
from trainerbot.formats import Row
from trainerbot.formats.rows import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(tmp_path):
    path = tmp_path / "rooms.jsonl"
    path.write_text("".join(json.dumps(row(n)) + "\n" for n in range(50)), encoding="utf-8")
    return imports.import_file(path, name="Rooms")


def positions(found):
    return [each.position for each in found.rows]


def test_pages_follow_each_other_in_both_directions(version):
    first = examples.find(version, size=20)
    second = examples.find(version, size=20, after=first.after)
    third = examples.find(version, size=20, after=second.after)
    assert positions(first) + positions(second) + positions(third) == list(range(50))
    assert (first.before, third.after) == ("", "")
    assert positions(examples.find(version, size=20, before=third.before)) == positions(second)


def test_a_search_finds_whole_words_and_the_beginning_of_the_last(version):
    assert positions(examples.find(version, chosen=Filter(search="room 17"))) == [17]
    found = examples.find(version, chosen=Filter(search="stock gle"), size=3)
    assert positions(found) == [0, 1, 2]
    found = examples.find(version, chosen=Filter(search="stock gleic"), size=3)
    assert positions(found) == [0, 1, 2]
    assert positions(examples.find(version, chosen=Filter(search="gleis"))) == []
    assert positions(examples.find(version, chosen=Filter(search="tock"))) == []


def test_search_knows_no_case_and_no_accents_of_its_own_query(version):
    assert positions(examples.find(version, chosen=Filter(search="ROOM 5")))[0] == 5


def test_pages_of_a_search_follow_each_other_in_both_directions(version):
    chosen = Filter(search="room")
    first = examples.find(version, chosen=chosen, size=20)
    second = examples.find(version, chosen=chosen, size=20, after=first.after)
    third = examples.find(version, chosen=chosen, size=20, after=second.after)
    assert positions(first) + positions(second) + positions(third) == list(range(50))
    assert (first.before, third.after) == ("", "")
    back = examples.find(version, chosen=chosen, size=20, before=third.before)
    assert positions(back) == positions(second)


def test_a_search_stays_in_its_version(version, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(row(17)) + "\n", encoding="utf-8")
    imports.import_file(other, name="Other")
    assert positions(examples.find(version, chosen=Filter(search="room 17"))) == [17]


@pytest.mark.parametrize(
    ("mark", "change"),
    [
        ("duplicate", {"duplicate_of": 1}),
        ("private", {"n_private": 2}),
        ("short", {"outlier": -1}),
        ("long", {"outlier": 1}),
        ("edited", {"edited": True}),
    ],
)
def test_each_mark_filters(version, mark, change):
    Example.objects.filter(position__in=[3, 7]).update(**change)
    assert positions(examples.find(version, chosen=Filter(marked=mark))) == [3, 7]
    assert positions(examples.find(version, chosen=Filter(marked=mark, search="room 7"))) == [7]


def test_label_part_and_source_filter_together(version):
    Example.objects.filter(position__lt=10).update(label="positive")
    Example.objects.filter(position__gte=5).update(part="train")
    chosen = Filter(label="positive", part="train", source="command")
    assert positions(examples.find(version, chosen=chosen)) == [5, 6, 7, 8, 9]
    assert positions(examples.find(version, chosen=Filter(source="correction"))) == []


@pytest.mark.parametrize(
    "chosen",
    [Filter(search="x" * 201), Filter(search="\x00"), Filter(search="?!"), Filter(marked="x")],
)
def test_a_filter_that_is_none_is_refused_in_words(version, chosen):
    with pytest.raises(InvalidInput):
        examples.find(version, chosen=chosen)


@pytest.mark.parametrize("search", ["", "plain"])
@pytest.mark.parametrize("token", ["x", "-"])
def test_a_damaged_page_address_is_refused_in_words(version, search, token):
    with pytest.raises(InvalidInput, match="damaged"):
        examples.find(version, chosen=Filter(search=search), after=token)


@pytest.mark.parametrize(
    "search", ['"', "a AND b", "NEAR(a b)", "room*", "col:x", "-", "a'b", "^a"]
)
def test_no_search_is_taken_for_a_command_of_the_index(version, search):
    with contextlib.suppress(InvalidInput):  # said in words
        examples.find(version, chosen=Filter(search=search))


def test_one_example_by_its_position(version):
    assert examples.get(version, 7).question == "Where is room 7?"
    with pytest.raises(NotFound):
        examples.get(version, 50)


def test_rows_of_another_version_that_were_stored_in_between_neither_show_nor_stop_a_search():
    mine, other = (DatasetVersionFactory(n_examples=0, draft=True) for _ in range(2))
    provenance = ProvenanceFactory()
    for n in range(3):
        for version in (mine, other):
            one = [storing.prepare(Row(line=n + 1, record=row(n), kind=Kind.CHAT))]
            storing.insert(version, one, first_position=n, provenance=provenance)
    Example.objects.filter(version=other, position=0).delete()

    forward = examples.find(mine, chosen=Filter(search="room"), size=2)
    back = examples.find(mine, chosen=Filter(search="room"), size=2, before="2")

    assert (positions(forward), positions(back)) == ([0, 1], [0, 1])


def test_letters_written_with_marks_beside_them_are_found_like_others(tmp_path):
    path = tmp_path / "trains.jsonl"
    record = {
        "messages": [
            {"role": "user", "content": "Какой?"},
            {"role": "assistant", "content": "Твой поезд"},
        ]
    }
    path.write_text(json.dumps(record), encoding="utf-8")
    version = imports.import_file(path, name="Trains")

    for form in ("NFC", "NFD"):
        search = unicodedata.normalize(form, "твой поезд")
        assert positions(examples.find(version, chosen=Filter(search=search))) == [0]
        text = unicodedata.normalize(form, "Твой поезд")
        assert searching.says(text, searching.words_of(search))
