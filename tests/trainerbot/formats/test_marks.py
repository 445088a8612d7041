"""A row that needs a permission says so itself, in whatever format it lies."""

import json

import pytest

from trainerbot.formats import Options, Row, read, write
from trainerbot.formats.marks import marked, unmarked
from trainerbot.formats.rows import Kind

DISCORD = "discord_message"
ASKED = [{"role": "user", "content": "When?"}]
NINE = [{"role": "assistant", "content": "At nine."}]
NEVER = [{"role": "assistant", "content": "Never."}]
RECORDS = {
    Kind.CHAT: {"messages": [*ASKED, *NINE]},
    Kind.PREFERENCE: {
        "input": {"messages": ASKED},
        "preferred_output": NINE,
        "non_preferred_output": NEVER,
    },
    Kind.UNPAIRED: {"prompt": ASKED, "completion": NINE, "label": True},
    Kind.LABELLED: {"text": "Buy now", "label": "positive"},
}
KEPT_AS = {
    Kind.CHAT: "chat-jsonl",
    Kind.PREFERENCE: "dpo-jsonl",
    Kind.UNPAIRED: "kto-jsonl",
    Kind.LABELLED: "labelled-json",
}


def rows_of(path, format: str, **options) -> list[Row]:
    found = list(read(path, format=format, options=Options(**options)))
    assert all(isinstance(each, Row) for each in found)
    return found


@pytest.mark.parametrize(
    "record",
    [
        {"messages": []},
        {"metadata": {"topic": "hours"}, "messages": []},
    ],
)
def test_a_mark_is_taken_off_as_it_was_put_on(record):
    assert unmarked(marked(record, DISCORD)) == (record, DISCORD)


@pytest.mark.parametrize(
    "metadata",
    [None, "discord_message", [], {"provenance": "upload"}, {"provenance": [DISCORD]}, {}],
)
def test_what_is_no_mark_stays_as_it_is(metadata):
    record = {"messages": [], "metadata": metadata}

    assert unmarked(record) == (record, "")


def test_what_needs_no_permission_gets_no_mark():
    assert marked(RECORDS[Kind.CHAT], "correction") == RECORDS[Kind.CHAT]


@pytest.mark.parametrize("table", ["", "csv", "parquet"])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_marked_row_comes_back_as_it_was_with_its_source(tmp_path, kind, table):
    path = tmp_path / "rows"
    records = [RECORDS[kind], marked(RECORDS[kind], DISCORD)]
    write(records, path, format=table or KEPT_AS[kind], kind=kind)

    found = rows_of(path, "exported-table" if table else KEPT_AS[kind])

    assert [(row.record, row.source) for row in found] == [
        (RECORDS[kind], ""),
        (RECORDS[kind], DISCORD),
    ]


@pytest.mark.parametrize("kind", [Kind.PREFERENCE, Kind.UNPAIRED, Kind.LABELLED])
def test_a_mark_outlives_the_change_into_a_chat(tmp_path, kind):
    path = tmp_path / "rows.jsonl"
    record = marked(RECORDS[kind], DISCORD)
    write([record], path, format="chat-jsonl", kind=kind, labels=["positive", "negative"])

    assert [row.source for row in rows_of(path, "chat-jsonl")] == [DISCORD]


def test_a_mark_counts_whichever_columns_a_person_chooses(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = {"frage": "When?", "antwort": "At nine.", "metadata": {"provenance": DISCORD}}
    path.write_text(json.dumps(row) + "\n")

    (found,) = rows_of(path, "table", mapping={"prompt": "frage", "completion": "antwort"})

    assert found.source == DISCORD
