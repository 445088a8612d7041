"""The original bot's job ids, in both of their shapes."""

import json

import pytest

from dashboard.models import DatasetImport, LegacyJob
from dashboard.services import imports, legacy, tasks
from tests.dashboard.commands.running import refusal, run
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db(transaction=True)


def saved(tmp_path, value):
    path = tmp_path / "job_ids.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_the_older_shape_is_kept_without_a_date(tmp_path):
    path = saved(tmp_path, {"ftjob-1": "first try", "ftjob-2": "Магазины"})
    assert legacy.import_job_ids(path) == 2
    job = LegacyJob.objects.get(remote_job_id="ftjob-2")
    assert (job.description, job.created_at) == ("Магазины", None)


def test_the_newer_shape_is_kept_with_its_date(tmp_path):
    path = saved(tmp_path, [{"id": "ftjob-3", "description": "x", "created": 1_700_000_000}])
    legacy.import_job_ids(path)
    assert LegacyJob.objects.get().created_at.year == 2023


def test_a_date_in_words_of_iso_is_taken_too(tmp_path):
    entry = {"id": "ftjob-4", "description": "x", "created": "2024-01-01T10:00:00"}
    legacy.import_job_ids(saved(tmp_path, [entry]))
    assert LegacyJob.objects.get().created_at.isoformat() == "2024-01-01T10:00:00+00:00"


def test_the_same_file_twice_brings_nothing_new(tmp_path):
    path = saved(tmp_path, {"ftjob-1": "first try"})
    legacy.import_job_ids(path)
    assert legacy.import_job_ids(path) == 0


def test_another_file_is_refused_in_words(tmp_path):
    with pytest.raises(InvalidInput):
        legacy.import_job_ids(saved(tmp_path, "hello"))
    assert not LegacyJob.objects.exists()


def test_the_command_says_how_many_were_new(tmp_path):
    assert run("importjobs", saved(tmp_path, {"ftjob-1": "a"})).startswith("1 jobs were new")
    assert refusal("importjobs", tmp_path / "none.json").startswith("There is no file")


def test_an_upload_of_job_ids_is_recognised_and_kept(tmp_path):
    content = saved(tmp_path, {"ftjob-1": "first try"}).read_bytes()
    begun = imports.begin_upload(filename="job_ids.json", n_bytes=len(content), created_by=None)
    imports.receive(begun, offset=0, pieces=[content])
    tasks.run_next("a worker")
    begun.refresh_from_db()
    assert (begun.state, begun.file_format) == ("checked", "job-ids")

    with pytest.raises(InvalidInput, match="no examples"):
        imports.start_import(begun, name="Jobs", actor=None)
    assert imports.keep_job_ids(begun, actor=None) == 1
    assert begun.state == DatasetImport.State.IMPORTED
    assert not imports.path_of(begun).exists()
