"""Versions written as files and archives, and what becomes of them."""

import csv
import hashlib
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from dashboard.models import (
    AuditEvent,
    DatasetExport,
    OutboxEvent,
    Provenance,
    Task,
)
from dashboard.services import drafts, exports, imports, provenance, tasks
from dashboard.services.exports import places
from tests.dashboard.drafts.making import chat, labelled, version_of
from tests.factories import UserFactory
from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.formats.rows import Kind
from trainerbot.formats.writing import read_manifest

pytestmark = pytest.mark.django_db
RECORDS = {
    Kind.CHAT: [chat(n) for n in range(3)],
    Kind.PREFERENCE: [
        {
            "input": {"messages": [{"role": "user", "content": f"Which one of {n}?"}]},
            "preferred_output": [{"role": "assistant", "content": "This one."}],
            "non_preferred_output": [{"role": "assistant", "content": "None."}],
        }
        for n in range(3)
    ],
    Kind.UNPAIRED: [
        {
            "prompt": [{"role": "user", "content": f"Which one of {n}?"}],
            "completion": [{"role": "assistant", "content": "This one."}],
            "label": True,
        }
        for n in range(3)
    ],
    Kind.LABELLED: [labelled(n, "shop") for n in range(3)],
}
TRUEST = [
    *((kind, format) for kind in Kind for format in ("true", "csv")),
    (Kind.CHAT, "parquet"),
    (Kind.LABELLED, "parquet"),
]


@pytest.fixture
def version():
    return version_of([chat(n) for n in range(8)], dataset__name="Rooms & halls/2")


def run():
    for task in Task.objects.unfinished().filter(kind=exports.EXPORT):
        tasks.run_next("tests", pk=task.pk)


def written(version, **asked):
    exported = exports.start(version, actor=None, **asked)
    run()
    return exports.get(exported.key)


def test_a_version_is_written_and_downloaded_under_a_name_that_every_system_takes(version):
    maya = UserFactory()
    asked = exports.start(version, formats=["chat-jsonl"], actor=maya)
    assert not asked.is_ready
    with pytest.raises(Conflict, match="not written yet"):
        exports.download(asked)

    run()

    found = exports.download(exports.get(asked.key))
    assert (found.filename, found.content_type) == ("Rooms-halls-2-v1.jsonl", "application/jsonl")
    data = found.path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == version.sha256
    assert len(data) == found.n_bytes
    assert list(exports.of_version(version)) == [asked]
    assert AuditEvent.objects.filter(action="dataset.export", actor=maya).exists()
    told = OutboxEvent.objects.filter(topic=f"dataset.{version.dataset_id}").last()
    assert (told.kind, told.payload["is_ready"]) == ("export.changed", True)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_format_that_is_offered_can_be_written(kind):
    version = version_of(RECORDS[kind], kind=kind)
    offered = [name for name, title in exports.formats_for(version)]
    assert len(offered) >= 3
    for name in offered:
        assert written(version, formats=[name]).n_examples >= 3, name


def test_judged_answers_are_offered_only_where_somebody_has_judged():
    record = RECORDS[Kind.CHAT][0]
    assert "kto-jsonl" not in dict(exports.formats_for(version_of([record], kind=Kind.CHAT)))

    *before, answer = record["messages"]
    judged = {**record, "messages": [*before, {**answer, "weight": 1}]}
    version = version_of([judged], kind=Kind.CHAT)
    assert "kto-jsonl" in dict(exports.formats_for(version))
    assert written(version, formats=["kto-jsonl"]).n_examples == 1


def test_a_format_of_another_kind_is_refused(version):
    with pytest.raises(InvalidInput, match="cannot be written as 'dpo-jsonl'"):
        exports.start(version, formats=["dpo-jsonl"], actor=None)
    with pytest.raises(InvalidInput, match="Choose a format"):
        exports.start(version, formats=[], actor=None)
    with pytest.raises(InvalidInput, match="no part named"):
        exports.start(version, formats=["csv"], part="train", actor=None)
    assert not DatasetExport.objects.exists()


def test_one_part_of_a_split_is_written(version):
    draft = drafts.copy(version, actor=None)
    drafts.split(draft, shares={"train": 0.75, "test": 0.25}, seed=1, actor=None)
    exported = written(draft, formats=["csv"], part="test")
    assert exported.filename == "Rooms-halls-2-v2-test.csv"
    assert exported.n_examples == 2


