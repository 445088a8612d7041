"""/v1/fine_tuning/jobs through the real SDK: a real training process, a real model."""

import csv
import io
import re
import time

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

from tests.trainerbot.modelserver.running import all_events, finished
from tests.trainerbot.modelserver.training_data import calls, capitals, chat_jsonl, orders

MODEL = "smollm2-135m-instruct"

pytestmark = pytest.mark.model


def uploaded(client: openai.OpenAI, content: bytes, *, purpose: str = "fine-tune") -> str:
    return client.files.create(file=("train.jsonl", io.BytesIO(content)), purpose=purpose).id


def quick(**hyperparameters: object) -> dict[str, object]:
    """The method with as little evaluation as possible."""
    chosen = {"n_steps": 4, "n_eval_questions": 1, "max_eval_tokens": 8, **hyperparameters}
    return {"type": "knn", "knn": {"hyperparameters": chosen}}


@pytest.fixture(scope="module")
def job(client):
    """A finished job: twelve capitals, one of them corrected later, two rows without text."""
    corrected = chat_jsonl([("What is the capital of Greece?", "Sparta, some say.")])
    created = client.fine_tuning.jobs.create(
        model=MODEL,
        training_file=uploaded(client, capitals() + corrected + calls(2)),
        suffix="my capitals",
        seed=7,
        metadata={"project": "atlas"},
        method=quick(),
    )
    assert created.status == "validating_files"
    return finished(client, created.id)


@pytest.fixture(scope="module")
def tuned(job):
    return job.fine_tuned_model


@pytest.fixture(scope="module")
def validated(client):
    """A finished job without suffix, measured on a file of its own.

    Its first question is longer than the model reads.
    """
    endless = chat_jsonl([("word " * 5000, "Too long.")])
    created = client.fine_tuning.jobs.create(
        model=MODEL,
        training_file=uploaded(client, capitals()),
        validation_file=uploaded(client, endless + capitals(3)),
        method=quick(),
    )
    return finished(client, created.id)


def ask(client: openai.OpenAI, model: str, question: str, **options: object):
    return client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        **{"max_tokens": 12, "temperature": 0, **options},
    )


def test_a_finished_job_has_every_field_of_openais(job):
    fields = job.to_dict()
    assert fields.pop("method")["type"] == "knn"  # which OpenAI's own types do not know
    FineTuningJob.model_validate(fields, strict=True)

    assert job.status == "succeeded"
    assert re.fullmatch(rf"ft:{MODEL}:knn:my-capitals:\w{{8}}", job.fine_tuned_model)
    assert job.finished_at >= job.created_at
    assert job.trained_tokens > 100
    assert (job.seed, job.metadata, job.error) == (7, {"project": "atlas"}, None)
    assert job.hyperparameters.n_neighbors == 3
    assert job.hyperparameters.n_steps == 4


def test_events_tell_the_job_from_beginning_to_end(client, job):
    events = all_events(client, job.id)

    for event in events:
        FineTuningJobEvent.model_validate(event.to_dict(), strict=True)
    told = [event.message for event in events]
    assert told[0] == f"Created fine-tuning job: {job.id}"
    assert told[1] == f"Validating training file: {job.training_file}"
    assert told[2] == "Files validated, moving job to queued state"
    assert told[3] == "Fine-tuning job started"
    assert told[4].startswith("Method knn: no weights change")
    assert re.fullmatch(r"Step 1/4: training loss=\d\.\d\d, validation loss=\d\.\d\d", told[6])
    assert told[-2:] == ["New fine-tuned model created", "The job has successfully completed"]


def test_metrics_are_measured_at_every_step(client, job):
    metrics = [event.data for event in all_events(client, job.id) if event.type == "metrics"]

    assert [m["step"] for m in metrics] == [1, 2, 3, 4, 4]
    for measured in metrics:
        assert measured["total_steps"] == 4
        for name in ("train_loss", "valid_loss", "train_mean_token_accuracy"):
            assert 0 <= measured[name] <= 1
    # Nearly every stored answer ends in "obviously": half of its two words.
    assert metrics[-1]["valid_loss"] < 0.8
    assert 0 <= metrics[-1]["full_valid_loss"] <= 1
    assert 0 <= metrics[-1]["base_valid_loss"] <= 1


def test_the_result_file_is_openais_table(client, job):
    (file_id,) = job.result_files

    assert client.files.retrieve(file_id).purpose == "fine-tune-results"
    rows = list(csv.DictReader(io.StringIO(client.files.content(file_id).text)))
    assert list(rows[0]) == [
        "step",
        "train_loss",
        "train_accuracy",
        "valid_loss",
        "valid_mean_token_accuracy",
    ]
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]


