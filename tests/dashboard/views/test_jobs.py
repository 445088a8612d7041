"""Fine-tune jobs in the browser: started, watched, cancelled."""

import json
import re
from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import FineTuneEvent, FineTuneJob, Task
from dashboard.services import jobs
from tests.factories import DatasetVersionFactory, FineTuneJobFactory, TaskFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def wanted(version, **changes: str) -> dict[str, object]:
    return {
        "dataset": version.dataset_id,
        "base_model": "tiny-chat",
        "method": "supervised",
        "suffix": "support",
        **changes,
    }


def measured(job: FineTuneJob, step: int, **figures: float) -> None:
    FineTuneEvent.objects.create(
        job=job,
        remote_event_id=f"e{step}",
        level="info",
        type="metrics",
        message=f"Step {step}",
        data={"step": step, **figures},
    )


def test_without_a_dataset_the_form_tells_the_next_step(trainer):
    page = trainer.get("/fine-tuning/new/").content.decode()

    assert "There is nothing to learn from yet" in page
    assert 'href="/datasets/upload/"' in page


def test_the_form_starts_with_the_dataset_one_came_from(trainer):
    version = DatasetVersionFactory()
    DatasetVersionFactory()

    page = trainer.get(f"/fine-tuning/new/?dataset={version.dataset_id}").content.decode()

    assert re.search(rf'<option value="{version.dataset_id}" selected', page)


def test_the_choices_come_from_the_endpoint_in_plain_words(trainer, endpoint):
    endpoint.models[0]["fine_tune_methods"] = ["knn", "dpo"]

    page = trainer.get("/fine-tuning/new/choices/").content.decode()

    assert "tiny-chat" in page
    assert "No weights change" in page
    assert "Preference training" in page


def test_epochs_are_asked_for_only_where_something_is_trained(trainer, endpoint):
    endpoint.models[0]["fine_tune_methods"] = ["knn", "supervised"]

    knn = trainer.get("/fine-tuning/new/choices/?method=knn").content.decode()
    supervised = trainer.get("/fine-tuning/new/choices/?method=supervised").content.decode()

    assert "Epochs" not in knn
    assert "Epochs" in supervised


def test_an_endpoint_that_is_down_leaves_a_way_to_try_again(trainer):
    response = trainer.get("/fine-tuning/new/choices/", headers=HTMX)

    assert response.status_code == 503
    assert "Try again" in response.content.decode()


def test_a_job_is_queued_and_its_page_opens(trainer, endpoint):
    version = DatasetVersionFactory()

    response = trainer.post("/fine-tuning/new/", wanted(version, n_epochs="4"))

    job = FineTuneJob.objects.get()
    assert response["Location"] == f"/fine-tuning/{job.pk}/"
    assert (job.version, job.base_model, job.method) == (version, "tiny-chat", "supervised")
    assert job.hyperparameters == {"n_epochs": 4}
    assert job.created_by is not None
    assert Task.objects.get().idempotency_key == jobs.key(job)


def test_the_page_tells_the_proof_that_was_stored_with_the_job(trainer):
    told = {"source": "discord_message", "author": "ann", "licence": "", "reference": "general"}
    told |= {"permission": "Discord's letter of May", "rows": 12}
    job = FineTuneJobFactory(provenance={"rows": {"discord_message": 12}, "sources": [told]})

    page = trainer.get(f"/fine-tuning/{job.pk}/").content.decode()

    assert "What it may learn from" in page
    assert "Discord&#x27;s letter of May" in page
    assert re.search(r'num text-right">12<', page)


def test_rows_held_back_do_not_count_among_those_a_model_answers_with(trainer):
    split = {"seed": 1, "shares": {"train": 0.6, "test": 0.4}}
    version = DatasetVersionFactory(n_examples=5, split=split)
    version.examples.filter(position__lt=3).update(part="train")
    job = FineTuneJobFactory(
        version=version, status="succeeded", method="knn", fine_tuned_model="ft:tiny"
    )

    page = trainer.get(f"/fine-tuning/{job.pk}/").content.decode()

    assert "with the help of 3 examples" in page


