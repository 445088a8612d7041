"""`finetune`, `jobs` and `models`."""

import threading

import pytest
from django.db import connections

from dashboard.models import FineTuneJob, LegacyJob
from dashboard.services import datasets, processes
from tests.dashboard.commands.running import refusal, rows, run
from tests.factories import DatasetVersionFactory, FineTuneJobFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rooms(endpoint):
    endpoint.new_job = {"status": "succeeded", "fine_tuned_model": "ft:small:rooms"}
    return DatasetVersionFactory(dataset__name="Rooms").dataset


def test_without_a_running_worker_the_command_does_the_work(rooms, endpoint):
    said = run("finetune", "Rooms", "--suffix", "rooms", "--epochs", "3", "--seed", "7")
    job = FineTuneJob.objects.get()
    assert said == f"Created.\nJob {job.pk}: succeeded ft:small:rooms\n"
    (remote,) = endpoint.jobs.values()
    assert (remote["suffix"], remote["seed"]) == ("rooms", 7)
    assert remote["method"]["supervised"]["hyperparameters"] == {"n_epochs": 3}


def test_json_has_the_promised_keys_and_nothing_else_is_on_stdout(rooms):
    (told,) = rows("finetune", "Rooms", "--wait")
    job = FineTuneJob.objects.get()
    assert told["id"] == job.pk
    assert (told["status"], told["model"], told["error"]) == ("succeeded", "ft:small:rooms", None)


def test_with_a_running_worker_the_job_is_left_to_it(rooms, endpoint):
    processes.report("worker", state="running")
    (told,) = rows("finetune", "Rooms")
    assert (told["status"], told["model"]) == ("queued", None)
    assert endpoint.jobs == {}


def test_the_command_goes_on_when_the_worker_that_it_watched_is_gone(rooms):
    processes.report("worker", state="running")

    def end_of_the_worker() -> None:
        processes.report("worker", state="stopped")
        connections.close_all()

    timer = threading.Timer(0.3, end_of_the_worker)
    timer.start()
    (told,) = rows("finetune", "Rooms", "--wait")
    timer.join()
    assert told["status"] == "succeeded"


def test_a_job_that_fails_ends_the_command_with_its_words(rooms, endpoint):
    endpoint.new_job = {"status": "failed", "error": {"code": "x", "message": "Row 3 is odd."}}
    assert (
        refusal("finetune", "Rooms") == f"Job {FineTuneJob.objects.get().pk} failed. Row 3 is odd."
    )


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("Nix",), "There is no dataset 'Nix'"),
        (("Rooms", "--base-model", "nix"), "has no model 'nix' to fine-tune"),
        (("Rooms", "--method", "magic"), "cannot be trained by 'magic'"),
        (("Rooms", "--suffix", "x" * 65), "64 letters"),
        (("Rooms", "--seed=-1"), "seed is a whole number"),
        (("Rooms", "--epochs=0"), "passes over the data"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_is_stored(rooms, args, complaint):
    assert complaint in refusal("finetune", *args)
    assert not FineTuneJob.objects.exists()


def test_a_deleted_dataset_is_refused(rooms):
    datasets.archive(rooms, actor=None)
    assert "There is no dataset 'Rooms'" in refusal("finetune", "Rooms")


def test_spaces_around_a_name_do_no_harm(rooms):
    assert rows("finetune", " Rooms ")[0]["status"] == "succeeded"


def test_a_dead_endpoint_is_told_in_words(rooms, settings):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert "cannot be reached" in refusal("finetune", "Rooms")


# --- jobs -----------------------------------------------------------------------------
def test_jobs_are_listed_newest_first_with_the_promised_keys():
    failed = FineTuneJobFactory(status="failed", error="Row 3 is odd.")
    done = FineTuneJobFactory(succeeded=True)

    (listed,) = rows("jobs")

    assert [(job["id"], job["status"], job["model"], job["error"]) for job in listed] == [
        (done.pk, "succeeded", done.fine_tuned_model, None),
        (failed.pk, "failed", None, "Row 3 is odd."),
    ]
    assert "Row 3 is odd." in run("jobs")
    assert len(rows("jobs", "--limit", "1")[0]) == 1


def test_an_empty_list_tells_the_next_step():
    assert "Start one" in run("jobs")
    assert rows("jobs") == [[]]


def test_a_limit_below_one_is_refused_in_words():
    assert "1 or more" in refusal("jobs", "--limit=-5")


# --- models ---------------------------------------------------------------------------
def test_models_are_listed_tuned_ones_first(endpoint):
    endpoint.models.append({"id": "ft:small:rooms", "object": "model", "owned_by": "me"})
    (listed,) = rows("models")
    assert [model["id"] for model in listed] == ["ft:small:rooms", "large", "small"]
    assert run("models").splitlines()[0] == "ft:small:rooms  (me)"


def test_no_model_at_all_is_told_in_words(endpoint):
    endpoint.models = []
    assert "No model" in run("models")


def test_models_of_a_dead_endpoint_are_told_in_words(endpoint, settings):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert "cannot be reached" in refusal("models")


def test_jobs_that_the_original_bot_had_saved_are_listed_too():
    LegacyJob.objects.create(
        remote_job_id="ftjob-abc", description="shops", source_filename="job_ids.json"
    )

    ((listed,),) = rows("jobs")
    said = run("jobs")

    assert (listed["id"], listed["status"]) == (None, "legacy")
    assert (listed["remote_job_id"], listed["description"]) == ("ftjob-abc", "shops")
    assert "ftjob-abc  shops" in said
    assert "Start one" not in said
