"""Discord message content that comes back in a file of ours is still Discord message content."""

import pytest
from django.db import connection

from dashboard.models import DatasetImport, Provenance
from dashboard.services import exports, imports, provenance, tasks
from dashboard.services.imports.receiving import start_check
from dashboard.services.imports.rows import BATCH
from dashboard.services.provenance import NEEDS_PERMISSION
from dashboard.services.trainings import files, permissions
from tests.dashboard.commands.running import run
from tests.dashboard.drafts.making import chat, version_of
from tests.dashboard.imports.conftest import row
from tests.dashboard.imports.test_resuming import KillAt, Killed, abandon_leases
from tests.dashboard.trainings.test_picking import admin, corrected_on_discord, direct
from tests.factories import ProvenanceFactory
from trainerbot.errors import InvalidInput
from trainerbot.formats.marks import NEED_PERMISSION, marked
from trainerbot.formats.rows import Kind

pytestmark = pytest.mark.django_db
DISCORD = Provenance.Source.DISCORD_MESSAGE


def sources_of(version) -> list[str]:
    rows = version.examples.order_by("position")
    return list(rows.values_list("provenance__source", flat=True))


def discord_version():
    """Two rows, the second of which is a Discord message that nobody here permitted."""
    version = version_of([chat(1), chat(2)])
    version.examples.filter(position=1).update(provenance=ProvenanceFactory(source=DISCORD))
    return version


def test_a_mark_is_known_for_every_source_that_needs_a_permission():
    assert frozenset(map(str, NEEDS_PERMISSION)) == NEED_PERMISSION


def test_exported_corrections_come_back_as_what_they_are(tmp_path):
    permissions.permit("Discord, letter of 12 March", actor=admin(), topic="trainings")
    direct(approved=True)
    corrected_on_discord()
    path = tmp_path / "corrections.chat.jsonl"
    path.write_bytes(files.piece(Kind.CHAT, after=0)[0])

    version = imports.import_file(path, name="Back")

    assert sources_of(version) == ["command", "discord_message"]
    assert all(
        set(each) == {"messages"} for each in version.examples.values_list("record", flat=True)
    )
    with pytest.raises(InvalidInput, match="1 examples of Back v1 are Discord message content"):
        provenance.check(version)


@pytest.mark.parametrize("format", ["chat-jsonl", "csv", "parquet"])
def test_a_version_that_is_exported_and_imported_keeps_its_rows_and_their_sources(tmp_path, format):
    version = discord_version()
    path = tmp_path / "out"

    run("exportdataset", version.dataset.name, "--format", format, "--to", path)
    run("importdataset", path, "--name", "Back")

    back = type(version).objects.get(dataset__name="Back")
    assert sources_of(back) == ["command", "discord_message"]
    assert list(back.examples.values_list("record", flat=True)) == list(
        version.examples.values_list("record", flat=True)
    )


def test_an_archive_of_marked_rows_gives_each_its_source_back(tmp_path):
    version = discord_version()
    exports.write_archive(version, tmp_path / "a.zip", formats_wanted=["chat-jsonl"])

    back = imports.import_file(tmp_path / "a.zip", name="Back")

    assert sources_of(back) == sources_of(version)


def test_a_permission_that_a_file_claims_is_none(write):
    forged = row(1, metadata={"provenance": "discord_message", "permission": "by Discord"})

    version = imports.import_file(write(forged), name="Rooms")

    assert version.examples.get().provenance.permission == ""


def test_an_import_of_marked_rows_goes_on_after_a_kill_with_the_same_source(write):
    path = write(*(marked(row(n), DISCORD) for n in range(BATCH + 1)))
    imported = DatasetImport.objects.create(
        filename=path.name, path=str(path), n_bytes=path.stat().st_size, state="received"
    )
    start_check(imported)
    tasks.run_next("a worker")
    imported.refresh_from_db()
    imports.start_import(imported, name="Rooms", actor=None)
    with connection.execute_wrapper(KillAt(2)), pytest.raises(Killed):
        tasks.run_next("the first")

    abandon_leases()
    tasks.run_next("the second")

    imported.refresh_from_db()
    (share,) = provenance.shares(imported.version)
    assert (share.provenance.source, share.n_rows) == ("discord_message", BATCH + 1)


def test_the_same_marked_rows_make_no_second_version(write):
    path = write(row(1), marked(row(2), DISCORD))
    first = imports.import_file(path, name="Rooms")

    assert imports.import_file(path, name="Rooms") == first


def test_marked_rows_do_not_become_the_version_that_has_them_without_a_mark(write):
    first = imports.import_file(write(row(1)), name="Rooms")

    again = imports.import_file(write(marked(row(1), DISCORD)), name="Rooms")

    assert again != first
    assert sources_of(again) == ["discord_message"]
