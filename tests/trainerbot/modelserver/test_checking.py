"""What is wrong with a job's files, before it trains."""

import contextlib

import pytest

from tests.trainerbot.modelserver.training_data import capitals
from trainerbot.modelserver.jobs.checking import check_files, path_of
from trainerbot.modelserver.jobs.failures import JobFailed
from trainerbot.modelserver.store import Store


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(Store(tmp_path)) as opened:
        yield opened


def job_of(store: Store, method: str):
    file = store.add_file(store.blobs.write(capitals()), filename="t.jsonl", purpose="fine-tune")
    return store.add_job(
        model="tiny",
        method=method,
        hyperparameters={},
        seed=1,
        training_file=file.id,
        validation_file=None,
        suffix=None,
        metadata=None,
    )


@pytest.mark.parametrize("method", ["knn", "dpo"])
def test_a_file_that_is_deleted_while_it_is_read_fails_the_job_in_words(store, method):
    job = job_of(store, method)
    # As a deletion does, right after its row.
    path_of(store, job.training_file, "training_file").unlink()

    with pytest.raises(JobFailed, match="was deleted before the job ran") as caught:
        check_files(store, job, max_bytes=10**6)

    assert (caught.value.code, caught.value.param) == ("invalid_training_file", "training_file")
