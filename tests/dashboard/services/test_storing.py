"""Rows written without the ORM are the rows that the ORM knows."""

import pytest
from django.db import transaction

from dashboard.models import Example
from dashboard.services import searching, storing
from tests.factories import DatasetVersionFactory, ProvenanceFactory
from trainerbot.formats import Row
from trainerbot.formats.rows import Kind

pytestmark = pytest.mark.django_db

RECORDS = {
    Kind.CHAT: {
        "messages": [
            {"role": "user", "content": "Где комната 7?"},
            {"role": "assistant", "content": "Второй этаж. \U0001f642"},
        ]
    },
    Kind.PREFERENCE: {
        "input": {"messages": [{"role": "user", "content": "Open?"}]},
        "preferred_output": [{"role": "assistant", "content": "Until nine."}],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    },
    Kind.UNPAIRED: {
        "prompt": [{"role": "user", "content": "Open?"}],
        "completion": [{"role": "assistant", "content": "Until nine."}],
        "label": False,
    },
    Kind.LABELLED: {"text": "Buy now", "label": "positive", "name": "a.html"},
}


@pytest.fixture
def stored():
    def store(record: dict[str, object], kind: Kind) -> Example:
        version = DatasetVersionFactory(n_examples=0, draft=True, kind=kind)
        row = storing.prepare(Row(3, record, kind))
        with transaction.atomic():
            storing.insert(version, [row], first_position=0, provenance=ProvenanceFactory())
        return Example.objects.get(version=version)

    return store


@pytest.mark.parametrize("kind", RECORDS)
def test_a_stored_row_gives_back_its_record(stored, kind):
    row = stored(RECORDS[kind], kind)
    assert row.record == RECORDS[kind]
    assert (row.line, row.position) == (3, 0)


def test_no_column_without_a_value_of_its_own_is_forgotten():
    named = set(storing._COLUMNS)
    for field in Example._meta.concrete_fields:
        has_one = field.null or field.primary_key
        assert has_one or field.column in named, field.name


@pytest.mark.parametrize(
    ("kind", "question", "answer", "label"),
    [
        (Kind.CHAT, "Где комната 7?", "Второй этаж. \U0001f642", ""),
        (Kind.PREFERENCE, "Open?", "Until nine.", ""),
        (Kind.UNPAIRED, "Open?", "Until nine.", "bad"),
        (Kind.LABELLED, "Buy now", "positive", "positive"),
    ],
)
def test_lists_see_the_question_the_answer_and_the_label(stored, kind, question, answer, label):
    row = stored(RECORDS[kind], kind)
    assert (row.question, row.answer, row.label) == (question, answer, label)


@pytest.mark.parametrize(("kind", "word"), [(Kind.CHAT, "этаж"), (Kind.PREFERENCE, "nine")])
def test_a_stored_row_is_found_by_its_words(stored, kind, word):
    row = stored(RECORDS[kind], kind)
    rows = Example.objects.all()
    found = searching.holding(row.version, rows, [word], first_pk=0, last_pk=row.pk, rising=True)
    assert found == [row.pk]


def test_what_the_index_says_a_text_says_itself():
    assert searching.says("Ёлка в комнате", ["елка", "комн"])
    assert not searching.says("Ёлка в комнате", ["комн", "елка"])