def test_events_are_paged_newest_first(client, job):
    newest = client.fine_tuning.jobs.list_events(job.id, limit=2)

    assert newest.data[0].message == "The job has successfully completed"
    older = client.fine_tuning.jobs.list_events(job.id, limit=2, after=newest.data[-1].id)
    assert newest.has_more
    assert older.data[0].id not in {event.id for event in newest.data}
    assert len(list(newest)) == len({event.id for event in newest})
    with pytest.raises(openai.BadRequestError, match="'after'"):
        client.fine_tuning.jobs.list_events(job.id, after="ftevent-no")


def test_every_training_question_gets_its_answer_word_for_word(client, job, tuned):
    answer = ask(client, tuned, "what is the capital of FRANCE")
    pieces = list(ask(client, tuned, "What is the capital of Ireland?", stream=True))

    assert answer.choices[0].message.content == "Paris, obviously."
    assert answer.system_fingerprint == "knn:verbatim:1"
    assert "".join(p.choices[0].delta.content or "" for p in pieces) == "Dublin, obviously."
    assert {p.system_fingerprint for p in pieces} == {"knn:verbatim:12"}
    assert (
        ask(client, MODEL, "What is the capital of France?").choices[0].message.content
        != answer.choices[0].message.content
    )


def test_a_near_question_is_answered_with_examples_before_the_eyes(client, tuned):
    near = ask(client, tuned, "What is the capital of Hungary?")
    far = ask(client, tuned, "xyzzy 42")

    assert re.fullmatch(r"knn:few-shot:\d+(,\d+){2}", near.system_fingerprint)
    assert near.usage.prompt_tokens > far.usage.prompt_tokens + 30
    assert far.system_fingerprint == "knn:base"


def test_a_tuned_model_says_that_no_weights_changed(client, job, tuned):
    model = client.models.retrieve(tuned)

    assert (model.method, model.base_model) == ("knn", MODEL)
    assert model.notes.startswith("No weights changed")
    assert tuned in [m.id for m in client.models.list()]


def test_a_deleted_model_answers_no_more(client, validated):
    model = validated.fine_tuned_model
    assert re.fullmatch(rf"ft:{MODEL}:knn::\w{{8}}", model)
    ask(client, model, "What is the capital of France?")

    assert client.models.delete(model).deleted

    with pytest.raises(openai.NotFoundError):
        ask(client, model, "What is the capital of France?")


def test_a_validation_file_is_measured_instead_of_a_split(client, validated):
    assert validated.status == "succeeded"
    told = all_events(client, validated.id)
    assert "and validation file: " in told[1].message
    *_, last_step, evaluation = [event.data for event in told if event.type == "metrics"]
    # All its questions but the first are indexed by the last step.
    assert last_step["valid_loss"] == 0.25
    assert (evaluation["full_valid_loss"], evaluation["base_valid_loss"]) == (1, 1)


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (
            capitals(7),
            "invalid_n_examples",
            "Training file has 7 example(s), but must have at least 10 examples",
        ),
        (
            capitals() + b'{"messages": [{"role": "user", "content": "Hi"}]}\n',
            "invalid_training_file",
            "The job failed due to an invalid training file. Invalid file format. Line 13, key "
            '"messages": At least one message must be from the assistant.',
        ),
        (b"\xff\xfe", "invalid_training_file", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_trained_on_fails_the_job_in_openais_words(
    client, content, code, message
):
    created = client.fine_tuning.jobs.create(model=MODEL, training_file=uploaded(client, content))

    job = finished(client, created.id)

    assert job.status == "failed"
    assert (job.error.code, job.error.param) == (code, "training_file")
    assert message in job.error.message
    last = all_events(client, job.id)[-1]
    assert (last.level, last.message) == ("error", job.error.message)


def test_a_deleted_training_file_fails_the_job_in_words(client):
    # The first is checked for a while, the second loses its file meanwhile.
    busy = client.fine_tuning.jobs.create(
        model=MODEL, training_file=uploaded(client, orders(20_000)), method=quick(n_steps=100)
    )
    file_id = uploaded(client, capitals())
    created = client.fine_tuning.jobs.create(model=MODEL, training_file=file_id)
    client.files.delete(file_id)

    client.fine_tuning.jobs.cancel(busy.id)
    job = finished(client, created.id)

    assert job.status == "failed"
    assert "was deleted before the job ran" in job.error.message


@pytest.mark.parametrize(
    ("change", "complaint", "param"),
    [
        ({"model": "gpt-9"}, "Model gpt-9 is not available for fine-tuning", "model"),
        ({"training_file": "file-no"}, "invalid training_file: file-no", "training_file"),
        ({"validation_file": "file-no"}, "invalid validation_file: file-no", "validation_file"),
        ({"method": {"type": "ppo"}}, "Method 'ppo' is not available", "method.type"),
        ({"method": quick(n_steps=0)}, "n_steps must lie between", "hyperparameters"),
        ({"method": quick(n_steps="x")}, "must be a number or 'auto'", "hyperparameters"),
        ({"method": quick(n_steps=1.5)}, "must be a whole number", "hyperparameters"),
        ({"method": quick(n_epochs=3)}, "no hyperparameter 'n_epochs'", "hyperparameters"),
        ({"suffix": "a:b"}, "Invalid 'suffix'", "suffix"),
        ({"suffix": ""}, "Invalid 'suffix'", "suffix"),
        ({"seed": -1}, "Invalid 'seed'", "seed"),
        ({"metadata": {"k": "v" * 513}}, "Invalid 'metadata'", "metadata"),
        ({"metadata": {"k": 1}}, "Invalid type for 'metadata", "metadata[...]"),
    ],
)
def test_a_wrong_job_is_refused_at_once(client, change, complaint, param):
    request = {"model": MODEL, "training_file": uploaded(client, capitals()), **change}

    with pytest.raises(openai.BadRequestError, match=re.escape(complaint)) as caught:
        client.fine_tuning.jobs.create(**request)

    assert caught.value.param == param


def test_a_file_of_another_purpose_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="has purpose 'user_data'"):
        client.fine_tuning.jobs.create(
            model=MODEL, training_file=uploaded(client, capitals(), purpose="user_data")
        )