def test_removed_rows_are_not_written(version):
    draft = drafts.copy(version, actor=None)
    drafts.remove(draft, chosen=[0, 1, 2], actor=None)
    assert written(draft, formats=["chat-jsonl"]).n_examples == 5


def test_a_cell_of_a_table_is_no_formula_to_a_spreadsheet():
    evil = {"text": '=HYPERLINK("http://example.org")', "label": "shop"}
    exported = written(version_of([evil], kind=Kind.LABELLED), formats=["csv"])
    with exports.download(exported).path.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert not row["text"].startswith("=")


def test_several_formats_come_as_an_archive_with_a_manifest(version):
    draft = drafts.copy(version, actor=None)
    drafts.add(draft, record=chat(50), actor=UserFactory(username="maya"), licence="MIT")
    drafts.split(draft, shares={"train": 0.75, "test": 0.25}, seed=1, actor=None)
    second = drafts.freeze(draft, actor=None, note="One more")

    exported = written(second, formats=["chat-jsonl", "parquet"])

    assert exported.is_archive
    assert exported.filename == "Rooms-halls-2-v2.zip"
    told = read_manifest(exports.download(exported).path)
    assert (told.name, told.version, told.kind) == ("Rooms & halls/2", 2, Kind.CHAT)
    assert told.counts == {"upload": 8, "dashboard": 1}
    assert told.licence == "MIT"
    assert told.created == second.frozen_at
    assert set(told.files) == {"chat-jsonl.jsonl", "parquet.parquet", "rows.csv"}
    assert told.files["chat-jsonl.jsonl"].sha256 == second.sha256
    assert told.provenance["parent"] == {"version": 1, "sha256": version.sha256}
    assert told.provenance["note"] == "One more"
    assert told.provenance["split"] == second.split
    assert told.provenance["sha256"] == second.sha256
    assert [each["author"] for each in told.provenance["sources"]] == ["ann", "maya"]


def test_the_same_version_makes_the_same_archive_twice(version, tmp_path):
    made = [
        exports.write_archive(version, tmp_path / f"{n}.zip", formats_wanted=["chat-jsonl"])
        for n in range(2)
    ]
    assert made[0].sha256 == made[1].sha256


def test_the_same_request_while_it_is_written_is_one_export(version):
    one = exports.start(version, formats=["csv"], actor=None)
    other = exports.start(version, formats=["csv"], actor=None)
    assert one == other
    run()
    assert exports.start(version, formats=["csv"], actor=None) != one


class Killed(BaseException):
    """The process ends here."""


def test_an_export_that_was_killed_starts_anew_and_leaves_nothing_behind(version):
    exported = exports.start(version, formats=["chat-jsonl", "csv"], actor=None)

    def kill(execute, sql, *args):
        if "GROUP BY" in sql:  # when the manifest counts, the files are written
            (places.folder_of(exported) / "half").write_text("half")
            raise Killed
        return execute(sql, *args)

    with connection.execute_wrapper(kill), pytest.raises(Killed):
        run()
    places.folder_of(exported).mkdir(exist_ok=True)
    (places.folder_of(exported) / "half").write_text("half")
    Task.objects.filter(kind=exports.EXPORT).update(state="ready", worker="", lease_until=None)
    run()

    found = exports.download(exports.get(exported.key))
    assert list(places.folder_of(exported).iterdir()) == [found.path]


def test_a_cancelled_export_leaves_nothing(version):
    exported = exports.start(version, formats=["csv"], actor=None)
    exports.cancel(exported, actor=None)
    run()
    assert not places.folder_of(exported).exists()
    with pytest.raises(Conflict, match="over already"):
        exports.cancel(exports.get(exported.key), actor=None)


def test_an_export_is_cancelled_while_it_is_written(version, monkeypatch):
    monkeypatch.setattr("dashboard.services.exports.writing.TICK_EVERY", 1)
    monkeypatch.setattr("dashboard.services.exports.running.SAVE_EVERY_S", 0.0)
    exported = exports.start(version, formats=["csv"], actor=None)
    cancelled = []

    def cancel(execute, sql, *args):
        if '"dashboard_example"."record"' in sql and not cancelled:
            cancelled.append(sql)
            exports.cancel(exported, actor=None)
        return execute(sql, *args)

    with connection.execute_wrapper(cancel):
        run()

    assert exports.get(exported.key).task.state == "cancelled"
    assert not places.folder_of(exported).exists()


