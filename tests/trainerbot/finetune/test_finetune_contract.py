"""What every fine-tuning provider promises."""

import socket
import tracemalloc
from dataclasses import replace

import pytest

from tests.fakes.openai_endpoint import FakeOpenAI, error_body
from trainerbot.errors import InvalidInput, ProviderRefused, ProviderUnavailable
from trainerbot.finetune import (
    Download,
    FineTuneProvider,
    JobSpec,
    NotOffered,
    Preparing,
    open_finetune,
)

SPEC = JobSpec(
    base_model="small",
    method="knn",
    suffix="help",
    seed=7,
    hyperparameters={"k": 3},
    metadata={"trainerbot_job": "17"},
)


def test_a_file_goes_out_as_it_lies(fake: FakeOpenAI, provider: FineTuneProvider, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(b'{"messages": []}\n')

    file_id = provider.upload(path)

    sent = fake.files[file_id]
    assert b'\r\n\r\n{"messages": []}\n\r\n' in sent
    assert b'filename="train.jsonl"' in sent
    assert b"fine-tune" in sent


def test_a_large_file_is_never_whole_in_memory(fake, provider, tmp_path):
    path = tmp_path / "train.jsonl"
    n_bytes = 8 * 2**20
    path.write_bytes(b"x" * n_bytes)
    fake.keep_files = False
    provider.upload(path)

    tracemalloc.start()
    provider.upload(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < n_bytes / 2


def test_a_job_carries_its_method_and_its_numbers(fake, provider):
    job = provider.create(SPEC, training_file="file-1", validation_file="file-2")

    assert (job.status, job.ended, job.fine_tuned_model) == ("validating_files", False, None)
    row = fake.jobs[job.id]
    assert row["model"] == "small"
    assert row["training_file"] == "file-1"
    assert row["validation_file"] == "file-2"
    assert row["suffix"] == "help"
    assert row["seed"] == 7
    assert row["metadata"] == {"trainerbot_job": "17"}
    assert row["method"] == {"type": "knn", "knn": {"hyperparameters": {"k": 3}}}
    assert job.raw == row


def test_what_is_not_given_is_not_sent(fake, provider):
    job = provider.create(JobSpec("small", "supervised"), training_file="file-1")

    assert not {"suffix", "seed", "metadata"} & fake.jobs[job.id].keys()


def test_creating_is_tried_only_once(fake, endpoint):
    provider = open_finetune(replace(endpoint, max_retries=3))
    fake.failures = [(503, error_body("down"))]

    with pytest.raises(ProviderUnavailable):
        provider.create(SPEC, training_file="file-1")

    assert fake.seen == ["POST /v1/fine_tuning/jobs"]
    provider.close()


def test_a_job_is_found_again_by_its_metadata(fake, provider):
    made = provider.create(SPEC, training_file="file-1")
    provider.create(replace(SPEC, metadata={"trainerbot_job": "18"}), training_file="file-1")

    found = provider.find({"trainerbot_job": "17"})

    assert found is not None
    assert found.id == made.id
    assert provider.find({"trainerbot_job": "99"}) is None


def test_a_job_is_found_where_the_endpoint_does_not_filter(fake, provider):
    fake.filters = False
    made = provider.create(SPEC, training_file="file-1")
    for number in range(150):
        fake.jobs[f"other-{number}"] = {"id": f"other-{number}", "metadata": None}

    found = provider.find({"trainerbot_job": "17"})

    assert found is not None
    assert found.id == made.id


def test_a_job_that_ended_says_how(fake, provider):
    job = provider.create(SPEC, training_file="file-1")
    fake.finish(job.id)

    job = provider.retrieve(job.id)

    assert job.ended
    assert (job.status, job.fine_tuned_model) == ("succeeded", f"ft:{job.id}")
    assert (job.trained_tokens, job.finished_at) == (123, 2000)
    assert (job.error_code, job.error_message) == (None, None)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"code": "invalid_n_examples", "message": "Too few."}, "invalid_n_examples", "Too few."),
        ({}, None, None),
        ({"code": None, "message": None, "param": None}, None, None),
        ("Too few.", None, "Too few."),
    ],
)
def test_every_shape_of_a_jobs_error_is_read(fake, provider, error, code, message):
    job = provider.create(SPEC, training_file="file-1")
    fake.finish(job.id, status="failed", error=error, fine_tuned_model=None)

    job = provider.retrieve(job.id)

    assert (job.status, job.error_code, job.error_message) == ("failed", code, message)


