import pytest
from django.core.checks import run_checks

from dashboard import checks


def found() -> list[str]:
    return [message.id for message in run_checks(tags=[checks.TAG])]


def test_a_fresh_clone_has_nothing_to_complain_of():
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"PORT": 8000, "MODELSERVER_PORT": 8000}, "trainerbot.E001"),
        ({"OPENAI_BASE_URL": "localhost:11434"}, "trainerbot.E002"),
        ({"RECALL_EMBEDDINGS": "yes"}, "trainerbot.E004"),
        ({"CHAT_MODEL": "@support"}, "trainerbot.E006"),
        ({"OPENAI_BASE_URL": "ftp://host/v1"}, "trainerbot.E002"),
        ({"HOST": "0.0.0.0", "ALLOWED_HOSTS": ["localhost"]}, "trainerbot.W001"),
        ({"HOST": "192.0.2.7", "ALLOWED_HOSTS": ["bot.example"], "DEBUG": True}, "trainerbot.E003"),
    ],
)
def test_settings_that_contradict_each_other_are_told(settings, changes, complaint):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found() == [complaint]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_debugging_on_ones_own_machine_is_fine(settings, host):
    settings.HOST, settings.DEBUG = host, True
    assert found() == []
