"""What jobs made: taken along, and deleted when nobody needs it."""

import pytest

from dashboard.models import AuditEvent, FineTuneJob, OutboxEvent
from dashboard.services import assistant, jobs, providers, releases, tuned_models
from tests.factories import (
    AliasFactory,
    EvaluationFactory,
    FineTuneJobFactory,
    GuildSettingsFactory,
    PlaceSettingsFactory,
    UserFactory,
)
from trainerbot.errors import Conflict, InvalidInput, NotFound, ProviderUnavailable
from trainerbot.finetune import Download, NotOffered

pytestmark = pytest.mark.django_db
MODEL = "ft:small:support"


@pytest.fixture
def job(endpoint) -> FineTuneJob:
    """A job that is over, whose model and files the endpoint has."""
    endpoint.models.append({"id": MODEL, "object": "model"})
    endpoint.exports["adapter"] = ("support.zip", b"PK" * 1000)
    return FineTuneJobFactory(
        succeeded=True,
        method="supervised",
        fine_tuned_model=MODEL,
        remote_job_id="ftjob-7",
        endpoint=providers.endpoint().name,
    )


@pytest.fixture
def trainer():
    return UserFactory(trainer=True)


def test_taking_a_file_is_audited_and_looking_is_not(job, trainer):
    adapter = tuned_models.form("adapter")

    looked = tuned_models.look(job, adapter)
    assert isinstance(looked, Download)
    assert (looked.filename, looked.n_bytes) == ("support.zip", 2000)
    assert not AuditEvent.objects.exists()

    taken = tuned_models.take(job, adapter, actor=trainer)
    assert isinstance(taken, Download)
    taken.close()
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.target) == ("model.export", trainer, MODEL)
    assert event.detail == {"format": "adapter"}


def test_a_form_that_there_is_not_is_told_with_those_that_there_are():
    with pytest.raises(NotFound, match="adapter, gguf, merged, merged-gguf"):
        tuned_models.form("exe")


def test_a_model_without_weights_of_its_own_asks_nobody(endpoint, trainer):
    job = FineTuneJobFactory(succeeded=True, method="knn")

    with pytest.raises(Conflict, match="Export the dataset"):
        tuned_models.take(job, tuned_models.form("adapter"), actor=trainer)

    assert tuned_models.checkpoints(job) == ([], False)
    assert endpoint.seen == []


def test_a_job_of_another_endpoint_waits_for_it(job, trainer, settings):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"

    with pytest.raises(ProviderUnavailable, match="belongs to the endpoint"):
        tuned_models.take(job, tuned_models.form("adapter"), actor=trainer)


def test_an_endpoint_without_exports_is_told_as_that(job, endpoint):
    endpoint.lacks = {"export"}

    with pytest.raises(NotOffered, match="hands out no files"):
        tuned_models.look(job, tuned_models.form("adapter"))


def test_a_deleted_model_is_gone_there_and_its_job_says_by_whom(job, endpoint, trainer):
    tuned_models.delete(MODEL, actor=trainer)

    job.refresh_from_db()
    assert MODEL not in [model["id"] for model in endpoint.models]
    assert (job.fine_tuned_model, job.status) == ("", "succeeded")
    assert job.events.get().message == (
        f"The model {MODEL} was deleted by {trainer.get_username()}."
    )
    event = AuditEvent.objects.get()
    assert (event.action, event.target, event.detail) == ("model.delete", MODEL, {"jobs": [job.pk]})
    assert OutboxEvent.objects.filter(topic=jobs.topic(job)).exists()


def test_a_model_that_is_gone_already_is_forgotten(job, endpoint, trainer):
    endpoint.models = []

    tuned_models.delete(MODEL, actor=trainer)

    job.refresh_from_db()
    assert job.fine_tuned_model == ""


def test_what_a_name_can_be_rolled_back_to_is_not_deleted(job, endpoint, trainer):
    alias = AliasFactory(name="support")
    for model in (MODEL, "large"):
        releases.promote(releases.draft(alias, model=model), actor=None)

    with pytest.raises(Conflict, match="is what @support can be rolled back to"):
        tuned_models.delete(MODEL, actor=trainer)


@pytest.mark.parametrize(
    ("need", "words"),
    [
        (lambda: assistant.use_model(MODEL, actor=None), "answers everywhere"),
        (lambda: PlaceSettingsFactory(guild__name="City", model=MODEL), "answers in City"),
        (
            lambda: GuildSettingsFactory(guild__name="City", saving_model=MODEL),
            "answers in City where a budget runs out",
        ),
        (lambda: EvaluationFactory(model=MODEL), "is being tested"),
        (lambda: AliasFactory(name="support", answered_by=MODEL), "answers under @support"),
    ],
    ids=["everywhere", "a place", "a budget", "a test", "a name"],
)
def test_a_model_that_is_needed_is_not_deleted(job, endpoint, trainer, need, words):
    need()
    seen = len(endpoint.seen)

    with pytest.raises(Conflict, match=words):
        tuned_models.delete(MODEL, actor=trainer)

    assert len(endpoint.seen) == seen


@pytest.mark.parametrize("model", ["small", "", "ft:" + "x" * 300, "ft:\n"])
def test_only_what_a_fine_tune_made_can_be_deleted(endpoint, trainer, model):
    with pytest.raises(InvalidInput):
        tuned_models.delete(model, actor=trainer)

    assert endpoint.seen == []


def test_an_endpoint_that_keeps_its_models_leaves_the_job_as_it_was(job, endpoint, trainer):
    endpoint.lacks = {"delete"}

    with pytest.raises(NotOffered, match="cannot delete models"):
        tuned_models.delete(MODEL, actor=trainer)

    job.refresh_from_db()
    assert job.fine_tuned_model == MODEL
    assert not AuditEvent.objects.exists()