def test_a_status_that_nobody_knows_is_kept(fake, provider):
    job = provider.create(SPEC, training_file="file-1")
    fake.finish(job.id, status="paused", finished_at=None)

    job = provider.retrieve(job.id)

    assert (job.status, job.ended) == ("paused", False)


def test_a_job_is_cancelled_once(fake, provider):
    job = provider.create(SPEC, training_file="file-1")

    assert provider.cancel(job.id).status == "cancelled"
    with pytest.raises(ProviderRefused, match="already cancelled"):
        provider.cancel(job.id)


def test_a_job_that_does_not_exist_is_told_by_name(provider):
    with pytest.raises(ProviderRefused, match="does not know job ftjob-404") as caught:
        provider.retrieve("ftjob-404")

    assert caught.value.code == "fine_tune_not_found"


def test_events_come_oldest_first_and_only_new_ones(fake, provider):
    job = provider.create(SPEC, training_file="file-1")
    for step in range(250):
        fake.say(job.id, f"Step {step}", step=step, train_loss=1.5)

    events = provider.events(job.id)
    later = fake.say(job.id, "Done.")

    assert [event.message for event in events] == ["Created."] + [f"Step {n}" for n in range(250)]
    assert (events[5].type, events[5].data) == ("metrics", {"step": 4, "train_loss": 1.5})
    assert [event.id for event in provider.events(job.id, after=events[-1].id)] == [later["id"]]
    assert provider.events(job.id, after=later["id"]) == []


def test_an_event_that_two_pages_repeat_comes_once(fake, provider):
    job = provider.create(SPEC, training_file="file-1")
    fake.events[job.id] *= 2

    assert [event.message for event in provider.events(job.id)] == ["Created."]


def test_an_unknown_last_event_gives_all_events_rather_than_none(fake, provider):
    job = provider.create(SPEC, training_file="file-1")

    assert len(provider.events(job.id, after="ftevent-gone")) == 1


def test_base_models_are_those_that_say_so_or_else_all_untrained_ones(fake, provider):
    fake.models.append({"id": "ft:small:knn:help:1", "object": "model"})

    assert [model.id for model in provider.base_models()] == ["small", "large"]

    fake.models[0]["fine_tune_methods"] = ["knn"]
    (base,) = provider.base_models()
    assert (base.id, base.details) == ("small", {"fine_tune_methods": ["knn"]})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error_body("No such method."), ProviderRefused),
        (401, error_body("no"), ProviderRefused),
        (429, error_body("slow down"), ProviderUnavailable),
        (500, "oops", ProviderUnavailable),
        (200, ["no job"], ProviderRefused),
        (200, {"id": None}, ProviderRefused),
    ],
)
def test_every_failure_is_told_in_words(fake, provider, status, body, kind):
    calls = (
        lambda: provider.create(SPEC, training_file="file-1"),
        lambda: provider.retrieve("ftjob-1"),
        lambda: provider.cancel("ftjob-1"),
        lambda: provider.events("ftjob-1"),
        lambda: provider.find({"a": "b"}),
    )
    for call in calls:
        fake.failures = [(status, body)]

        with pytest.raises(kind, match="Fake"):
            call()