def test_exports_go_after_seven_days_and_strays_with_them(version):
    old, young = (written(version, formats=[name]) for name in ("csv", "chat-jsonl"))
    DatasetExport.objects.filter(pk=old.pk).update(
        created_at=now() - exports.KEPT_FOR - timedelta(minutes=1)
    )
    stray = places.root() / "01234567-89ab-4def-8123-456789abcdef"
    stray.mkdir()
    alien = places.root() / "of-somebody-else"
    alien.mkdir(exist_ok=True)

    assert exports.prune() >= 2

    assert list(DatasetExport.objects.all()) == [young]
    assert exports.download(young).path.is_file()
    assert not places.folder_of(old).exists()
    assert not stray.exists()
    assert alien.exists()
    with pytest.raises(NotFound, match="deleted"):
        exports.get(old.key)


def test_a_file_that_somebody_deleted_is_told_in_words(version):
    exported = written(version, formats=["csv"])
    exports.download(exported).path.unlink()
    with pytest.raises(NotFound, match="Make it again"):
        exports.download(exported)


@pytest.mark.parametrize("key", ["x", "../../etc/passwd", "01234567-89ab-4def-8123-456789abcdef"])
def test_an_unknown_export_is_told_in_words(key):
    with pytest.raises(NotFound, match="no such export"):
        exports.get(key)


def records_of(version):
    return list(version.examples.order_by("position").values_list("record", flat=True))


@pytest.mark.parametrize(("kind", "format"), TRUEST)
def test_what_was_exported_is_imported_as_it_was(tmp_path, kind, format):
    version = version_of(RECORDS[kind], kind=kind)
    name = exports.formats_for(version)[0][0] if format == "true" else format
    path = tmp_path / exports.filename(version, exports.formats.FORMATS[name].ending)
    exports.write_file(version, path, format=name)

    back = imports.import_file(path, name="Back")

    assert records_of(back) == records_of(version)
    assert (back.kind, back.sha256) == (version.kind, version.sha256)


@pytest.mark.parametrize("kind", list(Kind))
def test_an_archive_is_imported_as_the_version_was(tmp_path, kind):
    version = version_of(RECORDS[kind], kind=kind)
    path = tmp_path / "archive.zip"
    exports.write_archive(version, path, formats_wanted=[exports.formats_for(version)[0][0]])

    back = imports.import_file(path, name="Back")

    assert records_of(back) == records_of(version)
    assert back.sha256 == version.sha256


def test_an_archive_does_not_wash_discord_messages_clean(tmp_path):
    version = version_of([chat(n) for n in range(3)])
    Provenance.objects.update(source=Provenance.Source.DISCORD_MESSAGE, licence="CC-BY-4.0")
    path = tmp_path / "archive.zip"
    exports.write_archive(version, path, formats_wanted=["chat-jsonl"])

    back = imports.import_file(path, name="Back")

    (share,) = provenance.shares(back)
    assert share.is_forbidden
    assert share.provenance.licence == "CC-BY-4.0"
    with pytest.raises(InvalidInput, match="Discord"):
        provenance.check(back)


TEXTS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=40
).filter(str.strip)


class RoundTripTest(TestCase):
    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    @given(
        rows=st.lists(st.tuples(TEXTS, TEXTS, st.booleans()), min_size=1, max_size=5),
        archive=st.booleans(),
    )
    def test_export_and_import_give_back_any_conversation(self, rows, archive):
        records = [
            {
                "messages": [
                    *([{"role": "system", "content": "Ünly facts."}] if with_system else []),
                    {"role": "user", "content": asked},
                    {"role": "assistant", "content": said},
                ]
            }
            for asked, said, with_system in rows
        ]
        version = version_of(records)
        path = places.root() / ("round.zip" if archive else "round.jsonl")
        if archive:
            exports.write_archive(version, path, formats_wanted=["chat-jsonl"])
        else:
            exports.write_file(version, path, format="chat-jsonl")
        back = imports.import_file(path, name="Back")
        assert json.dumps(records_of(back)) == json.dumps(records_of(version))
        assert back.sha256 == version.sha256
