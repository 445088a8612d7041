"""The models of the endpoint."""

import pytest

from dashboard.models import SpeechPrice
from dashboard.services import assistant
from dashboard.services.access import Role
from tests.factories import FineTuneJobFactory

pytestmark = pytest.mark.django_db
TUNED = "ft:tiny-chat:knn:support"


def test_the_models_are_those_of_the_endpoint(trainer, endpoint):
    page = trainer.get("/models/rows/").content.decode()

    assert "tiny-chat" in page
    assert TUNED in page


def test_a_model_of_ours_names_the_job_and_that_no_weights_changed(trainer, endpoint):
    job = FineTuneJobFactory(succeeded=True, fine_tuned_model=TUNED)

    page = trainer.get("/models/rows/").content.decode()

    assert f"/fine-tuning/{job.pk}/" in page
    assert "no weights changed" in page


def test_a_checkpoint_names_the_job_that_it_comes_from(trainer, endpoint):
    job = FineTuneJobFactory(succeeded=True, method="dpo")
    endpoint.models[1]["fine_tuning_job"] = job.remote_job_id

    page = trainer.get("/models/rows/").content.decode()

    assert f"/fine-tuning/{job.pk}/" in page
    assert "· checkpoint" in page


def test_a_tuned_model_of_others_is_not_called_a_base_model(trainer, endpoint):
    page = trainer.get("/models/rows/").content.decode()

    assert "not started here" in page
    assert page.count("base model") == 1


@pytest.mark.parametrize(("chosen", "answers"), [("", "tiny-chat"), (TUNED, TUNED)])
def test_the_model_that_answers_is_marked(trainer, endpoint, settings, chosen, answers):
    settings.CHAT_MODEL = "" if chosen else "tiny-chat"
    if chosen:
        assistant.use_model(chosen, actor=None)

    rows = trainer.get("/models/rows/").context["rows"]

    assert [row.id for row in rows if row.answers] == [answers]


def test_only_an_admin_is_offered_to_change_it(trainer, admin, endpoint):
    assert "Use everywhere" not in trainer.get("/models/rows/").content.decode()
    assert "Use everywhere" in admin.get("/models/rows/").content.decode()


def test_an_endpoint_without_models_is_told_in_words(trainer, endpoint):
    endpoint.models.clear()

    assert "The endpoint offers no model" in trainer.get("/models/rows/").content.decode()


def test_an_endpoint_that_is_down_leaves_a_way_to_try_again(trainer):
    response = trainer.get("/models/rows/", headers={"HX-Request": "true"})

    assert response.status_code == 503
    assert "Try again" in response.content.decode()


def test_a_wrong_key_is_told_without_the_key(trainer, endpoint, settings):
    settings.OPENAI_API_KEY = "sk-wrong-but-secret"

    response = trainer.get("/models/rows/", headers={"HX-Request": "true"})

    assert response.status_code == 503
    assert "sk-wrong" not in response.content.decode()


def test_the_settings_suggest_the_models(admin, endpoint):
    page = admin.get("/settings/models/").content.decode()

    assert f'<option value="{TUNED}">' in page


def test_an_admin_sets_and_removes_what_speech_costs(admin):
    page = admin.post(
        "/models/speech-price/",
        {"provider": "google", "heard_usd": "0.016", "spoken_usd": "0"},
        follow=True,
    ).content.decode()
    assert "is counted at this price now." in page
    assert "$0.0160" in page

    page = admin.post(
        "/models/speech-price/remove/", {"provider": "google"}, follow=True
    ).content.decode()
    assert "costs nothing from now on" in page
    assert not SpeechPrice.objects.exists()


def test_a_price_of_speech_that_is_none_is_refused_beside_its_field(admin):
    response = admin.post(
        "/models/speech-price/", {"provider": "nobody", "heard_usd": "-1", "spoken_usd": "0"}
    )

    assert response.status_code == 422
    assert set(response.context["speech_form"].errors) == {"provider", "heard_usd"}
    assert not SpeechPrice.objects.exists()
    assert admin.post("/models/speech-price/remove/", {"provider": "x"}).status_code == 400


def test_only_an_admin_sets_what_speech_costs(trainer):
    asked = {"provider": "google", "heard_usd": "1", "spoken_usd": "0"}

    assert trainer.post("/models/speech-price/", asked).status_code == 403
    assert "Set price of speech" not in trainer.get("/models/").content.decode()


# --- deleting a tuned model -------------------------------------------------------------
def test_only_tuned_models_can_be_deleted_and_only_by_those_who_train(trainer, reader, endpoint):
    page = trainer.get("/models/rows/").content.decode()

    assert page.count("/models/delete/?model=") == 1
    assert "/models/delete/?model=ft%3Atiny-chat" in page
    assert reader(Role.MEMBER).post("/models/delete/", {"model": TUNED}).status_code == 403


def test_the_question_names_the_job_that_could_make_it_again(trainer, endpoint):
    job = FineTuneJobFactory(succeeded=True, fine_tuned_model=TUNED)

    page = trainer.get("/models/delete/", {"model": TUNED}).content.decode()

    assert TUNED in page
    assert f"/fine-tuning/{job.pk}/" in page
    assert 'type="submit"' in page


def test_a_model_that_answers_offers_no_deletion(trainer, endpoint):
    assistant.use_model(TUNED, actor=None)

    page = trainer.get("/models/delete/", {"model": TUNED}).content.decode()
    response = trainer.post("/models/delete/", {"model": TUNED})

    assert "It answers everywhere." in page
    assert 'type="submit"' not in page
    assert response.status_code == 409
    assert "answers everywhere. Change that first" in response.content.decode()


def test_a_tuned_model_is_deleted(trainer, endpoint):
    job = FineTuneJobFactory(succeeded=True, fine_tuned_model=TUNED)

    page = trainer.post("/models/delete/", {"model": TUNED}, follow=True).content.decode()

    assert f"{TUNED} is deleted." in page
    assert [model["id"] for model in endpoint.models] == ["tiny-chat"]
    job.refresh_from_db()
    assert job.fine_tuned_model == ""


@pytest.mark.parametrize("model", ["", "tiny-chat", "a\0b"])
def test_what_is_no_tuned_model_is_not_deleted(trainer, endpoint, model):
    assert trainer.post("/models/delete/", {"model": model}).status_code == 400
    assert len(endpoint.models) == 2