def test_a_dead_endpoint_is_told_in_words(endpoint, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    provider = open_finetune(replace(endpoint, base_url=f"http://127.0.0.1:{port}/v1"))
    path = tmp_path / "train.jsonl"
    path.write_text("{}")

    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        provider.retrieve("ftjob-1")
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        provider.upload(path)
    provider.close()


def test_a_file_that_is_not_there_is_an_oserror(provider, tmp_path):
    with pytest.raises(FileNotFoundError):
        provider.upload(tmp_path / "none.jsonl")


def test_an_unknown_provider_is_refused_in_words(endpoint):
    with pytest.raises(InvalidInput, match="no fine-tuning provider alchemy"):
        open_finetune(endpoint, "alchemy")


# --- what not every endpoint can ------------------------------------------------------
@pytest.fixture
def job_id(fake: FakeOpenAI, provider: FineTuneProvider) -> str:
    return provider.create(SPEC, training_file="file-1").id


def test_a_job_is_paused_and_goes_on(fake, provider, job_id):
    fake.jobs[job_id]["status"] = "queued"

    assert provider.pause(job_id).status == "paused"
    assert provider.resume(job_id).status == "queued"


def test_a_job_that_cannot_be_paused_now_is_refused_in_the_endpoints_words(fake, provider, job_id):
    fake.jobs[job_id]["status"] = "succeeded"

    with pytest.raises(ProviderRefused, match="Job has status 'succeeded'"):
        provider.pause(job_id)

    assert fake.seen.count(f"POST /v1/fine_tuning/jobs/{job_id}/pause") == 1


@pytest.mark.parametrize(
    ("lack", "ask", "words"),
    [
        ("pause", lambda it, job_id: it.pause(job_id), "cannot pause and resume jobs"),
        ("pause", lambda it, job_id: it.resume(job_id), "cannot pause and resume jobs"),
        ("checkpoints", lambda it, job_id: it.checkpoints(job_id), "lists no checkpoints"),
        ("export", lambda it, job_id: it.export(job_id, form="adapter"), "hands out no files"),
        ("delete", lambda it, job_id: it.delete_model("ft:x"), "cannot delete models"),
    ],
)
def test_what_an_endpoint_does_not_know_is_told_as_that(fake, provider, job_id, lack, ask, words):
    fake.lacks = {lack}

    with pytest.raises(NotOffered, match=words):
        ask(provider, job_id)


def test_a_job_that_is_gone_is_not_taken_for_a_missing_ability(provider):
    with pytest.raises(ProviderRefused, match="does not know job") as raised:
        provider.pause("ftjob-none")

    assert not isinstance(raised.value, NotOffered)


def test_checkpoints_come_in_pages_newest_first(fake, provider, job_id):
    for step in (10, 20, 30):
        fake.keep_checkpoint(job_id, step, train_loss=1 / step, odd=None)

    first, more = provider.checkpoints(job_id, limit=2)
    second, no_more = provider.checkpoints(job_id, after=first[-1].id, limit=2)

    assert [row.step for row in first + second] == [30, 20, 10]
    assert (more, no_more) == (True, False)
    assert first[0].model == f"ft:{job_id}:ckpt-step-30"
    assert first[0].metrics == {"step": 30, "train_loss": 1 / 30}


def test_an_export_is_read_piece_by_piece_with_its_name_and_length(fake, provider, job_id):
    fake.exports["gguf"] = ("../../tuned model.gguf", b"x" * 600_000)

    file = provider.export(job_id, form="gguf")

    assert isinstance(file, Download)
    assert (file.filename, file.n_bytes) == ("tuned model.gguf", 600_000)
    pieces = list(file.pieces)
    file.close()
    assert len(pieces) > 1
    assert sum(map(len, pieces)) == 600_000


def test_an_export_that_takes_a_while_says_how_far_it_is(fake, provider, job_id):
    fake.exports["merged"] = 0.4

    assert provider.export(job_id, form="merged") == Preparing(0.4)


def test_an_export_that_cannot_be_is_refused_in_the_endpoints_words(provider, job_id):
    with pytest.raises(ProviderRefused, match="no weights of its own"):
        provider.export(job_id, form="adapter")


def test_a_tuned_model_is_deleted_once(fake, provider):
    fake.models.append({"id": "ft:small:a/b:1", "object": "model"})

    provider.delete_model("ft:small:a/b:1")

    assert [model["id"] for model in fake.models] == ["small", "large"]
    with pytest.raises(ProviderRefused, match="does not know model"):
        provider.delete_model("ft:small:a/b:1")


def test_the_chosen_numbers_and_the_figures_of_the_end_are_read(fake, provider, job_id):
    fake.jobs[job_id]["method"] = {"type": "knn", "knn": {"hyperparameters": {"k": 5}}}
    fake.jobs[job_id]["result"] = {"general": {"asked": 30}}

    job = provider.retrieve(job_id)

    assert job.hyperparameters == {"k": 5}
    assert job.result == {"general": {"asked": 30}}