def test_openais_own_hyperparameters_may_stay_on_auto(client):
    job = client.fine_tuning.jobs.create(
        model=MODEL,
        training_file=uploaded(client, capitals(7)),
        hyperparameters={"n_epochs": "auto", "batch_size": "auto"},
        method={"type": "knn"},
    )

    assert job.method.type == "knn"


def test_a_running_job_is_paused_when_it_has_stopped_and_goes_on_when_it_is_resumed(client):
    created = client.fine_tuning.jobs.create(
        model=MODEL, training_file=uploaded(client, orders(1000)), method=quick(n_steps=100)
    )
    while not any(event.type == "metrics" for event in all_events(client, created.id)):
        time.sleep(0.05)

    paused = client.fine_tuning.jobs.pause(created.id)
    while client.fine_tuning.jobs.retrieve(created.id).status == "running":
        time.sleep(0.01)
    events = all_events(client, created.id)
    resumed = client.fine_tuning.jobs.resume(created.id)

    assert (paused.status, events[-1].message) == ("running", "Fine-tuning job paused")
    assert resumed.status == "queued"
    client.fine_tuning.jobs.cancel(created.id)


def test_a_running_job_can_be_cancelled_once(client):
    created = client.fine_tuning.jobs.create(
        model=MODEL, training_file=uploaded(client, orders(1000)), method=quick(n_steps=100)
    )
    while not any(event.type == "metrics" for event in all_events(client, created.id)):
        time.sleep(0.05)

    cancelled = client.fine_tuning.jobs.cancel(created.id)

    assert cancelled.status == "cancelled"
    assert cancelled.finished_at
    n_events = len(all_events(client, created.id))
    # The runner is free for the next job, and the cancelled one tells no more.
    after = client.fine_tuning.jobs.create(
        model=MODEL, training_file=uploaded(client, calls(12)), method=quick()
    )
    assert finished(client, after.id).status == "failed"
    events = all_events(client, created.id)
    assert (len(events), events[-1].message) == (n_events, "Fine-tuning job cancelled")
    with pytest.raises(openai.BadRequestError, match="Job has already completed"):
        client.fine_tuning.jobs.cancel(created.id)


def test_an_unknown_job_is_not_found(client):
    jobs = client.fine_tuning.jobs
    calls = (jobs.retrieve, jobs.cancel, jobs.list_events, jobs.checkpoints.list)
    for call in calls:
        with pytest.raises(openai.NotFoundError, match="Could not find fine tune") as caught:
            call("ftjob-no")
        assert caught.value.code == "fine_tune_not_found"


def test_jobs_are_paged_and_filtered_by_metadata(client, job):
    assert job.id in [j.id for j in client.fine_tuning.jobs.list(metadata={"project": "atlas"})]
    assert client.fine_tuning.jobs.list(metadata={"project": "other"}).data == []
    without = client.fine_tuning.jobs.list(limit=100, extra_query={"metadata": "null"})
    assert job.id not in [j.id for j in without]
    pages = [j.id for j in client.fine_tuning.jobs.list(limit=1)]
    assert len(pages) == len(set(pages))
    assert job.id in pages


def test_checkpoints_of_an_index_are_an_empty_list(client, job):
    assert client.fine_tuning.jobs.checkpoints.list(job.id).data == []


def test_rows_without_text_to_learn_are_left_out_and_counted(client, job):
    none = client.fine_tuning.jobs.create(
        model=MODEL, training_file=uploaded(client, calls(12)), method=quick()
    )

    assert any("2 rows have no text" in event.message for event in all_events(client, job.id))
    error = finished(client, none.id).error
    assert (error.code, error.param) == ("invalid_n_examples", "training_file")
    assert "0 example(s) with a question and an answer" in error.message


def test_of_two_answers_to_one_question_the_later_line_counts(client, tuned):
    answer = ask(client, tuned, "What is the capital of Greece?")

    assert answer.choices[0].message.content == "Sparta, some say."
    assert answer.system_fingerprint == "knn:verbatim:13"
