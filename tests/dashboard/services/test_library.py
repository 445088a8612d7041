"""What may be fetched from the library, and that nothing else ever is."""

import os
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dashboard.models import DatasetExport, DatasetImport
from dashboard.services import exports, imports, library, tasks
from dashboard.services.access import Person, Role
from dashboard.services.exports import places
from dashboard.services.library import TooLarge
from tests.factories import DatasetFactory, DatasetVersionFactory, TaskFactory
from trainerbot.errors import InvalidInput, NotFound

pytestmark = pytest.mark.django_db
PERSON = Person(role=Role.ADMIN, name="maya", discord_user_id=7)
SECRET = b"the server's own"


def archived(name: str = "rooms", **fields: object) -> DatasetExport:
    """An archive that is written."""
    version = DatasetVersionFactory(dataset__name=name, **fields)
    exported = library.archive(version, actor=PERSON)
    assert tasks.run_next("me", pk=exported.task_id)
    exported.refresh_from_db()
    return exported


def fetch(name: str, max_bytes: int = 2**20) -> bytes:
    _, opened = library.open_file(name, max_bytes=max_bytes)
    with opened:
        return opened.read()


# --- by name ------------------------------------------------------------------------------
@pytest.mark.origin(17)
def test_an_archive_is_fetched_by_its_name_its_id_or_its_files_own_name():
    exported = archived()
    content = places.path_of(exported).read_bytes()
    name = library.entry(exported).name

    assert name == f"archives/{exported.key.hex[:8]}/rooms-v1.zip"
    for each in (name, exported.key.hex[:8], str(exported.key), "rooms-v1.zip"):
        assert fetch(each) == content
    assert [file.name for file in library.files("rooms")] == [name]
    assert [file.name for file in library.files(name)] == [name]
    assert library.files("houses") == []


def test_the_newest_of_two_with_one_name_is_fetched():
    older = archived()
    newer = library.archive(older.version, actor=PERSON)
    assert tasks.run_next("me", pk=newer.task_id)

    file, opened = library.open_file("rooms-v1.zip", max_bytes=2**20)
    opened.close()

    assert file.name == f"archives/{newer.key.hex[:8]}/rooms-v1.zip"


def test_a_whole_upload_that_nobody_finished_is_in_the_library():
    upload = imports.begin_upload(filename="rooms.jsonl", n_bytes=4, created_by=None)
    with pytest.raises(NotFound):
        fetch("rooms.jsonl")

    imports.receive(upload, offset=0, pieces=[b"{}{}"])

    assert fetch(f"uploads/{upload.key.hex[:8]}/rooms.jsonl") == b"{}{}"


# --- and nothing else ---------------------------------------------------------------------
@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_bytes(SECRET)
    return path


@pytest.mark.origin(17)
@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../secret_key",
        "/etc/passwd",
        "archives",
        "archives/../../secret_key",
        "archives/00000000/rooms-v1.zip",
        "C:\\Windows\\win.ini",
        "rooms-v1.zip\x00.txt",
        "\ud800",
        "%2e%2e/secret_key",
        "secret_key",
        "trainerbot.sqlite3",
    ],
)
def test_a_path_is_no_name(name):
    archived()

    with pytest.raises(NotFound, match="There is no such file"):
        fetch(name)


@pytest.mark.origin(17)
def test_a_commands_own_file_is_none_of_the_library(secret):
    DatasetImport.objects.create(
        filename="secret.txt", path=str(secret), n_bytes=len(SECRET), n_received=len(SECRET),
        state=DatasetImport.State.CHECKED,
    )  # fmt: skip

    with pytest.raises(NotFound):
        fetch("secret.txt")
    assert library.files() == []


