"""Asking for a fine-tune, and what is refused in words."""

import pytest

from dashboard.models import AuditEvent, Example, FineTuneJob, OutboxEvent, Provenance, Task
from dashboard.services import datasets, jobs
from tests.factories import (
    DatasetFactory,
    DatasetVersionFactory,
    FineTuneJobFactory,
    ProvenanceFactory,
    UserFactory,
)
from trainerbot.errors import Conflict, InvalidInput, NotFound, ProviderUnavailable
from trainerbot.llm import ModelInfo

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(endpoint):
    return DatasetVersionFactory().dataset


def test_a_job_is_queued_told_and_audited(dataset):
    trainer = UserFactory(trainer=True)

    job = jobs.submit(dataset=dataset, created_by=trainer, hyperparameters={"n_epochs": 2}, seed=7)

    assert (job.base_model, job.method, job.status) == ("small", "supervised", "queued")
    assert (job.hyperparameters, job.seed, job.version) == ({"n_epochs": 2}, 7, dataset.latest())
    task = Task.objects.get()
    assert (task.kind, task.args) == ("finetune", {"job": job.pk})
    assert OutboxEvent.objects.filter(topic="jobs", payload__id=job.pk).exists()
    assert AuditEvent.objects.get(action="job.submit").actor == trainer


def test_the_methods_are_those_that_the_endpoint_names(dataset, endpoint):
    endpoint.models[0]["fine_tune_methods"] = ["knn", "lora"]
    assert jobs.submit(dataset=dataset).method == "knn"
    assert jobs.submit(dataset=dataset, method="lora").method == "lora"
    with pytest.raises(InvalidInput, match=r"cannot be trained by 'dpo'. It offers: knn, lora"):
        jobs.submit(dataset=dataset, method="dpo")


def test_a_double_click_gives_one_job(dataset):
    first = jobs.submit(dataset=dataset, suffix="rooms")
    assert jobs.submit(dataset=dataset, suffix="rooms") == first
    assert jobs.submit(dataset=dataset, suffix="halls") != first
    assert Task.objects.count() == 2


def test_the_same_request_after_the_end_is_a_new_job(dataset):
    first = jobs.submit(dataset=dataset)
    FineTuneJob.objects.filter(pk=first.pk).update(status="failed")
    assert jobs.submit(dataset=dataset) != first


def test_the_same_request_while_the_first_is_being_cancelled_is_a_new_job(dataset):
    first = jobs.submit(dataset=dataset)
    jobs.cancel(first, actor=None)
    assert jobs.submit(dataset=dataset) != first


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"base_model": "nix"}, "no model 'nix' to fine-tune. It offers: small, large"),
        ({"method": "magic"}, "cannot be trained by 'magic'. It offers: supervised"),
        ({"suffix": "x" * 65}, "64 letters"),
        ({"suffix": "nul\x00"}, "letters, digits and signs"),
        ({"seed": -1}, "whole number from 0"),
        ({"seed": 2**31}, "whole number from 0"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_is_stored(dataset, asked, complaint):
    with pytest.raises(InvalidInput, match=complaint):
        jobs.submit(dataset=dataset, **asked)
    assert not FineTuneJob.objects.exists()
    assert not Task.objects.exists()


def test_a_deleted_dataset_is_refused_even_if_the_page_still_shows_it(dataset):
    seen_before = type(dataset).objects.get(pk=dataset.pk)
    datasets.archive(dataset, actor=None)
    with pytest.raises(NotFound, match="was deleted"):
        jobs.submit(dataset=seen_before)


def test_a_dataset_without_a_version_is_refused(endpoint):
    with pytest.raises(NotFound, match="Choose another"):
        jobs.submit(dataset=DatasetFactory())


def test_discord_message_content_is_never_trained_on(dataset):
    said = ProvenanceFactory(source=Provenance.Source.DISCORD_MESSAGE)
    Example.objects.filter(position__lt=3).update(provenance=said)
    with pytest.raises(InvalidInput, match=r"3 examples .* are Discord message content"):
        jobs.submit(dataset=dataset)
    assert not FineTuneJob.objects.exists()


def test_a_job_keeps_the_proof_of_what_it_trains_on(dataset):
    said = ProvenanceFactory(
        source=Provenance.Source.DISCORD_MESSAGE, permission="Discord, letter of 2026-10-01"
    )
    Example.objects.filter(position__lt=3).update(provenance=said)
    job = jobs.submit(dataset=dataset)
    assert job.provenance["rows"] == {"upload": 9, "discord_message": 3}
    told = [each["permission"] for each in job.provenance["sources"]]
    assert told == ["", "Discord, letter of 2026-10-01"]
    assert job.provenance["sha256"] == job.version.sha256


def test_an_endpoint_without_base_models_is_told_in_words(dataset, endpoint):
    endpoint.models = []
    with pytest.raises(InvalidInput, match="offers no model to fine-tune"):
        jobs.submit(dataset=dataset)


def test_an_endpoint_that_is_down_is_told_in_words(dataset, settings):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        jobs.submit(dataset=dataset)
    assert not FineTuneJob.objects.exists()


def test_a_job_that_is_over_cannot_be_cancelled():
    job = FineTuneJobFactory(succeeded=True)
    with pytest.raises(Conflict, match="over already: succeeded"):
        jobs.cancel(job, actor=None)
    assert not FineTuneJob.objects.get().cancel_requested


def test_cancelling_is_told_and_audited():
    job = FineTuneJobFactory(running=True)
    admin = UserFactory(admin=True)
    jobs.cancel(job, actor=admin)
    assert job.cancel_requested
    assert AuditEvent.objects.get(action="job.cancel").actor == admin
    assert OutboxEvent.objects.filter(topic=f"job.{job.pk}").exists()


def test_a_job_that_is_none_is_told_in_words():
    with pytest.raises(NotFound, match="no such job"):
        jobs.get(404)


def test_nothing_is_tuned_from_a_model_that_openai_has_switched_off(settings):
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = "https://api.openai.com/v1", "sk-x"
    version = DatasetVersionFactory(n_examples=3)
    gone = ModelInfo(id="gpt-4.1-nano", owned_by="openai")

    with pytest.raises(InvalidInput, match=r"OpenAI switched gpt-4\.1-nano off on 2026-10-23"):
        jobs.submit(dataset=version.dataset, base_model="gpt-4.1-nano", offered=[gone])


def test_an_endpoint_that_trains_a_model_no_more_says_so_before_anything_is_sent():
    version = DatasetVersionFactory(n_examples=3)
    told = {"deprecation": {"fine_tune": 1_700_000_000, "inference": 4_000_000_000}}
    old = ModelInfo(id="old", owned_by="x", details=told)

    with pytest.raises(InvalidInput, match="no new fine-tuning jobs since 2023-11-14"):
        jobs.submit(dataset=version.dataset, base_model="old", offered=[old])