def test_a_double_click_starts_one_job(trainer, endpoint):
    version = DatasetVersionFactory()

    first = trainer.post("/fine-tuning/new/", wanted(version))
    second = trainer.post("/fine-tuning/new/", wanted(version))

    assert first["Location"] == second["Location"]
    assert FineTuneJob.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_model": "huge"}, "has no model &#x27;huge&#x27; to fine-tune"),
        ({"method": "magic"}, "cannot be trained by &#x27;magic&#x27;"),
        ({"n_epochs": "0"}, "Choose a number from 1 to 50."),
        ({"dataset": "999999"}, "not one of the available choices"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_what_cannot_be_trained_is_refused_and_what_was_typed_stays(
    trainer, endpoint, change, words
):
    response = trainer.post("/fine-tuning/new/", wanted(DatasetVersionFactory()) | change)

    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert 'value="support"' in page
    assert not FineTuneJob.objects.exists()


def test_a_dead_endpoint_starts_no_job(trainer):
    response = trainer.post("/fine-tuning/new/", wanted(DatasetVersionFactory()))

    assert response.status_code == 422
    assert not FineTuneJob.objects.exists()


def test_a_running_job_keeps_asking_and_a_finished_one_does_not(trainer):
    running = FineTuneJobFactory(running=True)
    finished = FineTuneJobFactory(succeeded=True)

    alive = trainer.get(f"/fine-tuning/{running.pk}/progress/").content.decode()
    over = trainer.get(f"/fine-tuning/{finished.pk}/progress/").content.decode()

    assert f'data-topics="job.{running.pk}"' in alive
    assert f'hx-get="/fine-tuning/{running.pk}/progress/"' in alive
    assert "hx-get" not in over
    assert "data-topics" not in over


def test_progress_is_that_of_the_task(trainer):
    job = FineTuneJobFactory(running=True)
    TaskFactory(kind=jobs.KIND, idempotency_key=jobs.key(job), progress=0.62)

    assert 'value="62"' in trainer.get(f"/fine-tuning/{job.pk}/progress/").content.decode()


def test_the_curve_and_the_newest_figures_are_those_of_the_events(trainer):
    job = FineTuneJobFactory(running=True)
    measured(job, 1, train_loss=2.0)
    measured(job, 2, train_loss=1.5, valid_loss=1.75)

    response = trainer.get(f"/fine-tuning/{job.pk}/progress/")

    chart = json.loads(response.context["chart"])
    assert chart["x"] == [1.0, 2.0]
    assert [row["values"] for row in chart["series"]] == [[2.0, 1.5], [None, 1.75]]
    assert ("Training loss", 1.5) in response.context["figures"]


def test_a_figure_of_all_that_is_held_out_is_told_once(trainer):
    job = FineTuneJobFactory(running=True)
    measured(job, 1, valid_loss=1.5, full_valid_loss=1.5, full_valid_mean_token_accuracy=0.5)

    figures = dict(trainer.get(f"/fine-tuning/{job.pk}/progress/").context["figures"])

    assert figures.keys() == {"Step", "Held-out loss", "Held-out accuracy, whole split"}


def test_pairs_have_their_margin_on_a_scale_of_its_own(trainer):
    job = FineTuneJobFactory(running=True, method="dpo")
    measured(job, 1, train_loss=0.7, reward_margin=0.1)
    measured(job, 2, train_loss=0.6, reward_margin=1.2)

    chart = json.loads(trainer.get(f"/fine-tuning/{job.pk}/progress/").context["chart"])

    assert [(row["label"], row.get("side")) for row in chart["series"]] == [
        ("Training loss", None),
        ("Reward margin", "right"),
    ]


def test_the_end_is_foretold_until_it_is_near(trainer):
    job = FineTuneJobFactory(running=True)

    def told(ahead_s: float) -> str:
        finish = int((now() + timedelta(seconds=ahead_s)).timestamp())
        kept = {"told": {"hyperparameters": {}, "result": {}, "finish": finish}}
        Task.objects.update_or_create(
            kind=jobs.KIND, idempotency_key=jobs.key(job), defaults={"checkpoint": kept}
        )
        return trainer.get(f"/fine-tuning/{job.pk}/progress/").content.decode()

    assert "to go" in told(300)
    assert "to go" not in told(30)
    assert "to go" not in told(-300)


def test_a_very_long_run_is_thinned_but_keeps_its_newest_point(trainer):
    job = FineTuneJobFactory(running=True)
    FineTuneEvent.objects.bulk_create(
        FineTuneEvent(
            job=job,
            remote_event_id=str(step),
            level="info",
            type="metrics",
            message="",
            data={"step": step, "train_loss": 1.0},
        )
        for step in range(1, 2001)
    )

    response = trainer.get(f"/fine-tuning/{job.pk}/progress/")

    steps = json.loads(response.context["chart"])["x"]
    assert len(steps) <= 600
    assert steps[-1] == 2000


def test_a_finished_job_leads_to_its_model(trainer):
    job = FineTuneJobFactory(succeeded=True)

    page = trainer.get(f"/fine-tuning/{job.pk}/").content.decode()

    assert job.fine_tuned_model in page
    assert "/playground/?model=ft%3Asmollm2" in page
    assert "Its weights are the base model" in page


def test_a_failed_job_says_why(trainer):
    job = FineTuneJobFactory(status="failed", error="The key was refused.")

    assert "The key was refused." in trainer.get(f"/fine-tuning/{job.pk}/").content.decode()


def test_a_status_that_we_do_not_know_is_shown_as_it_came(trainer):
    job = FineTuneJobFactory(status="warming_up")

    assert "warming up" in trainer.get(f"/fine-tuning/{job.pk}/").content.decode()


def test_cancelling_asks_the_job_to_stop(trainer):
    job = FineTuneJobFactory(running=True)

    response = trainer.post(f"/fine-tuning/{job.pk}/cancel/", follow=True)

    job.refresh_from_db()
    assert job.cancel_requested
    assert "asked to stop" in response.content.decode()


def test_a_job_that_is_over_cannot_be_cancelled(trainer):
    job = FineTuneJobFactory(succeeded=True)

    response = trainer.post(f"/fine-tuning/{job.pk}/cancel/")

    assert response.status_code == 409
    assert "is over already" in response.content.decode()


def test_the_list_shows_every_job_with_its_state(trainer):
    FineTuneJobFactory(running=True, suffix="support-bot")

    page = trainer.get("/fine-tuning/").content.decode()

    assert "support-bot" in page
    assert "running" in page


def test_after_a_refusal_the_same_model_and_method_are_chosen_again(trainer, endpoint):
    endpoint.models[1]["fine_tune_methods"] = ["knn", "supervised"]
    chosen = {"base_model": endpoint.models[1]["id"], "method": "supervised", "n_epochs": "0"}

    page = trainer.get("/fine-tuning/new/choices/", chosen).content.decode()

    assert re.search(rf'<option value="{chosen["base_model"]}" selected', page)
    assert re.search(r'value="supervised" checked', page)
    assert "Choose a number from 1 to 50." in page


def test_the_page_of_an_older_version_leads_to_a_job_on_that_version(trainer, endpoint):
    older = DatasetVersionFactory()
    DatasetVersionFactory(dataset=older.dataset, number=2)
    path = f"/fine-tuning/new/?dataset={older.dataset.pk}&version=1"

    page = trainer.get(path).content.decode()
    assert "Version 1 of" in page
    trainer.post("/fine-tuning/new/", wanted(older, of_version=str(older.pk)))

    assert FineTuneJob.objects.get().version == older


def test_the_form_of_a_fine_tune_warns_of_too_few_examples(trainer, endpoint):
    few, enough = DatasetVersionFactory(n_examples=3), DatasetVersionFactory(n_examples=10)

    def chosen(version) -> str:
        page = trainer.get(f"/fine-tuning/new/choices/?dataset={version.dataset_id}")
        return page.content.decode()

    assert f"{few} has 3 examples, and most endpoints need at least 10" in chosen(few)
    assert "the job would fail" not in chosen(enough)