@pytest.mark.origin(17)
@pytest.mark.parametrize("what", ["link", "linked folder", "folder", "pipe", "gone"])
def test_what_is_no_plain_file_of_its_own_is_not_handed_out(secret, what):
    exported = archived()
    path = places.path_of(exported)
    path.unlink()
    match what:
        case "link":
            path.symlink_to(secret)
        case "linked folder":
            path.parent.rmdir()
            (secret.parent / path.name).write_bytes(SECRET)
            path.parent.symlink_to(secret.parent, target_is_directory=True)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)

    with pytest.raises(NotFound):
        fetch("rooms-v1.zip")


@pytest.mark.origin(17)
def test_a_file_over_the_limit_is_refused():
    archived()

    with pytest.raises(TooLarge, match=r"rooms-v1.zip has 0.0 MiB, more than Discord takes here"):
        fetch("rooms-v1.zip", max_bytes=10)


def a_hostile_export(filename: str) -> DatasetExport:
    key = uuid.uuid4()
    folder = places.root() / str(key)
    folder.mkdir(exist_ok=True)
    version = DatasetVersionFactory(n_examples=1)
    return DatasetExport.objects.create(
        key=key, version=version, formats=[], task=TaskFactory(), filename=filename
    )


ODD = st.lists(
    st.sampled_from(["..", ".", "/", "\\", "a", "~", "secret_key", "\x00", "archives", " ", "%2e"]),
    min_size=1,
    max_size=8,
).map("".join)


@pytest.mark.origin(17)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(asked=st.one_of(ODD, st.text(max_size=60)))
def test_whatever_is_asked_for_only_files_of_the_library_come(secret, asked):
    try:
        file, opened = library.open_file(asked, max_bytes=2**20)
    except NotFound:
        return
    with opened:
        where = Path(
            opened.name
            if isinstance(opened.name, str)
            else os.readlink(f"/proc/self/fd/{opened.fileno()}")
        )
    assert where.is_relative_to(places.root()) or where.is_relative_to(imports.folder())
    assert file.name


@pytest.mark.origin(17)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(filename=ODD.map(lambda name: name.replace("\x00", "0")))
def test_whatever_a_row_calls_its_file_nothing_outside_its_folder_comes(secret, filename):
    exported = a_hostile_export(filename)
    assert (Path(settings.DATA_DIR) / "secret_key").exists()

    with pytest.raises(NotFound):
        fetch(exported.key.hex[:8])


# --- archives -------------------------------------------------------------------------------
@pytest.mark.origin(19)
def test_two_archives_of_one_day_are_both_kept_and_tell_their_sum():
    first = archived()
    second = library.archive(first.version, actor=PERSON)
    assert tasks.run_next("me", pk=second.task_id)
    second.refresh_from_db()

    assert places.path_of(first) != places.path_of(second)
    assert places.path_of(first).read_bytes() == places.path_of(second).read_bytes()
    assert (first.n_examples, first.sha256) == (12, second.sha256)


@pytest.mark.origin(19)
def test_a_version_without_rows_is_not_archived():
    version = DatasetVersionFactory(dataset__name="rooms", draft=True, n_examples=0)

    with pytest.raises(InvalidInput, match="rooms v1 holds no rows"):
        library.archive(version, actor=PERSON)
    assert not exports.of_version(version).exists()


# --- datasets -------------------------------------------------------------------------------
@pytest.mark.origin(18)
def test_a_dataset_is_found_by_its_name_whatever_its_case():
    version = DatasetVersionFactory(dataset__name="Shop Talk")

    assert library.version(" shop  talk ") == version
    assert library.dataset_names("TALK") == ["Shop Talk"]


@pytest.mark.origin(18)
@pytest.mark.parametrize("name", ["/srv/data", "../rooms", "rooms/", "", "no such"])
def test_what_is_no_dataset_is_not_found(name):
    DatasetVersionFactory(dataset__name="rooms")

    with pytest.raises(NotFound, match="There is no dataset of that name"):
        library.version(name)


def test_near_names_are_offered():
    for name in ("rooms", "roofs", "shops"):
        DatasetFactory(name=name)

    with pytest.raises(NotFound, match="Did you mean rooms or roofs"):
        library.dataset("room")
