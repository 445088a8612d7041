"""What is found out about the rows of a version, and where it is written."""

import json

import pytest
from django.db import transaction

from dashboard.models import DatasetVersion, Example, OutboxEvent, Task
from dashboard.services import drafts, examination, imports, tasks
from tests.dashboard.imports.conftest import row
from trainerbot.formats.rows import Kind

pytestmark = pytest.mark.django_db(transaction=True)


def taught(question: str, answer: str) -> dict[str, object]:
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


@pytest.fixture
def examined(tmp_path):
    def examine(*rows: dict[str, object], **options: object) -> DatasetVersion:
        path = tmp_path / "rooms.jsonl"
        path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
        version = imports.import_file(path, name="Rooms", **options)
        while tasks.run_next("a worker"):
            pass
        version.refresh_from_db()
        return version

    return examine


def test_every_row_is_counted_and_summed_up(examined):
    version = examined(*map(row, range(12)))
    tokens = version.summary["tokens"]
    counts = list(version.examples.values_list("n_tokens", flat=True))
    assert version.summary["state"] == "done"
    assert tokens["total"] == sum(counts)
    assert tokens["longest"] == max(counts)
    assert sum(n for _, _, n in tokens["histogram"]) == 12
    assert version.summary["sources"] == {"command": 12}


def test_exact_and_near_duplicates_name_the_first_of_their_kind(examined):
    long = "Please tell me in which room of the old house the big green piano stands today"
    version = examined(
        taught(long, "In the hall."),
        taught(long.upper(), "In the  hall."),
        taught(f"{long}, dear", "In the hall."),
        taught("Something else entirely?", "Yes, indeed."),
    )
    assert version.summary["duplicates"]["exact"] == 1
    assert version.summary["duplicates"]["near"] == 1
    marks = version.examples.order_by("position").values_list("duplicate_of", flat=True)
    assert list(marks) == [None, 0, 0, None]


def test_private_places_are_counted_by_kind(examined):
    version = examined(
        taught("Who?", "Write to ann@example.org or bob@example.org."), taught("Who else?", "Me.")
    )
    assert version.summary["private"]["rows"] == 1
    assert "e-mail" in version.summary["private"]["kinds"]
    assert version.examples.get(position=0).n_private == 2


def test_far_longer_rows_are_marked(examined):
    version = examined(*map(row, range(30)), taught("All?", "word " * 3_000))
    assert version.summary["lengths"]["long"] == 1
    assert version.examples.get(outlier=1).position == 30


def test_labels_are_counted_and_an_imbalance_is_said(examined):
    texts = [{"text": f"Shop {n}", "label": "positive"} for n in range(40)]
    version = examined(*texts, {"text": "A poem", "label": "negative"})
    assert version.summary["labels"]["counts"] == {"positive": 40, "negative": 1}
    assert version.summary["labels"]["said"]


def test_only_what_is_new_is_read_again(examined):
    version = examined(*map(row, range(12)), freeze=False)
    Example.objects.filter(position=3).update(n_tokens=None)
    Example.objects.filter(position=4).update(n_tokens=1)

    examination.request(version, soon=True)
    tasks.run_next("a worker")

    assert version.examples.get(position=3).n_tokens > 1
    assert version.examples.get(position=4).n_tokens == 1


def test_a_hand_that_edits_row_after_row_asks_for_one_examination(examined):
    version = examined(row(1))
    assert examination.request(version) == examination.request(version)
    assert Task.objects.unfinished().count() == 1


def test_open_pages_hear_how_far_it_is(examined):
    version = examined(row(1))
    told = OutboxEvent.objects.filter(topic=f"dataset.{version.dataset_id}")
    assert "done" in [event.payload["state"] for event in told if event.kind == "dataset.examined"]


def test_rows_from_before_there_was_an_index_are_found_afterwards(examined):
    from dashboard.services import examples, searching
    from dashboard.services.examples import Filter
    from trainerbot.curation import text_of
    from trainerbot.formats.rows import Kind

    version = examined(row(1))
    old = version.examples.get()
    searching.forget([(old.pk, text_of(old.record, Kind.CHAT))])
    Example.objects.update(digest=None)

    examination.request(version, soon=True)
    tasks.run_next("a worker")

    assert len(examples.find(version, chosen=Filter(search="room")).rows) == 1


def test_versions_that_were_never_examined_are_examined_once(examined):
    version = examined(row(1))
    DatasetVersion.objects.update(summary={})

    examination.request_missing()
    examination.request_missing()

    assert Task.objects.unfinished().get().args == {"version": version.pk}


class OneToken:
    """Counts one token in everything."""

    def count(self, records, kind):
        return [1] * len(records)


def test_others_write_while_rows_are_looked_at_and_what_they_rewrote_is_left_to_the_next(examined):
    version = examined(taught("Who?", "Ann, ann@example.org."), taught("Where?", "There."))
    draft = drafts.copy(version, actor=None)
    rows = Example.objects.filter(version=draft).order_by("position")
    rows.update(n_tokens=None, n_private=None)

    read = examination._read(list(rows.all()), Kind.CHAT, OneToken())
    drafts.rewrite(rows[0], record=taught("Who?", "Somebody."), actor=None)
    with transaction.atomic():
        examination._write(read)

    assert [(row.n_private, row.n_tokens) for row in rows] == [(None, None), (0, 1)]


def test_rows_of_megabytes_are_read_by_few(examined):
    version = examined(*(taught(f"Who is {n}?", f"{n} " * 900_000) for n in range(3)), row(1))
    batches = list(examination._batches(version.examples.all()))
    assert [len(batch) for batch in batches] == [2, 2]
