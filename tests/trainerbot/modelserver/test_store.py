"""The store's own promises, where no request could show them."""

import contextlib
import hashlib
import sqlite3

import pytest

from trainerbot.errors import Conflict, InvalidInput, NotFound, StorageFull
from trainerbot.modelserver.examples import TUNED
from trainerbot.modelserver.lock import FolderLock
from trainerbot.modelserver.schema import STEPS
from trainerbot.modelserver.store import Store


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(Store(tmp_path)) as opened:
        yield opened


def add_job(store: Store, **change: object):
    values = {
        "model": "base",
        "method": "knn",
        "hyperparameters": {"n_steps": "auto"},
        "seed": 1,
        "training_file": "file-1",
        "validation_file": None,
        "suffix": None,
        "metadata": None,
    }
    return store.add_job(**{**values, **change})


def running(store: Store):
    job = add_job(store)
    store.advance_job(job.id, "queued", was="validating_files", message="queued")
    store.advance_job(job.id, "running", was="queued", message="running")
    return store.job(job.id)


def test_an_event_told_twice_is_stored_once(store):
    job = running(store)

    for _ in range(2):
        store.record(job.id, "step:1", "Step 1/2", metrics={"step": 1})

    assert store.metrics(job.id) == [{"step": 1}]


def test_a_finished_job_takes_no_more_events(store):
    job = running(store)
    store.cancel_job(job.id)

    assert store.record(job.id, "late", "too late") is False
    store.finish_job(job.id, model_id="ft:x", files={TUNED: b"w"}, results=b"r", trained_tokens=1)
    store.fail_job(job.id, code="late", message="too late", param=None)

    assert store.job(job.id).status == "cancelled"
    assert store.models() == []
    assert store.events(job.id).rows[0].message == "Fine-tuning job cancelled"


def test_a_job_moves_only_from_where_it_is(store):
    job = add_job(store)

    assert not store.advance_job(job.id, "running", was="queued", message="no")
    assert store.advance_job(job.id, "queued", was="validating_files", message="yes")

    assert store.events(job.id).rows[0].message == "yes"


def test_a_failed_transaction_leaves_nothing(store):
    job = running(store)
    store.finish_job(job.id, model_id="ft:x", files={TUNED: b"w"}, results=b"r", trained_tokens=1)
    again = running(store)

    with pytest.raises(sqlite3.IntegrityError):
        store.finish_job(
            again.id, model_id="ft:x", files={TUNED: b"w2"}, results=b"r2", trained_tokens=1
        )

    assert store.job(again.id).status == "running"
    assert len(store.files().rows) == len(store.models()) == 1


def test_a_model_and_a_file_of_one_content_share_it_until_both_are_gone(store):
    job = running(store)
    store.finish_job(
        job.id, model_id="ft:x", files={TUNED: b"same"}, results=b"csv", trained_tokens=1
    )
    file = store.add_file(store.blobs.write(b"same"), filename="a", purpose="user_data")
    path = store.blobs.path(file.sha256)

    store.delete_model("ft:x")
    assert path.read_bytes() == b"same"
    store.delete_file(file.id)

    assert not path.exists()


def test_metadata_filters_by_every_pair_whatever_the_key(store):
    odd = {'quote " and .dot': "1", "b": "2"}
    job = add_job(store, metadata=odd)
    add_job(store, metadata={"b": "2"})
    add_job(store)

    assert [j.id for j in store.jobs(metadata=odd).rows] == [job.id]
    assert len(store.jobs(metadata={"b": "2"}).rows) == 2
    assert len(store.jobs(without_metadata=True).rows) == 1


def test_unknown_ids_are_refused(store):
    with pytest.raises(NotFound):
        store.file("file-no")
    with pytest.raises(NotFound):
        store.events("ftjob-no")
    with pytest.raises(InvalidInput):
        store.jobs(after="ftjob-no")
    assert store.model("ft:no") is None


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    Store(tmp_path).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "store.sqlite3")) as db:
        db.execute("PRAGMA user_version=99")

    with pytest.raises(Conflict, match="newer TrainerBot"):
        Store(tmp_path)


def test_a_damaged_store_is_said_in_words(tmp_path):
    (tmp_path / "store.sqlite3").write_bytes(b"not a database, " * 1000)

    with pytest.raises(Conflict, match="is damaged"):
        Store(tmp_path)


def test_a_folder_is_locked_until_its_holder_lets_go(tmp_path):
    with contextlib.closing(FolderLock(tmp_path)), pytest.raises(Conflict, match="Another"):
        FolderLock(tmp_path)

    FolderLock(tmp_path).close()


def test_a_model_tuned_before_the_update_is_still_there(tmp_path):
    digest = hashlib.sha256(b"tuned").hexdigest()
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / digest).write_bytes(b"tuned")
    with contextlib.closing(sqlite3.connect(tmp_path / "store.sqlite3")) as db:
        db.executescript(STEPS[0] + "PRAGMA user_version=1;")
        db.execute(
            "INSERT INTO models VALUES (1, 'ft:x', 7, 'base', 'knn', 'ftjob-1', ?)", (digest,)
        )
        db.commit()

    with contextlib.closing(Store(tmp_path)) as store:
        (model,) = store.models()
        assert (model.id, model.created_at, model.files) == ("ft:x", 7, {TUNED: digest})
        assert store.blobs.path(digest).read_bytes() == b"tuned"


def test_a_row_that_finds_no_room_leaves_no_blob_behind(store):
    kept = store.add_file(store.blobs.write(b"same"), filename="a.txt", purpose="vision")
    (n_pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count={n_pages}")

    for content in (b"other", b"same"):
        with pytest.raises(StorageFull):
            store.add_file(store.blobs.write(content), filename="a" * 50_000, purpose="vision")

    assert [path.name for path in store.blobs.path("x").parent.iterdir()] == [kept.sha256]
