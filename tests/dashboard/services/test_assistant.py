import pytest

from dashboard.models import AssistantSettings, AuditEvent, OutboxEvent
from dashboard.services import assistant
from tests.factories import UserFactory
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db


def test_there_are_sensible_settings_before_anybody_saved_any():
    row = assistant.current()
    assert (row.model, row.system_prompt) == ("", assistant.DEFAULT_PROMPT)
    assert row.max_tokens > 0
    assert not AssistantSettings.objects.exists()


def test_what_is_saved_is_in_force_told_and_audited():
    admin = UserFactory(admin=True)
    assistant.save(changed=AssistantSettings(model="large", temperature=0.2), actor=admin)
    assistant.save(changed=AssistantSettings(model="small", temperature=0.4), actor=admin)
    row = AssistantSettings.objects.get()
    assert (row.model, row.temperature) == ("small", 0.4)
    assert assistant.current() == row
    assert OutboxEvent.objects.filter(topic="settings").count() == 2
    assert [event.actor for event in AuditEvent.objects.all()] == [admin, admin]


def test_another_model_leaves_the_rest_as_it_is():
    assistant.save(changed=AssistantSettings(system_prompt="Be brief."), actor=None)
    assistant.use_model("large", actor=None)
    assert (assistant.current().model, assistant.current().system_prompt) == ("large", "Be brief.")


def test_the_first_choice_of_a_model_keeps_the_default_prompt():
    assistant.use_model("large", actor=None)
    assert assistant.current().system_prompt == assistant.DEFAULT_PROMPT


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 2.5},
        {"temperature": -0.1},
        {"max_tokens": -1},
        {"max_tokens": 0},
        {"max_tokens": 10**12},
        {"model": "x" * 201},
    ],
)
def test_values_out_of_range_are_refused_in_words(fields):
    with pytest.raises(InvalidInput):
        assistant.save(changed=AssistantSettings(**fields), actor=None)
    assert not AssistantSettings.objects.exists()
    assert not AuditEvent.objects.exists()
