"""The page with the button, and the page of each training."""

import re
import uuid

import pytest
from django.urls import reverse
from django.utils.timezone import now

from dashboard.models import Correction, Training
from dashboard.services import trainings
from dashboard.services.trainings import permissions
from tests.dashboard.trainings.driving import learned_it, look, taught, tune, until, work_off
from tests.dashboard.trainings.test_picking import corrected_on_discord
from tests.factories import (
    AliasFactory,
    CorrectionFactory,
    DatasetVersionFactory,
    TrainingFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
PLAN, NEW = reverse("job-taught-plan"), reverse("job-taught-new")


@pytest.fixture
def trainer(client, endpoint):
    client.force_login(UserFactory(trainer=True))
    return client


@pytest.fixture
def admin(client, endpoint):
    client.force_login(UserFactory(admin=True))
    return client


def pressed(**more) -> dict:
    return {
        "key": uuid.uuid4(),
        "scope": "everywhere",
        "base_model": "small",
        "way": "supervised",
        "with_known": "on",
        "hold_out": "0",
        "shown": "1",
        **more,
    }


def test_before_one_presses_it_says_what_would_be_learned(trainer):
    taught(12)

    page = trainer.get(PLAN).content.decode()

    assert 'value="small"' in page
    assert "Also what a model learned before" in page
    assert "about 48" in page.replace('<span class="num">', "").replace("</span>", "")
    assert "disabled" not in page


def test_few_examples_are_warned_of_and_none_cannot_be_pressed(trainer):
    assert 'type="submit" disabled' in trainer.get(PLAN).content.decode()
    taught(3)
    page = trainer.get(PLAN).content.decode()
    assert "3 examples are few" in page
    assert "OpenAI takes no fewer" in page


def test_pressing_begins_a_training_and_pressing_twice_the_same(trainer):
    taught()
    form = pressed(suffix="zoo")

    first = trainer.post(NEW, form)
    again = trainer.post(NEW, form)

    training = Training.objects.get()
    assert first.url == again.url == reverse("job-taught", args=[training.pk])
    assert (training.way, training.suffix, training.with_known) == ("supervised", "zoo", True)


def test_while_one_is_under_way_no_second_one_is_offered(trainer):
    taught()
    trainer.post(NEW, pressed())

    page = trainer.get(PLAN).content.decode()

    assert "is under way" in page
    assert 'id="press"' not in page


def test_a_refusal_is_said_beside_the_form_which_keeps_what_was_chosen(trainer):
    CorrectionFactory()

    page = trainer.post(NEW, pressed(suffix="zoo"))

    assert page.status_code == 422
    assert "nothing to learn" in page.content.decode()
    assert "suffix=zoo" in page.content.decode()


def test_what_is_chosen_is_chosen_still_after_another_choice(trainer):
    taught(12)

    page = trainer.get(PLAN, pressed(hold_out="20", suffix="zoo", way="dpo")).content.decode()

    assert 'value="20" selected' in page
    assert 'value="zoo"' in page
    assert 'value="dpo" checked' in page


def test_nonsense_in_the_address_is_no_failure(trainer):
    for query in ({"hold_out": "x"}, {"suite_ids": "x"}, {"mixed_in": "9" * 30}, {"key": "x"}):
        assert trainer.get(PLAN, query).status_code == 200
    assert trainer.get(PLAN, {"scope": "guild-0"}).status_code == 404


def test_channel_questions_are_explained_and_worded_anew(trainer):
    correction = corrected_on_discord()
    page = trainer.get(PLAN).content.decode()
    assert "developer policy forbids training" in page
    assert "An admin can record" in page

    address = reverse("correction-question", args=[correction.pk])
    field = f"own-{correction.pk}-question"
    same = trainer.post(address, {field: "When open??"}, headers={"HX-Request": "true"})
    assert same.status_code == 422
    assert "These are the words" in same.content.decode()
    kept = trainer.post(
        address, {field: "When do you open?"}, headers={"HX-Request": "true"}
    ).content.decode()

    assert "learns it with these words" in kept
    assert trainings.look(trainings.Scope("everywhere")).n_learned == 1
    assert "developer policy" not in trainer.get(PLAN).content.decode()


def test_an_admin_records_and_withdraws_discords_permission(admin):
    corrected_on_discord()
    assert "Record the permission" in admin.get(PLAN).content.decode()

    assert admin.post(reverse("job-taught-permit"), {"permission": "ok"}).status_code == 422
    admin.post(reverse("job-taught-permit"), {"permission": "By letter of 2026-03-01."})
    page = admin.get(PLAN).content.decode()
    assert "By letter of 2026-03-01." in page
    assert "Withdraw the permission" in page

    admin.post(reverse("job-taught-forbid"))
    assert permissions.current() is None


def test_the_page_follows_a_training_to_its_verdict(admin, endpoint):
    endpoint.answer = learned_it
    taught()
    AliasFactory(name="support")
    admin.post(NEW, pressed())
    training = Training.objects.get()
    state = reverse("job-taught-state", args=[training.pk])
    assert "waiting for a worker" in admin.get(state).content.decode()

    training = look(until(training, "tuning"))
    assert f"Job {training.job_id}" in admin.get(state).content.decode()
    tune(training, endpoint)
    work_off()

    page = admin.get(reverse("job-taught", args=[training.pk])).content.decode()
    training.refresh_from_db()
    assert training.verdict.sentence in page.replace("&#x27;", "'")
    assert "Tuned with recall" in page
    assert f"/releases/support/?model={training.model.replace(':', '%3A')}" in page
    assert "every 5s" not in page


def test_a_training_can_be_cancelled_from_its_page(trainer):
    taught()
    trainer.post(NEW, pressed())
    training = Training.objects.get()

    trainer.post(reverse("job-taught-cancel", args=[training.pk]))

    assert look(training).stage == "cancelled"


def test_what_was_erased_since_is_said_on_the_page(trainer):
    [correction] = taught(1)
    training = TrainingFactory(model="ft:a", stage="succeeded", counts={"learned": 1, "new": 1})
    training.lessons.create(correction=correction, revision=1)
    Correction.objects.all().delete()

    page = trainer.get(reverse("job-taught", args=[training.pk])).content.decode()

    assert "erased since" in page


def test_one_of_each_is_told_as_one(trainer):
    counts = {"learned": 1, "new": 1, "pairs": 1, "left_out": {"channel": 1}}
    pairs = DatasetVersionFactory()
    training = TrainingFactory(stage="tuning", counts=counts, pairs=pairs)

    page = trainer.get(reverse("job-taught", args=[training.pk])).content.decode()

    words = " ".join(re.sub("<[^>]+>", "", page).split())
    assert "1 example, 1 of them new, 1 pair. Left out: Count in one channel only · 1." in words


def test_the_list_tells_how_each_training_stands(trainer):
    TrainingFactory(stage="tuning")
    TrainingFactory(scope="all", stage="failed", error="No room.", finished_at=now())

    page = trainer.get(reverse("job-taught-list")).content.decode()

    assert "fine-tuning</span>" in page
    assert "failed</span>" in page
    assert "all servers" in page
