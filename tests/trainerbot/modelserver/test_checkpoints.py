"""Pausing, resuming and the checkpoints of a job, in the store."""

import contextlib

import pytest

from tests.trainerbot.modelserver.test_store import add_job, running
from trainerbot.errors import Conflict, InvalidInput
from trainerbot.modelserver.api import wire
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.store import Store


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(Store(tmp_path)) as opened:
        yield opened


def checkpoint(store: Store, job_id: str, step: int, content: bytes | None = None):
    return store.add_checkpoint(
        job_id,
        step=step,
        model_id=f"ft:base:a:ckpt-step-{step}",
        files={"adapter_model.safetensors": content or b"weights %d" % step},
        metrics={"step": step},
    )


def paused(store: Store, job_id: str) -> StoredJob:
    """The running job, after what trained it has stopped."""
    store.pause_job(job_id)
    store.settle_pauses()
    return store.job(job_id)


def test_a_paused_job_is_queued_again_when_it_resumes(store):
    job = running(store)

    before = paused(store, job.id)
    resumed = store.resume_job(job.id)

    assert (before.status, resumed.status) == ("paused", "queued")
    assert [event.message for event in store.events(job.id).rows[:2]] == [
        "Fine-tuning job resumed",
        "Fine-tuning job paused",
    ]


def test_each_pause_is_an_event(store):
    job = running(store)

    for _ in range(2):
        paused(store, job.id)
        store.resume_job(job.id)

    told = [event.message for event in store.events(job.id).rows]
    assert told.count("Fine-tuning job paused") == told.count("Fine-tuning job resumed") == 2


def test_only_a_job_that_waits_or_runs_can_be_paused_and_only_a_paused_one_resumed(store):
    new, over = add_job(store), running(store)
    store.cancel_job(over.id)

    for job in (new, over):
        with pytest.raises(Conflict, match="cannot become 'paused'"):
            store.pause_job(job.id)
        with pytest.raises(Conflict, match="cannot become 'queued'"):
            store.resume_job(job.id)


def test_a_paused_job_can_be_cancelled_and_is_not_counted_as_active(store):
    job = running(store)
    paused(store, job.id)

    assert store.n_active_jobs() == 0
    assert store.unfinished_jobs() == {job.id}
    assert store.cancel_job(job.id).status == "cancelled"
    assert store.unfinished_jobs() == set()


def test_a_running_job_goes_on_until_its_trainer_has_stopped(store):
    job = running(store)

    first, again = store.pause_job(job.id), store.pause_job(job.id)

    assert (first.status, again.status, store.n_active_jobs()) == ("pausing", "pausing", 1)
    assert wire.job_object(first)["status"] == "running"
    assert store.record(job.id, "step:1", "Step 1", metrics={"step": 1})
    assert store.events(job.id).rows[0].message == "Step 1"
    assert store.resume_job(job.id).status == "queued"


def test_a_job_that_waits_is_paused_at_once(store):
    job = add_job(store)
    store.advance_job(job.id, "queued", was="validating_files", message="queued")

    assert store.pause_job(job.id).status == "paused"
    with pytest.raises(Conflict, match="status 'paused'"):
        store.pause_job(job.id)


def test_a_paused_job_does_not_finish(store):
    job = running(store)
    store.pause_job(job.id)

    store.finish_job(job.id, model_id="ft:x", files={"a": b"w"}, results=b"r", trained_tokens=1)
    store.settle_pauses()

    assert store.job(job.id).status == "paused"
    assert store.models() == []


def test_only_the_last_three_checkpoints_and_their_files_are_kept(store, tmp_path):
    job = running(store)

    for step in (10, 20, 30, 40, 50):
        checkpoint(store, job.id, step)

    assert [c.step for c in store.checkpoints(job.id).rows] == [50, 40, 30]
    assert [model.id for model in store.models()] == [
        f"ft:base:a:ckpt-step-{step}" for step in (30, 40, 50)
    ]
    assert len(list((tmp_path / "blobs").iterdir())) == 3
    assert list((tmp_path / "drafts").iterdir()) == []


def test_a_checkpoint_told_twice_is_stored_once(store, tmp_path):
    job = running(store)

    first = checkpoint(store, job.id, 10)
    again = checkpoint(store, job.id, 10, b"other")

    assert first == again
    assert len(list((tmp_path / "blobs").iterdir())) == 1
    assert list((tmp_path / "drafts").iterdir()) == []


def test_a_job_that_is_over_takes_no_checkpoint(store, tmp_path):
    job = running(store)
    store.cancel_job(job.id)

    assert checkpoint(store, job.id, 10) is None
    assert list((tmp_path / "blobs").iterdir()) == []


def test_checkpoints_are_paged_newest_first(store):
    job = running(store)
    for step in (1, 2, 3):
        checkpoint(store, job.id, step)

    page = store.checkpoints(job.id, limit=2)
    rest = store.checkpoints(job.id, after=page.rows[-1].id)

    assert [c.step for c in page.rows] == [3, 2]
    assert (page.has_more, [c.step for c in rest.rows], rest.has_more) == (True, [1], False)
    with pytest.raises(InvalidInput):
        store.checkpoints(job.id, after="ftckpt_no")


def test_a_deleted_checkpoint_model_is_no_checkpoint_any_more(store):
    job = running(store)
    checkpoint(store, job.id, 1)

    assert store.delete_model("ft:base:a:ckpt-step-1")

    assert store.checkpoints(job.id).rows == []


def test_a_finished_job_has_copied_its_files_and_keeps_its_figures(store, tmp_path):
    job = running(store)
    adapter = tmp_path / "adapter"
    adapter.write_bytes(b"weights")
    store.estimate_finish(job.id, 99)
    assert store.job(job.id).estimated_finish == 99

    store.finish_job(
        job.id,
        model_id="ft:x",
        files={"adapter_model.safetensors": adapter, "adapter_config.json": b"{}"},
        results=b"r",
        trained_tokens=7,
        result={"held_out": {"asked": 2}},
    )

    model = store.model("ft:x")
    assert model is not None
    assert store.blobs.path(model.files["adapter_model.safetensors"]).read_bytes() == b"weights"
    done = store.job(job.id)
    assert (done.status, done.result) == ("succeeded", {"held_out": {"asked": 2}})
    assert (done.trained_tokens, done.estimated_finish, done.integrations) == (7, None, [])
    assert adapter.exists()
