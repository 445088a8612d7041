"""What an admin changes while everything runs."""

import pytest

from dashboard.models import AssistantSettings, OutboxEvent
from dashboard.services import assistant

pytestmark = pytest.mark.django_db
GOOD = {"model": "small", "system_prompt": "Be kind.", "temperature": "0.5", "max_tokens": "99"}


def test_saved_settings_are_in_force_and_told_to_the_bot(admin):
    response = admin.post("/settings/", GOOD, follow=True)

    current = assistant.current()
    assert (current.model, current.temperature, current.max_tokens) == ("small", 0.5, 99)
    assert "in force from the next message on" in response.content.decode()
    assert OutboxEvent.objects.filter(topic="settings").count() == 1


@pytest.mark.parametrize("change", [{"temperature": "3"}, {"max_tokens": "0"}, {"max_tokens": ""}])
def test_a_setting_out_of_range_is_refused_and_nothing_is_saved(admin, change):
    response = admin.post("/settings/", GOOD | change)

    assert response.status_code == 422
    assert not AssistantSettings.objects.exists()


def test_the_page_names_the_endpoint_and_never_its_key(admin, settings):
    settings.OPENAI_API_KEY = "sk-very-secret"

    page = admin.get("/settings/").content.decode()

    assert "http://127.0.0.1:9/v1" in page
    assert "sk-very-secret" not in page


def test_one_model_can_be_put_in_charge_by_a_button(admin):
    admin.post("/models/use/", {"model": "ft:small:knn:x"})

    assert assistant.current().model == "ft:small:knn:x"


@pytest.mark.parametrize("path", ["/models/use/", "/models/price/remove/"])
@pytest.mark.parametrize("model", ["", " ", "x" * 100_000, "a\0b"])
def test_a_button_without_a_model_is_refused(admin, path, model):
    response = admin.post(path, {"model": model})

    assert response.status_code == 400
    assert "Choose one from the list" in response.content.decode()
